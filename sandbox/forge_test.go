package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestForge: a forge starts with a user and a token, serves what kplan's tests need, and comes back with its data, at its
// address.
func TestForge(t *testing.T) {
	bin, err := filepath.Abs("../bin/sandbox")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(bin, gitea)); err != nil {
		if os.Getenv("KPLAN_TEST_REQUIRE_FORGE") != "" {
			t.Fatal(err)
		}
		t.Skip("gitea is not built: run make forge")
	}
	s := &session{t: t, dir: filepath.Join(t.TempDir(), "forge"), bin: bin}
	t.Cleanup(func() { s.try("forge", "down", "-purge") })
	s.run("forge", "up", "-bin", bin)
	f := forgeOf(t, s.dir)
	for _, r := range []struct{ method, path, body, want string }{
		{"GET", "/api/v1/user", "", `"login":"sandbox"`},
		{"POST", "/api/v1/user/repos", `{"name":"r","auto_init":true}`, `"full_name":"sandbox/r"`},
		{"GET", "/sandbox/r.git/info/refs?service=git-upload-pack", "", "refs/heads/main"},
		{"POST", "/api/v1/repos/sandbox/r/issues", `{"title":"t"}`, `"number":1`},
		{"POST", "/api/v1/repos/sandbox/r/issues/1/comments", `{"body":"a plan"}`, `"body":"a plan"`},
		{"GET", "/v2/", "", ""},
		{"POST", "/api/packages/sandbox/terraform/state/s", `{"serial":1,"lineage":"l"}`, ""},
		{"GET", "/api/packages/sandbox/terraform/state/s", "", `{"serial":1,"lineage":"l"}`},
	} {
		if got := f.ask(t, r.method, r.path, r.body); !strings.Contains(got, r.want) {
			t.Errorf("%s %s: %s", r.method, r.path, got)
		}
	}
	clone := exec.Command("git", "clone", "-q", strings.Replace(f.Address, "//", "//sandbox:"+f.Token+"@", 1)+"/sandbox/r.git", t.TempDir())
	if out, err := clone.CombinedOutput(); err != nil {
		t.Errorf("git clone: %v\n%s", err, out)
	}
	s.run("forge", "up", "-bin", bin) // it is running
	if again := forgeOf(t, s.dir); again != f {
		t.Errorf("a forge that runs was started again: %+v, %+v", f, again)
	}
	s.run("forge", "down")
	s.run("forge", "up", "-bin", bin)
	again := forgeOf(t, s.dir)
	again.Process = f.Process
	if again != f {
		t.Errorf("after a restart it is another one: %+v, %+v", f, again)
	}
	if got := f.ask(t, "GET", "/api/packages/sandbox/terraform/state/s", ""); !strings.Contains(got, `"serial":1`) {
		t.Errorf("its data is gone: %s", got)
	}
	s.run("forge", "down", "-purge")
	if _, err := os.Stat(s.dir); !os.IsNotExist(err) {
		t.Errorf("the directory is left: %v", err)
	}
	if out, code := s.try("forge", "sideways"); code != 2 {
		t.Errorf("a mistake in the command line: exit %d: %s", code, out)
	}
}

func forgeOf(t *testing.T, directory string) Forge {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(directory, "forge.json"))
	var f Forge
	if err == nil {
		err = json.Unmarshal(text, &f)
	}
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// ask sends a request as the forge's user and returns the answer, which must be a success.
func (f Forge) ask(t *testing.T, method, path, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, f.Address+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(f.User, f.Token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode/100 != 2 {
		t.Errorf("%s %s: %s", method, path, resp.Status)
	}
	return string(text)
}
