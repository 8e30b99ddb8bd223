package modules_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"

	"kplan.dev/kplan/hclspec/modules"
	"kplan.dev/kplan/hclspec/modules/oci"
)

// newRegistry serves an empty registry, and returns the source of a module in it. What is wrapped around it may answer instead.
func newRegistry(t testing.TB, wrap func(http.Handler) http.Handler) (source string) {
	t.Helper()
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	return newRegistryAt(t, wrap)
}

// newRegistryAt is newRegistry for tests that run beside others: nobody is logged in.
func newRegistryAt(t testing.TB, wrap func(http.Handler) http.Handler) (source string) {
	t.Helper()
	handler := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	if wrap != nil {
		handler = wrap(handler)
	}
	return serve(t, handler)
}

func serve(t testing.TB, handler http.Handler) (source string) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return "oci://" + strings.TrimPrefix(server.URL, "http://") + "/team/app"
}

// login is docker login.
func login(t testing.TB, host, user, password string) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("DOCKER_CONFIG", dir)
	text := fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, host, base64.StdEncoding.EncodeToString([]byte(user+":"+password)))
	must(t, os.WriteFile(filepath.Join(dir, "config.json"), []byte(text), 0o600))
}

func pack(t testing.TB, files map[string]string) *modules.Package {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		must(t, os.WriteFile(path, []byte(text), 0o644))
	}
	packed, err := modules.Pack(dir)
	must(t, err)
	return packed
}

// push publishes files as a module.
func push(t testing.TB, source, tag string, files map[string]string) *oci.Repository {
	t.Helper()
	repository, err := oci.At(strings.TrimPrefix(source, "oci://"), oci.Options{})
	must(t, err)
	annotations := map[string]string{"org.opencontainers.image.created": "2026-01-01T00:00:00Z"}
	_, err = repository.Push(t.Context(), pack(t, files).Archive, tag, annotations)
	must(t, err)
	return repository
}

func TestOCI(t *testing.T) {
	source := newRegistry(t, nil)
	for _, version := range []string{"1.2.0", "v1.3.0", "1.10.0", "2.0.0-rc.1", "latest", "1.3"} {
		push(t, source, version, map[string]string{"main.kplan.hcl": "# " + version + "\n", "sub/a.kplan.hcl": "# sub\n"})
	}
	for _, c := range []struct{ source, version, text string }{
		{source, "~> 1.2.0", "# 1.2.0\n"},
		{source, "1.3.0", "# v1.3.0\n"},
		{source, "~> 1.2", "# 1.10.0\n"},
		{source, "", "# 1.10.0\n"},
		{source, "2.0.0-rc.1", "# 2.0.0-rc.1\n"},
	} {
		t.Run(c.version, func(t *testing.T) {
			dir, cache := t.TempDir(), t.TempDir()
			all, _ := initialize(t, dir, modules.Options{Cache: cache}, call(t, c.source, c.version), call(t, c.source+"//sub", c.version))
			if got := read(t, all[0].Dir, "main.kplan.hcl"); got != c.text {
				t.Errorf("it is %q", got)
			}
			if got := read(t, all[1].Dir, "a.kplan.hcl"); got != "# sub\n" {
				t.Errorf("in the directory is %q", got)
			}
			again, diags := open(t, dir, modules.Options{Cache: cache, Offline: true}).Resolve(t.Context(), call(t, c.source, c.version))
			noErrors(t, diags)
			elsewhere, diags := open(t, dir, modules.Options{Cache: t.TempDir()}).Resolve(t.Context(), call(t, c.source, c.version))
			noErrors(t, diags)
			if again.Dir != all[0].Dir || elsewhere.Hash != all[0].Hash {
				t.Errorf("later it is %s", elsewhere.Hash)
			}
		})
	}
}
