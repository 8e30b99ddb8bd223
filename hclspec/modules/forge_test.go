package modules_test

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kplan.dev/kplan/hclspec/modules"
	"kplan.dev/kplan/hclspec/modules/oci"
	"kplan.dev/kplan/internal/forgetest"
)

// onForge gives the test the user's credentials for git and for the registry of a forge, as git's credential helper and
// docker login store them.
func onForge(t *testing.T, f forgetest.Forge, token string) {
	t.Helper()
	host := strings.TrimPrefix(f.Address, "http://")
	login(t, host, f.User, token)
	dir := t.TempDir()
	store := (&url.URL{Scheme: "http", User: url.UserPassword(f.User, token), Host: host}).String() + "\n"
	must(t, os.WriteFile(filepath.Join(dir, "credentials"), []byte(store), 0o600))
	config := fmt.Sprintf("[credential]\n\thelper = store --file=%s\n", filepath.Join(dir, "credentials"))
	must(t, os.WriteFile(filepath.Join(dir, "config"), []byte(config), 0o600))
	t.Setenv("GIT_CONFIG_GLOBAL", filepath.Join(dir, "config"))
}

// TestGiteaGit: a private repository of a real forge, over HTTP, with versions.
func TestGiteaGit(t *testing.T) {
	f := forgetest.Open(t)
	onForge(t, f, f.Token)
	name := fmt.Sprintf("modules%d", time.Now().UnixNano())
	f.API(t, f.User, f.Password, http.MethodPost, "/user/repos", map[string]any{"name": name, "private": true}, nil)
	repo := newRepository(t)
	first := repo.commit("v1.0.0", map[string]string{"app/main.kplan.hcl": "# 1.0.0\n"})
	repo.commit("v1.1.0", map[string]string{"app/main.kplan.hcl": "# 1.1.0\n"})
	withToken := strings.Replace(f.Address, "://", "://"+f.User+":"+f.Token+"@", 1) + "/" + f.User + "/" + name + ".git"
	repo.run(repo.dir, "push", "--quiet", "--tags", withToken, "HEAD:refs/heads/main")
	source := "git::" + f.Address + "/" + f.User + "/" + name + ".git//app"
	dir, o := t.TempDir(), modules.Options{Cache: t.TempDir()}
	calls := []modules.Call{call(t, source, "~> 1.0"), call(t, source+"?ref="+first, ""), call(t, source+"?ref=main", "")}
	all, _ := initialize(t, dir, o, calls...)
	for i, want := range []string{"# 1.1.0\n", "# 1.0.0\n", "# 1.1.0\n"} {
		if got := read(t, all[i].Dir, "main.kplan.hcl"); got != want {
			t.Errorf("%s is %q", all[i].Display, got)
		}
	}
	if strings.Contains(read(t, dir, modules.LockFile), f.Token) {
		t.Error("the lock file has the token")
	}
	repo.commit("v1.1.0", map[string]string{"app/main.kplan.hcl": "# evil\n"})
	repo.run(repo.dir, "push", "--quiet", "--force", "--tags", withToken)
	_, diags := open(t, dir, modules.Options{Cache: t.TempDir()}).Resolve(t.Context(), calls[0])
	if got := fmt.Sprint(diags); !strings.Contains(got, "Module differs from the lock file") {
		t.Errorf("a moved tag: %s", got)
	}
	t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	failsWith(t, modules.Options{}, calls[0], "the server wants credentials, and git has none for it")
}

// TestGiteaOCI: the registry of a real forge, which wants credentials by its own token server.
func TestGiteaOCI(t *testing.T) {
	f := forgetest.Open(t)
	onForge(t, f, f.Token)
	name := fmt.Sprintf("app%d", time.Now().UnixNano())
	source := "oci://" + strings.TrimPrefix(f.Address, "http://") + "/" + strings.ToLower(f.User) + "/" + name
	to, err := modules.ParseSource(source)
	must(t, err)
	publish := func(version, text string) (modules.Published, error) {
		v, err := modules.ParseVersion(version)
		must(t, err)
		return modules.Publish(t.Context(), to, v, pack(t, map[string]string{"main.kplan.hcl": text}),
			map[string]string{"org.opencontainers.image.version": version}, oci.Options{})
	}
	for _, version := range []string{"1.4.2", "1.5.0", "2.0.0-rc.1"} {
		_, err := publish(version, "# "+version+"\n")
		must(t, err)
	}
	if again, err := publish("1.4.2", "# 1.4.2\n"); err != nil || !again.Existed {
		t.Errorf("published again: %v, %v", again, err)
	}
	if _, err := publish("1.4.2", "# other\n"); err == nil || !strings.Contains(err.Error(), "version 1.4.2 is there already, "+
		"with other files") {
		t.Errorf("other files: %v", err)
	}
	dir, o := t.TempDir(), modules.Options{Cache: t.TempDir()}
	all, _ := initialize(t, dir, o, call(t, source, "~> 1.4"))
	if all[0].Version != "1.5.0" || read(t, all[0].Dir, "main.kplan.hcl") != "# 1.5.0\n" {
		t.Errorf("it is %s", all[0].Display)
	}
	r := open(t, dir, modules.Options{Cache: t.TempDir()})
	_, diags := r.Resolve(t.Context(), call(t, source, "~> 1.4"))
	noErrors(t, diags)
	if newer, err := r.Newer(t.Context(), call(t, source, "1.4.2"), "1.4.2"); err != nil || newer.Allowed != "" || newer.Newest != "1.5.0" {
		t.Errorf("newer are %+v, %v", newer, err)
	}
	// Somebody deletes the version and publishes other files under its number.
	f.API(t, f.User, f.Password, http.MethodDelete, "/packages/"+f.User+"/container/"+name+"/1.5.0", nil, nil)
	replaced, err := publish("1.5.0", "# evil\n")
	must(t, err)
	_, diags = open(t, dir, modules.Options{Cache: t.TempDir()}).Resolve(t.Context(), call(t, source, "~> 1.4"))
	if got := fmt.Sprint(diags); !strings.Contains(got, "Module differs from the lock file") || !strings.Contains(got, replaced.Digest) {
		t.Errorf("a package that was replaced: %s", got)
	}
	failsWith(t, modules.Options{}, call(t, source+"none", ""), "the registry has no such module, or these credentials may not read it")
	login(t, strings.TrimPrefix(f.Address, "http://"), f.User, "wrong")
	failsWith(t, modules.Options{}, call(t, source, ""), "the registry wants credentials, or does not accept those that it got")
}
