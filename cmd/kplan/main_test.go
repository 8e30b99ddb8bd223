package main

import (
	"flag"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"kplan.dev/kplan/internal/schematest"
	"kplan.dev/kplan/state"
)

var update = flag.Bool("update", false, "write what kplan prints into the scripts")

func TestMain(m *testing.M) {
	_ = flag.Set("test.parallel", "4") // much of their time scripts wait; -parallel on the command line comes later
	testscript.Main(m, map[string]func(){"kplan": main})
}

// TestScript runs the scripts, each of which is a session of a user. A script
// that says [!cluster] skip needs a control plane: make test provides one in
// KPLAN_TEST_KUBECONFIG, and insists on it with KPLAN_TEST_REQUIRE_CLUSTER.
func TestScript(t *testing.T) {
	kubeconfig := os.Getenv("KPLAN_TEST_KUBECONFIG")
	if kubeconfig == "" && os.Getenv("KPLAN_TEST_REQUIRE_CLUSTER") != "" {
		t.Fatal("KPLAN_TEST_REQUIRE_CLUSTER is set, and KPLAN_TEST_KUBECONFIG is not: there is no cluster to test with")
	}
	if kubeconfig == "" {
		t.Log("KPLAN_TEST_KUBECONFIG is not set: scripts that need a cluster are skipped. make test starts one.")
	}
	testscript.Run(t, testscript.Params{
		Dir:                "testdata/script",
		Setup:              func(env *testscript.Env) error { return setUp(env, kubeconfig) },
		Condition:          func(name string) (bool, error) { return condition(name, kubeconfig) },
		Cmds:               scriptCommands(),
		UpdateScripts:      *update,
		RequireUniqueNames: true,
	})
}

// setUp gives a script a cluster, a name of its own in it, which is also
// var.ns, and an environment that nothing from outside leaks into.
func setUp(env *testscript.Env, kubeconfig string) error {
	name := prefix(filepath.Base(env.WorkDir))
	env.Setenv("NS", name)
	env.Setenv("KPLAN_VAR_ns", name)
	env.Setenv("NO_COLOR", "")
	examples, err := filepath.Abs(filepath.Join("..", "..", "examples"))
	if err != nil {
		return err
	}
	env.Setenv("EXAMPLES", examples)
	env.Setenv("KUBECONFIG", filepath.Join(env.WorkDir, "no-kubeconfig"))
	if kubeconfig == "" {
		return nil
	}
	content, err := os.ReadFile(kubeconfig)
	if err != nil {
		return err
	}
	env.Setenv("AUDIT_FROM", auditSize())
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }))
	env.Defer(plain.Close)
	env.Setenv("PLAIN_HTTP", plain.URL)
	env.Setenv("PLAIN_HTTP_AS_TLS", strings.Replace(plain.URL, "http", "https", 1))
	own := filepath.Join(env.WorkDir, ".kubeconfig")
	env.Setenv("KUBECONFIG", own)
	return os.WriteFile(own, content, 0o600)
}

// prefix is what the names of a script's namespaces begin with.
func prefix(workDir string) string {
	name := strings.TrimPrefix(workDir, "script-")
	name = regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.ToLower(name), "-")
	return fmt.Sprintf("t%d-%s", os.Getpid(), strings.Trim(name, "-"))
}

func condition(name, kubeconfig string) (bool, error) {
	switch name {
	case "cluster":
		return kubeconfig != "", nil
	case "torture":
		return os.Getenv("KPLAN_TORTURE") != "", nil
	}
	if of := moreConditions[name]; of != nil {
		return of()
	}
	return false, fmt.Errorf("unknown condition %q", name)
}

// moreConditions are whether there are servers of other kinds.
var moreConditions = map[string]func() (bool, error){}

// scriptCommands are what scripts can do besides testscript's own commands.
func scriptCommands() map[string]scriptCommand {
	commands := map[string]scriptCommand{
		"kubectl":     kubectl,
		"lineage":     lineage,
		"appears":     appears,
		"exitcode":    exitCodeOf,
		"mutations":   mutations,
		"says":        says,
		"stateserver": stateServer,
		"signalled":   signalled,
		"stream":      stream,
	}
	maps.Copy(commands, moreScriptCommands)
	return commands
}

type scriptCommand = func(ts *testscript.TestScript, neg bool, args []string)

// moreScriptCommands are those that not every system has.
var moreScriptCommands = map[string]scriptCommand{}

// kubectl runs kubectl in the script's environment; stdout and stderr are
// compared as with exec.
func kubectl(ts *testscript.TestScript, neg bool, args []string) {
	path, err := exec.LookPath("kubectl")
	ts.Check(err)
	err = ts.Exec(path, args...)
	if neg == (err == nil) {
		ts.Fatalf("kubectl %s: %v", strings.Join(args, " "), err)
	}
}

// lineage sets a variable to the id of the stack whose state a file is:
// lineage STACK kplan.state.json.
func lineage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: lineage VARIABLE FILE")
	}
	s, err := state.Decode([]byte(ts.ReadFile(args[1])))
	ts.Check(err)
	ts.Setenv(args[0], s.Lineage)
}

// exitCodeOf runs a command and compares its exit code: exitcode 2 kplan plan.
func exitCodeOf(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exitcode CODE COMMAND...")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	if exit, ok := err.(*exec.ExitError); ok {
		code = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%s: %v", args[1], err)
	}
	if fmt.Sprint(code) != args[0] {
		ts.Fatalf("exit code %d, not %s", code, args[0])
	}
}

// says looks for a text in what went to standard error, as it reads without the
// frames around it and the breaks of its lines.
func says(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: [!] says TEXT")
	}
	plain := strings.NewReplacer("│", " ", "╷", " ", "╵", " ").Replace(ts.ReadFile("stderr"))
	plain = strings.Join(strings.Fields(plain), " ")
	if strings.Contains(plain, args[0]) == neg {
		ts.Fatalf("said: %s", plain)
	}
}

// stream holds what went to standard output against the schema of events:
// stream, or stream FILE.
func stream(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 1 {
		ts.Fatalf("usage: stream [FILE]")
	}
	ts.Check(eventSchema().CheckStream([]byte(ts.ReadFile(append(args, "stdout")[0]))))
}

var eventSchema = sync.OnceValue(func() *schematest.Schema { return schematest.MustLoad("events.schema.json") })

// appears waits until a file is there.
func appears(ts *testscript.TestScript, _ bool, files []string) {
	for _, file := range files {
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			if _, err := os.Stat(ts.MkAbs(file)); err == nil {
				break
			}
			if time.Now().After(end) {
				ts.Fatalf("%s did not appear", file)
			}
		}
	}
}
