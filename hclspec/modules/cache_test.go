package modules_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"kplan.dev/kplan/hclspec/modules"
)

// entryOf is the directory of a tree in the cache.
func entryOf(m *modules.Resolved) string { return filepath.Dir(m.Root) }

// TestDamagedCache: whatever became of the cache, no run uses it, and the next fetch puts it right.
func TestDamagedCache(t *testing.T) {
	repo := newRepository(t)
	repo.commit("v1.0.0", map[string]string{"main.kplan.hcl": "# good\n", "sub/a.txt": "a\n", "sub/b.txt": "b\n"})
	c, dir, cache := call(t, "git::"+repo.address, "1.0.0"), t.TempDir(), t.TempDir()
	secret := filepath.Join(t.TempDir(), "secret")
	must(t, os.WriteFile(secret, []byte("# good\n"), 0o600))
	all, _ := initialize(t, dir, modules.Options{Cache: cache}, c)
	main := filepath.Join(all[0].Root, "main.kplan.hcl")
	chmod := func() error { return os.Chmod(main, 0o644) }
	for name, damage := range map[string]func() error{
		"another text":          func() error { return errors.Join(chmod(), os.WriteFile(main, []byte("# evil\n"), 0o644)) },
		"cut off":               func() error { return errors.Join(chmod(), os.Truncate(main, 3)) },
		"a file is gone":        func() error { return os.Remove(filepath.Join(all[0].Root, "sub", "b.txt")) },
		"a file more":           func() error { return os.WriteFile(filepath.Join(all[0].Root, "evil.kplan.hcl"), nil, 0o644) },
		"a hidden file more":    func() error { return os.WriteFile(filepath.Join(all[0].Root, ".x"), nil, 0o644) },
		"a directory is gone":   func() error { return os.RemoveAll(filepath.Join(all[0].Root, "sub")) },
		"half-written":          func() error { return os.RemoveAll(all[0].Root) },
		"empty":                 func() error { return errors.Join(os.RemoveAll(entryOf(all[0])), os.Mkdir(entryOf(all[0]), 0o755)) },
		"a link with that text": func() error { return errors.Join(os.Remove(main), os.Symlink(secret, main)) },
		"a link to a directory": func() error {
			moved := filepath.Join(t.TempDir(), "sub")
			return errors.Join(os.Rename(filepath.Join(all[0].Root, "sub"), moved), os.Symlink(moved, filepath.Join(all[0].Root, "sub")))
		},
		"the files are a link": func() error {
			moved := filepath.Join(t.TempDir(), "tree")
			return errors.Join(os.Rename(all[0].Root, moved), os.Symlink(moved, all[0].Root))
		},
		"the tree is a link": func() error {
			moved := filepath.Join(t.TempDir(), "entry")
			return errors.Join(os.Rename(entryOf(all[0]), moved), os.Symlink(moved, entryOf(all[0])))
		},
		"a file instead": func() error {
			return errors.Join(os.RemoveAll(entryOf(all[0])), os.WriteFile(entryOf(all[0]), []byte("x"), 0o644))
		},
		"a list of omitted files": func() error {
			return os.WriteFile(filepath.Join(entryOf(all[0]), "omitted"), []byte("\"x\" y\n"), 0o644)
		},
		"a damaged list": func() error { return os.WriteFile(filepath.Join(entryOf(all[0]), "omitted"), []byte("\"x"), 0o644) },
	} {
		t.Run(name, func(t *testing.T) {
			must(t, damage())
			_, diags := open(t, dir, modules.Options{Cache: cache, Offline: true}).Resolve(t.Context(), c)
			if !diags.HasErrors() {
				t.Error("it is used")
			}
			again, diags := open(t, dir, modules.Options{Cache: cache}).Resolve(t.Context(), c)
			noErrors(t, diags)
			if again.Dir != all[0].Dir || read(t, main) != "# good\n" || read(t, all[0].Root, "sub", "b.txt") != "b\n" {
				t.Error("it is not what was fetched")
			}
			_, diags = open(t, dir, modules.Options{Cache: cache, Offline: true}).Resolve(t.Context(), c)
			noErrors(t, diags)
			if left, _ := os.ReadDir(filepath.Join(cache, "incoming")); len(left) > 0 {
				t.Errorf("left over: %v", left)
			}
		})
	}
	if read(t, secret) != "# good\n" {
		t.Error("the file behind the link was changed")
	}
}

// TestCacheIsNoLink: nothing is written where a link in the cache leads.
func TestCacheIsNoLink(t *testing.T) {
	repo := newRepository(t)
	repo.commit("v1.0.0", map[string]string{"main.kplan.hcl": ""})
	for _, name := range []string{"trees", "incoming"} {
		cache, elsewhere := t.TempDir(), t.TempDir()
		must(t, os.Symlink(elsewhere, filepath.Join(cache, name)))
		r := open(t, t.TempDir(), modules.Options{Cache: cache, LockMode: modules.Update})
		_, diags := r.Resolve(t.Context(), call(t, "git::"+repo.address, "1.0.0"))
		if got := fmt.Sprint(diags); !strings.Contains(got, name+": is a symbolic link, and should be a directory") {
			t.Errorf("%s: %s", name, got)
		}
		if entries, _ := os.ReadDir(elsewhere); len(entries) > 0 {
			t.Errorf("%s: where it leads is %v", name, entries)
		}
	}
}

