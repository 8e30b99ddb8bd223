package modules_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kplan.dev/kplan/hclspec/modules"
	"kplan.dev/kplan/hclspec/modules/git"
)

// failsWith resolves a call as kplan init does, and compares the error.
func failsWith(t *testing.T, o modules.Options, c modules.Call, want string) {
	t.Helper()
	if o.Cache == "" {
		o.Cache = t.TempDir()
	}
	o.LockMode = modules.Update
	dir := t.TempDir()
	r := open(t, dir, o)
	resolved, diags := r.Resolve(t.Context(), c)
	switch {
	case !diags.HasErrors():
		t.Errorf("it is %s", resolved.Display)
	case !strings.Contains(diags[0].Detail, want):
		t.Errorf("%s\nand should have\n%s", diags[0].Detail, want)
	case diags[0].Subject == nil || diags[0].Subject.Filename != "main.kplan.hcl":
		t.Errorf("it is at %v", diags[0].Subject)
	}
	if _, diags := r.Save(); diags.HasErrors() {
		t.Error(diags)
	}
	if _, err := os.Lstat(filepath.Join(dir, modules.LockFile)); err == nil {
		t.Error("there is a lock file")
	}
	if left, _ := filepath.Glob(filepath.Join(o.Cache, "*", "*")); len(left) > 0 {
		t.Errorf("the cache has %v", left)
	}
}

// TestGitTrees: what a repository has beside regular files.
func TestGitTrees(t *testing.T) {
	repo := newRepository(t)
	link := func(target, name string) {
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(repo.dir, name)), 0o755))
		must(t, os.Symlink(target, filepath.Join(repo.dir, name)))
	}
	repo.commit("", map[string]string{
		"good/main.kplan.hcl": "$Format:%H$ $Id$\n", "good/.gitattributes": "*.hcl export-subst ident filter=evil text " +
			"eol=crlf\nleft.txt export-ignore\n",
		"good/left.txt": "left", "good/run.sh": "#!/bin/sh\n", ".gitattributes": "* filter=evil diff=evil\n", "sub/x": "",
		"lfs/data": "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "names/aux.kplan.hcl": "", "names2/a:b": "",
		"case/A": "", "case/a": "", ".gitmodules": "[submodule \"m\"]\n path = m\n url = ext::sh -c " +
			"id\n", ".lfsconfig": "[lfs]\nurl = https://evil.example\n",
	})
	must(t, os.Chmod(filepath.Join(repo.dir, "good/run.sh"), 0o755))
	link("/etc/passwd", "links/absolute")
	link("../../../../etc/passwd", "links2/outside")
	link("../good", "links3/directory")
	link("main.kplan.hcl", "links4/beside")
	link("nowhere", "links5/dangling")
	link("loop", "links6/loop")
	link("good", "link")
	repo.run(repo.dir, "add", "--all", "--force")
	repo.run(repo.dir, "update-index", "--add", "--cacheinfo", "160000,"+commit+",module/m")
	repo.publish("")
	source := "git::" + repo.address + "//"
	all, _ := initialize(t, t.TempDir(), modules.Options{Cache: t.TempDir()}, call(t, source+"good", ""))
	if got := read(t, all[0].Dir, "main.kplan.hcl"); got != "$Format:%H$ $Id$\n" {
		t.Errorf("the file is %q", got)
	}
	for _, name := range []string{"left.txt", "run.sh"} {
		info, err := os.Stat(filepath.Join(all[0].Dir, name))
		must(t, err)
		if info.Mode() != 0o444 {
			t.Errorf("%s has the mode %s", name, info.Mode())
		}
	}
	for _, path := range []string{"link", "links", "module", "lfs"} {
		if _, err := os.Lstat(filepath.Join(all[0].Root, path)); err == nil {
			t.Errorf("there is %s", path)
		}
	}
	cache := t.TempDir()
	initialize(t, t.TempDir(), modules.Options{Cache: cache}, call(t, source+"good", ""))
	r := open(t, t.TempDir(), modules.Options{Cache: cache, LockMode: modules.Update})
	for _, sub := range []string{"links", "link", "lfs", "sub/x", "nowhere"} {
		_, diags := r.Resolve(t.Context(), call(t, source+sub, ""))
		got := fmt.Sprint(diags)
		if !strings.Contains(got, `There is no directory "`+sub+`" in git::`+repo.address+"@") || !strings.Contains(got, "Files of kplan are in good.") {
			t.Errorf("%s: %s", sub, got)
		}
	}
	_, diags := r.Resolve(t.Context(), call(t, "git::"+repo.address, ""))
	if got := fmt.Sprint(diags); !strings.Contains(got, `The file "case/a" in git::`) {
		t.Errorf("all of it: %s", got)
	}
}

