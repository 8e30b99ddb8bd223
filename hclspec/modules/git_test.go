package modules_test

import (
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/hclspec/modules"
)

// repository is a git repository of a test, and a server that has it.
type repository struct {
	t    testing.TB
	dir  string // that is worked in
	bare string // that is served
	// address is what a source has behind git::
	address string
	handler http.Handler
}

// guarded is a server that has a repository for those who know the password.
func guarded(t testing.TB, repo *repository) (address string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, password, _ := r.BasicAuth(); password != "hunter2secret" {
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		repo.handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// newRepository serves an empty repository over HTTP, with git's own program for that.
func newRepository(t testing.TB) *repository {
	t.Helper()
	path, err := exec.LookPath("git")
	if err != nil {
		t.Skip("git is not installed")
	}
	root := t.TempDir()
	r := &repository{t: t, dir: filepath.Join(root, "work"), bare: filepath.Join(root, "served", "team", "modules.git")}
	r.run("", "init", "--quiet", "--bare", "--initial-branch=main", r.bare)
	r.run("", "init", "--quiet", "--initial-branch=main", r.dir)
	r.handler = &cgi.Handler{
		Path: path, Args: []string{"http-backend"}, Dir: root,
		Env: []string{"GIT_PROJECT_ROOT=" + filepath.Join(root, "served"), "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_GLOBAL=" + os.DevNull},
	}
	server := httptest.NewServer(r.handler)
	t.Cleanup(server.Close)
	r.address = server.URL + "/team/modules.git"
	return r
}

func (r *repository) run(dir string, args ...string) string {
	r.t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=a",
		"GIT_AUTHOR_EMAIL=a@b.example", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b.example")
	out, err := cmd.CombinedOutput()
	if err != nil {
		r.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit writes files, commits and publishes them, under a tag if there is one. It returns the commit.
func (r *repository) commit(tag string, files map[string]string) string {
	r.t.Helper()
	r.write(files)
	r.run(r.dir, "add", "--all", "--force")
	return r.publish(tag)
}

func (r *repository) write(files map[string]string) {
	r.t.Helper()
	for name, text := range files {
		path := filepath.Join(r.dir, name)
		must(r.t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(r.t, os.WriteFile(path, []byte(text), 0o644))
	}
}

func (r *repository) publish(tag string) string {
	r.t.Helper()
	r.run(r.dir, "commit", "--quiet", "--allow-empty", "-m", "x")
	if tag != "" {
		r.run(r.dir, "tag", "--force", "-m", tag, tag)
	}
	r.run(r.dir, "push", "--quiet", "--force", "--tags", r.bare, "HEAD")
	return r.run(r.dir, "rev-parse", "HEAD")
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func noErrors(t testing.TB, diags hcl.Diagnostics) {
	t.Helper()
	if diags.HasErrors() {
		t.Fatal(diags)
	}
}

// call is a call of a source, at a place of its own for each argument.
func call(t testing.TB, source, version string) modules.Call {
	t.Helper()
	s, err := modules.ParseSource(source)
	must(t, err)
	c, err := modules.ParseConstraint(version)
	must(t, err)
	return modules.Call{Source: s, Version: c, At: hcl.Range{Filename: "main.kplan.hcl", Start: hcl.Pos{Line: 2}},
		VersionAt: hcl.Range{Filename: "main.kplan.hcl", Start: hcl.Pos{Line: 3}}}
}

func open(t testing.TB, dir string, o modules.Options) *modules.Resolver {
	t.Helper()
	r, diags := modules.Open(dir, o)
	noErrors(t, diags)
	return r
}

// initialize is what kplan init does.
func initialize(t testing.TB, dir string, o modules.Options, calls ...modules.Call) ([]*modules.Resolved, []modules.Change) {
	t.Helper()
	o.LockMode = modules.Update
	r := open(t, dir, o)
	var all []*modules.Resolved
	for _, c := range calls {
		resolved, diags := r.Resolve(t.Context(), c)
		noErrors(t, diags)
		all = append(all, resolved)
	}
	changes, diags := r.Save()
	noErrors(t, diags)
	return all, changes
}

func read(t testing.TB, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(path...))
	must(t, err)
	return string(text)
}

func TestGit(t *testing.T) {
	repo := newRepository(t)
	first := repo.commit("v1.2.0", map[string]string{"modules/app/main.kplan.hcl": "# 1.2.0\n", "modules/base/main.kplan.hcl": "# base\n"})
	repo.commit("v1.3.0", map[string]string{"modules/app/main.kplan.hcl": "# 1.3.0\n"})
	repo.commit("v2.0.0-rc.1", map[string]string{"modules/app/main.kplan.hcl": "# 2.0.0-rc.1\n"})
	head := repo.commit("", map[string]string{"modules/app/main.kplan.hcl": "# head\n"})
	source := "git::" + repo.address + "//modules/app"
	for _, c := range []struct{ source, version, text, revision, display string }{
		{source + "?ref=v1.2.0", "", "# 1.2.0\n", first, source + "@v1.2.0"},
		{source, "~> 1.2", "# 1.3.0\n", "", ""},
		{source, "< 1.3", "# 1.2.0\n", first, ""},
		{source, "2.0.0-rc.1", "# 2.0.0-rc.1\n", "", ""},
		{source, "", "# head\n", head, ""},
		{source + "?ref=main", "", "# head\n", head, ""},
		{source + "?ref=" + first, "", "# 1.2.0\n", first, ""},
		{source + "?ref=refs/tags/v1.3.0", "", "# 1.3.0\n", "", ""},
	} {
		t.Run(c.source+" "+c.version, func(t *testing.T) {
			dir, cache := t.TempDir(), t.TempDir()
			all, changes := initialize(t, dir, modules.Options{Cache: cache}, call(t, c.source, c.version))
			if len(changes) != 1 {
				t.Errorf("changes: %v", changes)
			}
			if got := read(t, all[0].Dir, "main.kplan.hcl"); got != c.text || c.revision != "" && all[0].Revision != c.revision {
				t.Errorf("it is %q of %s", got, all[0].Revision)
			}
			again, diags := open(t, dir, modules.Options{Cache: cache, Offline: true}).Resolve(t.Context(), call(t, c.source, c.version))
			noErrors(t, diags)
			if again.Dir != all[0].Dir {
				t.Errorf("the next run has it in %s", again.Dir)
			}
			elsewhere, diags := open(t, dir, modules.Options{Cache: t.TempDir()}).Resolve(t.Context(), call(t, c.source, c.version))
			noErrors(t, diags)
			if elsewhere.Hash != all[0].Hash || read(t, elsewhere.Dir, "main.kplan.hcl") != c.text {
				t.Errorf("another machine has %s", elsewhere.Hash)
			}
		})
	}
}