// TestUnusableCaches: what the system refuses is an error that says where the cache can be instead.
func TestUnusableCaches(t *testing.T) {
	repo := newRepository(t)
	repo.commit("v1.0.0", map[string]string{"main.kplan.hcl": ""})
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o644))
	for _, cache := range []string{file, filepath.Join(file, "below")} {
		r := open(t, t.TempDir(), modules.Options{Cache: cache, LockMode: modules.Update})
		_, diags := r.Resolve(t.Context(), call(t, "git::"+repo.address, "1.0.0"))
		if got := fmt.Sprint(diags); !strings.Contains(got, "Where the cache is can be set with KPLAN_CACHE_DIR.") {
			t.Errorf("%s: %s", cache, got)
		}
	}
}

// TestLeftovers: what a killed run has left goes after a day, and not before.
func TestLeftovers(t *testing.T) {
	repo := newRepository(t)
	repo.commit("v1.0.0", map[string]string{"main.kplan.hcl": ""})
	cache := t.TempDir()
	for name, age := range map[string]time.Duration{"old": 48 * time.Hour, "new": time.Hour} {
		path := filepath.Join(cache, "incoming", name)
		must(t, os.MkdirAll(filepath.Join(path, "tree"), 0o755))
		must(t, os.Chtimes(path, time.Now().Add(-age), time.Now().Add(-age)))
	}
	initialize(t, t.TempDir(), modules.Options{Cache: cache}, call(t, "git::"+repo.address, "1.0.0"))
	if left, _ := os.ReadDir(filepath.Join(cache, "incoming")); len(left) != 1 || left[0].Name() != "new" {
		t.Errorf("left over: %v", left)
	}
}

// TestManyFillTheCache: runs that fetch the same into one cache at once, in processes of their own and in this one.
func TestManyFillTheCache(t *testing.T) {
	if os.Getenv("KPLAN_TEST_FILL") != "" {
		fill(t)
		return
	}
	repo := newRepository(t)
	for _, version := range []string{"v1.0.0", "v1.1.0", "v2.0.0"} {
		repo.commit(version, map[string]string{"main.kplan.hcl": "# " + version + "\n"})
	}
	dir, cache := t.TempDir(), t.TempDir()
	calls := fillCalls(t, repo.address)
	all, _ := initialize(t, dir, modules.Options{Cache: t.TempDir()}, calls...)
	var group sync.WaitGroup
	for range 3 {
		group.Go(func() {
			cmd := exec.Command(os.Args[0], "-test.run=^TestManyFillTheCache$", "-test.count=1")
			cmd.Env = append(os.Environ(), "KPLAN_TEST_FILL="+strings.Join([]string{repo.address, dir, cache}, " "))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("a process: %v\n%s", err, out)
			}
		})
	}
	for range 4 {
		group.Go(func() {
			r, _ := modules.Open(dir, modules.Options{Cache: cache})
			for i, c := range calls {
				resolved, diags := r.Resolve(t.Context(), c)
				if diags.HasErrors() || resolved.Hash != all[i].Hash {
					t.Errorf("%v", diags)
				}
			}
		})
	}
	group.Wait()
	entries, err := os.ReadDir(filepath.Join(cache, "trees"))
	if err != nil || len(entries) != 3 {
		t.Errorf("the cache has %v, %v", entries, err)
	}
	if left, _ := os.ReadDir(filepath.Join(cache, "incoming")); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

func fillCalls(t *testing.T, address string) []modules.Call {
	return []modules.Call{call(t, "git::"+address, "1.0.0"), call(t, "git::"+address, "~> 1.0"), call(t, "git::"+address, ">= 2.0.0")}
}

// fill is what each of the processes does.
func fill(t *testing.T) {
	args := strings.Fields(os.Getenv("KPLAN_TEST_FILL"))
	for range 2 {
		r := open(t, args[1], modules.Options{Cache: args[2]})
		for _, c := range fillCalls(t, args[0]) {
			resolved, diags := r.Resolve(t.Context(), c)
			noErrors(t, diags)
			if !strings.HasPrefix(read(t, resolved.Dir, "main.kplan.hcl"), "# v") {
				t.Error("it has something else")
			}
		}
	}
}

func TestDefaultCache(t *testing.T) {
	t.Setenv("KPLAN_CACHE_DIR", "somewhere")
	dir, err := modules.DefaultCache()
	if err != nil || !filepath.IsAbs(dir) || !strings.HasSuffix(filepath.ToSlash(dir), "/somewhere/modules") {
		t.Errorf("%s, %v", dir, err)
	}
	for _, name := range []string{"KPLAN_CACHE_DIR", "XDG_CACHE_HOME", "HOME", "LocalAppData"} {
		t.Setenv(name, "")
	}
	_, diags := modules.Open(t.TempDir(), modules.Options{})
	if got := fmt.Sprint(diags); !strings.Contains(got, "KPLAN_CACHE_DIR can name one") {
		t.Error(got)
	}
}