// TestGitOmitted: what a module can't have is an error below its directory, and none elsewhere.
func TestGitOmitted(t *testing.T) {
	all := map[string]struct {
		files map[string]string
		links map[string]string
		want  string
	}{
		"a link":            {nil, map[string]string{"app/x.kplan.hcl": "../other/main.kplan.hcl"}, `"app/x.kplan.hcl" in GIT//app is a symbolic link.`},
		"a link outwards":   {nil, map[string]string{"app/passwd": "/etc/passwd"}, `"app/passwd" in GIT//app is a symbolic link.`},
		"a link, directory": {nil, map[string]string{"app/sub": "../other"}, `"app/sub" in GIT//app is a symbolic link.`},
		"a link below":      {nil, map[string]string{"app/a/b/c": "x"}, `"app/a/b/c" in GIT//app is a symbolic link.`},
		"Git LFS": {map[string]string{"app/x": "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"}, nil,
			`"app/x" in GIT//app is stored in Git LFS.`},
		"a device": {map[string]string{"app/con.txt": ""}, nil, `"app/con.txt" in GIT//app is the name of a device on Windows.`},
		"capitals": {map[string]string{"app/A": "", "app/a": ""}, nil, `"app/a" in GIT//app has the name of "app/A" on systems`},
		"deep":     {map[string]string{"app/" + strings.Repeat("d/", 33) + "x": ""}, nil, ` is more than 32 directories deep.`},
	}
	repo := newRepository(t)
	repo.commit("v1.0.0", map[string]string{"readme": ""})
	dirs := map[string]string{}
	for i, name := range slices.Sorted(maps.Keys(all)) {
		dirs[name] = fmt.Sprintf("case%d/", i)
		files := map[string]string{dirs[name] + "app/main.kplan.hcl": "", dirs[name] + "other/main.kplan.hcl": ""}
		for file, text := range all[name].files {
			files[dirs[name]+file] = text
		}
		for link, target := range all[name].links {
			link = filepath.Join(repo.dir, dirs[name], link)
			must(t, os.MkdirAll(filepath.Dir(link), 0o755))
			must(t, os.Symlink(target, link))
		}
		repo.write(files)
	}
	repo.commit("v1.0.0", nil)
	source, dir, o := "git::"+repo.address, t.TempDir(), modules.Options{Cache: t.TempDir(), LockMode: modules.Update}
	for _, run := range []string{"the first run", "a later run"} {
		r := open(t, dir, o)
		for name, c := range all {
			want := strings.ReplaceAll(strings.ReplaceAll(c.want, "GIT//", source+"@1.0.0//"+dirs[name]), `"app/`, `"`+dirs[name]+"app/")
			_, diags := r.Resolve(t.Context(), call(t, source+"//"+dirs[name]+"app", "1.0.0"))
			if got := fmt.Sprint(diags); !strings.Contains(got, want) {
				t.Errorf("%s, %s: %s\nand should have\n%s", run, name, got, want)
			}
			other, diags := r.Resolve(t.Context(), call(t, source+"//"+dirs[name]+"other", "1.0.0"))
			noErrors(t, diags)
			if _, err := other.Local(modules.Source{Path: "../app"}); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s, %s, called from beside it: %v", run, name, err)
			}
		}
		initialize(t, dir, o, call(t, source+"//case0/other", "1.0.0"))
	}
}

