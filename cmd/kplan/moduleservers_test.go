//go:build unix

package main

import (
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/rogpeppe/go-internal/testscript"

	"kplan.dev/kplan/internal/forgetest"
)

func init() {
	moreScriptCommands["registry"] = registryCommand
	moreScriptCommands["gitserver"] = gitServerCommand
	moreScriptCommands["publish"] = publishCommand
	moreScriptCommands["fill"] = fillCommand
}

// registryCommand starts an empty OCI registry, whose address is then in $REGISTRY: registry. With an argument it is a namespace of
// a real one, in the forge of KPLAN_TEST_FORGE, if that is set: registry forge.
func registryCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 1 || len(args) == 1 && args[0] != "forge" {
		ts.Fatalf("usage: registry [forge]")
	}
	ts.Setenv("DOCKER_CONFIG", ts.MkAbs("docker-config"))
	ts.Setenv("KPLAN_CACHE_DIR", ts.MkAbs("cache"))
	if path := os.Getenv("KPLAN_TEST_FORGE"); path != "" && len(args) == 1 {
		f, err := forgetest.Read(path)
		ts.Check(err)
		host := strings.TrimPrefix(f.Address, "http://")
		ts.Check(os.Mkdir(ts.MkAbs("docker-config"), 0o700))
		config := fmt.Sprintf(`{"auths": {%q: {"auth": %q}}}`, host, base64.StdEncoding.EncodeToString([]byte(f.User+":"+f.Token)))
		ts.Check(os.WriteFile(ts.MkAbs("docker-config/config.json"), []byte(config), 0o600))
		ts.Setenv("REGISTRY", host+"/"+strings.ToLower(f.User)+"/"+ts.Getenv("NS"))
		return
	}
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	ts.Defer(server.Close)
	ts.Setenv("REGISTRY", strings.TrimPrefix(server.URL, "http://"))
}

// gitServerCommand serves an empty repository over HTTP, whose address is then in $REPOSITORY: gitserver.
func gitServerCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: gitserver")
	}
	path, err := exec.LookPath("git")
	ts.Check(err)
	root := ts.MkAbs(".served")
	runGit(ts, ".", "init", "--quiet", "--bare", "--initial-branch=main", filepath.Join(root, "modules.git"))
	server := httptest.NewServer(&cgi.Handler{
		Path: path, Args: []string{"http-backend"}, Dir: root, Env: []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1"},
	})
	ts.Defer(server.Close)
	ts.Setenv("REPOSITORY", server.URL+"/modules.git")
	ts.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	ts.Setenv("KPLAN_CACHE_DIR", ts.MkAbs("cache"))
}

// publishCommand commits a directory to that repository, and tags it: publish DIRECTORY TAG.
func publishCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: publish DIRECTORY TAG")
	}
	dir := ts.MkAbs(args[0])
	if _, err := os.Stat(filepath.Join(dir, ".git")); err != nil {
		runGit(ts, dir, "init", "--quiet", "--initial-branch=main")
	}
	runGit(ts, dir, "add", "--all")
	runGit(ts, dir, "commit", "--quiet", "--allow-empty", "-m", args[1])
	runGit(ts, dir, "tag", "--force", args[1])
	runGit(ts, dir, "push", "--quiet", "--force", "--tags", ts.MkAbs(".served/modules.git"), "HEAD")
}

func runGit(ts *testscript.TestScript, dir string, args ...string) {
	cmd := exec.Command("git", args...)
	cmd.Dir = ts.MkAbs(dir)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=a",
		"GIT_AUTHOR_EMAIL=a@b.example", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b.example")
	if out, err := cmd.CombinedOutput(); err != nil {
		ts.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

// fillCommand writes a file from one in which variables of the environment stand: fill FROM TO.
func fillCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: fill FROM TO")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(os.Expand(ts.ReadFile(args[0]), ts.Getenv)), 0o644))
}
