package modules_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kplan.dev/kplan/hclspec/modules"
	"kplan.dev/kplan/hclspec/modules/oci"
)

// TestPack: the same files make the same package, and hidden ones are no part of it.
func TestPack(t *testing.T) {
	files := map[string]string{"main.kplan.hcl": "# a\n", "sub/b.txt": "b"}
	want := pack(t, files)
	dir := t.TempDir()
	for name, text := range map[string]string{
		"sub/b.txt": "b", "main.kplan.hcl": "# a\n", ".git/config": "x", ".kplan/backend.json": "secret", "sub/.hidden": "x", ".env": "secret",
	} {
		path := filepath.Join(dir, name)
		must(t, os.MkdirAll(filepath.Dir(path), 0o700))
		must(t, os.WriteFile(path, []byte(text), 0o600))
		must(t, os.Chtimes(path, time.Unix(1, 0), time.Unix(1, 0)))
	}
	got, err := modules.Pack(dir)
	must(t, err)
	if !bytes.Equal(got.Archive, want.Archive) || got.Hash != want.Hash || got.Files != 2 {
		t.Errorf("it has %d files, and the hash %s, want %s", got.Files, got.Hash, want.Hash)
	}
	must(t, os.WriteFile(filepath.Join(dir, modules.LockFile), []byte("# x\n"), 0o600))
	if got, err = modules.Pack(dir); err != nil || got.Files != 3 {
		t.Errorf("with a lock file it has %d files, %v", got.Files, err)
	}
}

// TestPackRefuses: what has no place in a module is not published.
func TestPackRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		add  func(dir string) error
		want string
	}{
		"a link": {func(dir string) error { return os.Symlink("/etc/passwd", filepath.Join(dir, "x")) },
			`"x" is no regular file, and a module has nothing else`},
		"a link inside": {func(dir string) error { return os.Symlink("main.kplan.hcl", filepath.Join(dir, "x.kplan.hcl")) },
			`"x.kplan.hcl" is no regular file, and a module has nothing else`},
		"a state": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "kplan.state.json"), []byte(`{"lineage":"x","serial":1}`), 0o600)
		}, `"kplan.state.json": it is a state or a saved plan`},
		"a large file": {func(dir string) error { return os.WriteFile(filepath.Join(dir, "x"), make([]byte, 5<<20), 0o600) },
			`"x": it is larger than 4 MiB`},
		"a name": {func(dir string) error { return os.WriteFile(filepath.Join(dir, "a:b"), nil, 0o600) },
			`"a:b" has one of the characters <>:"|?*\ in its name`},
		"no configuration": {func(dir string) error { return os.Remove(filepath.Join(dir, "main.kplan.hcl")) },
			"it has no file whose name ends in .kplan.hcl or .kplan.json"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			must(t, os.WriteFile(filepath.Join(dir, "main.kplan.hcl"), nil, 0o600))
			must(t, c.add(dir))
			if _, err := modules.Pack(dir); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v\nand should have\n%s", err, c.want)
			}
		})
	}
	if _, err := modules.Pack(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a directory that is not there is packed")
	}
}

func TestPublish(t *testing.T) {
	source := newRegistry(t, nil)
	to, err := modules.ParseSource(source)
	must(t, err)
	publish := func(version, text string) (modules.Published, error) {
		v, err := modules.ParseVersion(version)
		must(t, err)
		return modules.Publish(t.Context(), to, v, pack(t, map[string]string{"main.kplan.hcl": text}), nil, oci.Options{})
	}
	first, err := publish("1.0.0", "# a\n")
	must(t, err)
	again, err := publish("v1.0.0", "# a\n")
	if err != nil || !again.Existed || again.Digest != first.Digest {
		t.Errorf("again: %v, %v", again, err)
	}
	if _, err := publish("1.0.0", "# b\n"); err == nil || !strings.Contains(err.Error(), "A version never changes; give these "+
		"files another one") {
		t.Errorf("other files: %v", err)
	}
	push(t, source, "v2.0.0", map[string]string{"main.kplan.hcl": "# tagged with a v\n"})
	if _, err := publish("2.0.0", "# b\n"); err == nil || !strings.Contains(err.Error(), "version 2.0.0 is there already") {
		t.Errorf("other files under v2.0.0: %v", err)
	}
	r := open(t, t.TempDir(), modules.Options{Cache: t.TempDir()})
	newer, err := r.Newer(t.Context(), call(t, source, "~> 1.0"), "1.0.0")
	if err != nil || newer != (modules.Newer{Newest: "2.0.0"}) {
		t.Errorf("newer: %+v, %v", newer, err)
	}
	newer, err = r.Newer(t.Context(), call(t, source, ""), "2.0.0")
	if err != nil || newer != (modules.Newer{}) {
		t.Errorf("newer than the newest: %+v, %v", newer, err)
	}
}