// TestGitLocal: a module calls others of its repository, and nothing else.
func TestGitLocal(t *testing.T) {
	repo := newRepository(t)
	repo.commit("v1.0.0", map[string]string{
		"modules/app/main.kplan.hcl": "", "modules/base/main.kplan.hcl": "", "modules/app/in/x.kplan.hcl": "",
	})
	source := "git::" + repo.address
	all, _ := initialize(t, t.TempDir(), modules.Options{Cache: t.TempDir()}, call(t, source+"//modules/app", "1.0.0"))
	for path, want := range map[string]string{
		"../base":          source + "@1.0.0//modules/base",
		"./in":             source + "@1.0.0//modules/app/in",
		"../..":            source + "@1.0.0",
		"../../":           source + "@1.0.0",
		"../../..":         "leads out of",
		"../../../../etc":  "leads out of",
		"../../../../..":   "leads out of",
		"../none":          `There is no directory "modules/none"`,
		"./main.kplan.hcl": `There is no directory "modules/app/main.kplan.hcl"`,
	} {
		s, err := modules.ParseSource(path)
		must(t, err)
		got, err := all[0].Local(s)
		switch {
		case err == nil && (got.Display != want || !strings.HasPrefix(got.Dir+"/", got.Root+"/")):
			t.Errorf("%s is %s in %s", path, got.Display, got.Dir)
		case err != nil && !strings.Contains(err.Error(), want):
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestMovedTag: a tag that stands for another commit than the lock file has is an error that names both.
func TestMovedTag(t *testing.T) {
	for _, args := range []struct{ suffix, version string }{{"", "~> 1.0"}, {"?ref=v1.0.0", ""}, {"?ref=refs/tags/v1.0.0", ""}} {
		repo := newRepository(t)
		before := repo.commit("v1.0.0", map[string]string{"main.kplan.hcl": "# good\n"})
		c, dir := call(t, "git::"+repo.address+args.suffix, args.version), t.TempDir()
		initialize(t, dir, modules.Options{Cache: t.TempDir()}, c)
		after := repo.commit("v1.0.0", map[string]string{"main.kplan.hcl": "# evil\n"})
		for _, mode := range []modules.LockMode{modules.Pinned, modules.Update, modules.ReadOnly} {
			_, diags := open(t, dir, modules.Options{Cache: t.TempDir(), LockMode: mode}).Resolve(t.Context(), c)
			got := fmt.Sprint(diags)
			if !strings.Contains(got, "Module differs from the lock file") || !strings.Contains(got, before) || !strings.Contains(got, after) ||
				!strings.Contains(got, "kplan init -upgrade") {
				t.Errorf("mode %d: %s", mode, got)
			}
		}
		all, changes := initialize(t, dir, modules.Options{Cache: t.TempDir(), Upgrade: true}, c)
		if len(changes) != 1 || !strings.Contains(changes[0].From, before) || !strings.Contains(changes[0].To, after) ||
			read(t, all[0].Dir, "main.kplan.hcl") != "# evil\n" {
			t.Errorf("an upgrade: %+v", changes)
		}
	}
}

// TestBranchGoesOn: a branch may move, and what is pinned stays.
func TestBranchGoesOn(t *testing.T) {
	for _, suffix := range []string{"", "?ref=main"} {
		repo := newRepository(t)
		before := repo.commit("", map[string]string{"main.kplan.hcl": "# 1\n"})
		c, dir := call(t, "git::"+repo.address+suffix, ""), t.TempDir()
		initialize(t, dir, modules.Options{Cache: t.TempDir()}, c)
		after := repo.commit("", map[string]string{"main.kplan.hcl": "# 2\n"})
		resolved, diags := open(t, dir, modules.Options{Cache: t.TempDir()}).Resolve(t.Context(), c)
		noErrors(t, diags)
		if resolved.Revision != before || read(t, resolved.Dir, "main.kplan.hcl") != "# 1\n" {
			t.Errorf("it is %s", resolved.Revision)
		}
		all, _ := initialize(t, dir, modules.Options{Cache: t.TempDir(), Upgrade: true}, c)
		if all[0].Revision != after {
			t.Errorf("an upgrade: it is %s", all[0].Revision)
		}
	}
}

// TestOtherTree: a lock file with another hash than the commit has was changed, or the commit was.
func TestOtherTree(t *testing.T) {
	repo := newRepository(t)
	repo.commit("v1.0.0", map[string]string{"main.kplan.hcl": ""})
	c, dir, o := call(t, "git::"+repo.address, "1.0.0"), t.TempDir(), modules.Options{Cache: t.TempDir()}
	all, _ := initialize(t, dir, o, c)
	path := filepath.Join(dir, modules.LockFile)
	must(t, os.WriteFile(path, []byte(strings.Replace(read(t, path), all[0].Hash, hash, 1)), 0o644))
	_, diags := open(t, dir, o).Resolve(t.Context(), c)
	if got := fmt.Sprint(diags); !strings.Contains(got, "their hash is "+all[0].Hash+", and the lock file has "+hash) {
		t.Error(got)
	}
}

// TestGitIsConfined: no program and no file that a configuration of git names takes part, but those for reaching a server.
func TestGitIsConfined(t *testing.T) {
	repo := newRepository(t)
	repo.commit("v1.0.0", map[string]string{"main.kplan.hcl": "", ".gitattributes": "* filter=evil\n"})
	trap := filepath.Join(t.TempDir(), "trap")
	script := filepath.Join(t.TempDir(), "evil.sh")
	must(t, os.WriteFile(script, []byte("#!/bin/sh\ntouch "+trap+"\n"), 0o755))
	hooks := filepath.Join(filepath.Dir(script), "hooks")
	must(t, os.MkdirAll(hooks, 0o755))
	for _, hook := range []string{"post-checkout", "reference-transaction", "post-index-change", "post-merge", "pre-auto-gc"} {
		must(t, os.WriteFile(filepath.Join(hooks, hook), []byte("#!/bin/sh\ntouch "+trap+"\n"), 0o755))
	}
	config := filepath.Join(t.TempDir(), "config")
	must(t, os.WriteFile(config, []byte(fmt.Sprintf(`[core]
	fsmonitor = %[1]s
	hooksPath = %[2]s
	pager = %[1]s
	askPass = %[1]s
	gitProxy = %[1]s
	alternateRefsCommand = %[1]s
[filter "evil"]
	smudge = %[1]s
	process = %[1]s
	required = true
[alias]
	fetch = !%[1]s
[init]
	templateDir = %[2]s
[uploadpack]
	packObjectsHook = %[1]s
[fetch]
	recurseSubmodules = true
	fsckObjects = true
`, script, hooks)), 0o644))
	t.Setenv("GIT_CONFIG_GLOBAL", config)
	t.Setenv("GIT_TEMPLATE_DIR", hooks)
	t.Setenv("GIT_EXTERNAL_DIFF", script)
	t.Setenv("GIT_ALLOW_PROTOCOL", "ext:file")
	t.Setenv("SSH_ASKPASS", script)
	// What kplan runs in is a repository that a pull request has written.
	checkout := t.TempDir()
	repo.run("", "init", "--quiet", checkout)
	must(t, os.WriteFile(filepath.Join(checkout, ".git", "config"), []byte("[url \"ext::"+script+" \"]\n\tinsteadOf = "+repo.address+"\n"+
		"[credential]\n\thelper = "+script+"\n"), 0o644))
	t.Chdir(checkout)
	t.Setenv("GIT_DIR", filepath.Join(checkout, ".git"))
	initialize(t, checkout, modules.Options{Cache: t.TempDir()}, call(t, "git::"+repo.address, "1.0.0"))
	if _, err := os.Lstat(trap); err == nil {
		t.Error("a program of the configuration was run")
	}
	for _, to := range []string{"ext::" + script + " ", "file://" + repo.bare + "?", repo.bare, "git://127.0.0.1/x"} {
		must(t, os.WriteFile(config, []byte("[url \""+to+"\"]\n\tinsteadOf = "+repo.address+"\n[protocol]\n\tallow = always\n"), 0o644))
		failsWith(t, modules.Options{}, call(t, "git::"+repo.address, "1.0.0"), "it leads to a protocol that kplan does not allow")
	}
	if _, err := os.Lstat(trap); err == nil {
		t.Error("a program of the configuration was run")
	}
}

// answers is a server that says the same to every request.
func answers(t *testing.T, f http.HandlerFunc) string {
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return server.URL
}

// TestHostileGitServers: each answer that is none of git's has a message.
func TestHostileGitServers(t *testing.T) {
	advertise := func(w http.ResponseWriter, body string) {
		w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
		_, _ = w.Write([]byte(body))
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"401": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(401)
		}, "the server wants credentials, and git has none for it. Store them in a credential helper of git; kplan never asks"},
		"403": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) }, "the server forbids it to the account whose " +
			"credentials git has"},
		"404": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }, "there is no such repository, or these " +
			"credentials may not read it"},
		"429": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) }, "the server gets too many requests. Wait a while"},
		"500": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, "git says: unable to access"},
		"a page": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>hello</html>")) },
			"it is no git repository, or an empty one"},
		"garbage": {func(w http.ResponseWriter, _ *http.Request) { advertise(w, "\x00\xff\x1b[2Jzzzz") },
			"the server's answer is not that of a git repository"},
		"escapes": {func(w http.ResponseWriter, _ *http.Request) {
			advertise(w, "001e# service=git-upload-pack\n0000001dERR \x1b[31mred\u202e\r\nx")
		},
			"git says: "},
		"nothing": {func(w http.ResponseWriter, _ *http.Request) { advertise(w, "") }, ""},
		"cut off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			advertise(w, "001e# service=git-upload-pack\n")
		}, "git says: "},
		"redirect to a file": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		}, "git says: "},
		"redirect to ftp": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "ftp://127.0.0.1/x", http.StatusFound)
		}, "git says: "},
		"redirect for ever": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.String(), http.StatusFound)
		}, "git says: "},
		"slow": {func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-time.After(time.Minute):
			}
		}, "git did not finish within 2s"},
	} {
		t.Run(name, func(t *testing.T) {
			begun := time.Now()
			address := answers(t, c.answer)
			o := modules.Options{Git: git.Options{Timeout: 30 * time.Second}}
			if name == "slow" {
				o.Git.Timeout = 2 * time.Second
			}
			failsWith(t, o, call(t, "git::"+address+"/repo.git", ""), c.want)
			if took := time.Since(begun); took > 25*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}

// TestGitMessagesAreClean: what a server makes git say has no control characters, and no password.
func TestGitMessagesAreClean(t *testing.T) {
	t.Setenv("GIT_CONFIG_GLOBAL", filepath.Join(t.TempDir(), "config"))
	address := answers(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
		_, _ = w.Write([]byte("001e# service=git-upload-pack\n00000020ERR \x1b[31mred \u202e\r::stop\x07"))
	})
	host := strings.TrimPrefix(address, "http://")
	must(t, os.WriteFile(os.Getenv("GIT_CONFIG_GLOBAL"), []byte("[url \"http://user:hunter2secret@"+host+"/\"]\n\tinsteadOf = "+
		""+address+"/\n"), 0o600))
	for _, source := range []string{"git::" + address + "/repo.git", "git::http://127.0.0.1:1/repo.git"} {
		_, diags := open(t, t.TempDir(), modules.Options{Cache: t.TempDir(), LockMode: modules.Update}).Resolve(t.Context(), call(t, source, ""))
		got := fmt.Sprint(diags)
		if !diags.HasErrors() || strings.Contains(got, "hunter2secret") || strings.ContainsAny(got, "\x1b\u202e\r\x07") {
			t.Errorf("%q", got)
		}
	}
}

// TestGitCredentials: the credential helper of the user's configuration is asked, and its password goes nowhere else.
func TestGitCredentials(t *testing.T) {
	repo := newRepository(t)
	repo.commit("v1.0.0", map[string]string{"main.kplan.hcl": ""})
	proxied := guarded(t, repo)
	config := filepath.Join(t.TempDir(), "config")
	t.Setenv("GIT_CONFIG_GLOBAL", config)
	must(t, os.WriteFile(config, []byte("[credential]\n\thelper = \"!f() { echo username=me; echo password=hunter2secret; }; f\"\n"), 0o600))
	dir := t.TempDir()
	initialize(t, dir, modules.Options{Cache: t.TempDir()}, call(t, "git::"+proxied+"/team/modules.git", "1.0.0"))
	if strings.Contains(read(t, dir, modules.LockFile), "hunter2") {
		t.Error("the lock file has the password")
	}
	must(t, os.WriteFile(config, []byte("[credential]\n\thelper = \"!f() { echo username=me; echo password=wrong; }; f\"\n"), 0o600))
	failsWith(t, modules.Options{}, call(t, "git::"+proxied+"/team/modules.git", "1.0.0"), "the server refuses the credentials "+
		"that git has for it")
	must(t, os.WriteFile(config, nil, 0o600))
	askpass := filepath.Join(t.TempDir(), "askpass")
	must(t, os.WriteFile(askpass, []byte("#!/bin/sh\ncase \"$1\" in U*) echo me;; *) echo hunter2secret;; esac\n"), 0o755))
	t.Setenv("GIT_ASKPASS", askpass)
	initialize(t, t.TempDir(), modules.Options{Cache: t.TempDir()}, call(t, "git::"+proxied+"/team/modules.git", "1.0.0"))
}

// TestNoGit: without the program there is an error that says so.
func TestNoGit(t *testing.T) {
	failsWith(t, modules.Options{Git: git.Options{Program: "no-such-program"}}, call(t, "git::https://host.example/a.git", ""),
		"it takes the git program, which is not installed here, or in no directory of PATH")
}

// TestGitInterrupted: the end of the context ends git and what git has started.
func TestGitInterrupted(t *testing.T) {
	began := make(chan struct{}, 10)
	address := answers(t, func(_ http.ResponseWriter, r *http.Request) {
		began <- struct{}{}
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-began; cancel() }()
	begun := time.Now()
	r := open(t, t.TempDir(), modules.Options{Cache: t.TempDir(), LockMode: modules.Update})
	_, diags := r.Resolve(ctx, call(t, "git::"+address+"/repo.git", ""))
	if !diags.HasErrors() || time.Since(begun) > 20*time.Second {
		t.Errorf("after %s: %v", time.Since(begun), diags)
	}
}

// TestLargeRepository: a fetch that brings too much ends.
func TestLargeRepository(t *testing.T) {
	repo := newRepository(t)
	noise := make([]byte, 8<<20)
	for i, x := 0, uint32(1); i < len(noise); i++ {
		x = x*1664525 + 1013904223
		noise[i] = byte(x >> 24)
	}
	repo.commit("", map[string]string{"main.kplan.hcl": "", "noise": string(noise)})
	o := modules.Options{Git: git.Options{MaxSize: 1 << 20}}
	failsWith(t, o, call(t, "git::"+repo.address, ""), "the repository is too large: more than 1 MiB were sent for one commit")
}

// TestLargeTree: a commit with more than a module may have is not written.
func TestLargeTree(t *testing.T) {
	repo := newRepository(t)
	files := map[string]string{"main.kplan.hcl": ""}
	for i := range 5 {
		files[fmt.Sprintf("zeros%d", i)] = strings.Repeat("0", 14<<20)
	}
	repo.commit("", files)
	failsWith(t, modules.Options{}, call(t, "git::"+repo.address, ""), "its files have more than 64 MiB together")
}

// TestGitNames: what a repository does not have.
func TestGitNames(t *testing.T) {
	repo := newRepository(t)
	source := "git::" + repo.address
	failsWith(t, modules.Options{}, call(t, source, ""), "it is no git repository, or an empty one")
	failsWith(t, modules.Options{}, call(t, source, "~> 1.0"), "has no version that ~> 1.0 allows: none of its tags has three "+
		"numbers, as v1.4.2 has.")
	repo.commit("v1.0.0", map[string]string{"main.kplan.hcl": ""})
	repo.commit("v1.1.0", map[string]string{"main.kplan.hcl": "#"})
	repo.run(repo.dir, "push", "--quiet", repo.bare, "HEAD:refs/heads/v1.0.0", "HEAD:refs/pull/7/head")
	failsWith(t, modules.Options{}, call(t, source, "~> 2.0"), "has no version that ~> 2.0 allows. There are 1.1.0 and 1.0.0.")
	failsWith(t, modules.Options{}, call(t, source+"?ref=none", ""), `it has no branch and no tag "none".`)
	failsWith(t, modules.Options{}, call(t, source+"?ref=0123abcd", ""), `it has no branch and no tag "0123abcd". A commit is written in full, with 40 digits.`)
	failsWith(t, modules.Options{}, call(t, source+"?ref="+commit, ""), "the repository does not have that commit, on no branch "+
		"and under no tag")
	failsWith(t, modules.Options{}, call(t, source+"?ref=v1.0.0", ""), `"v1.0.0" is a tag and a branch, of different commits. Write ref=refs/tags/v1.0.0 `+
		"or ref=refs/heads/v1.0.0")
	initialize(t, t.TempDir(), modules.Options{Cache: t.TempDir()},
		call(t, source+"?ref=refs/heads/v1.0.0", ""), call(t, source+"?ref=refs/pull/7/head", ""))
}
