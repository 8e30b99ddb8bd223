//go:build unix

package faulttest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"kplan.dev/kplan/internal/faulttest"
)

// phase is a part of a run in which the server may go away.
type phase struct {
	name  string
	fault faulttest.Fault // which call it goes with
	args  []string
	waits bool // for an object that never gets ready
}

func phases() []phase {
	apply := []string{"apply", "-auto-approve", "-wait-timeout=10m"}
	return []phase{
		{"plan", faulttest.Fault{Verb: "dry-run", Nth: 5}, []string{"plan"}, false},
		{"plan destroy", faulttest.Fault{Verb: "list", Nth: 2}, []string{"plan", "-destroy"}, false},
		{"create", faulttest.Fault{Verb: "create", Nth: 20}, apply, false},
		{"update", faulttest.Fault{Verb: "update", Nth: 5}, apply, false},
		{"delete", faulttest.Fault{Verb: "delete", Nth: 12}, apply, false},
		{"destroy", faulttest.Fault{Verb: "delete", Nth: 7}, []string{"destroy", "-auto-approve"}, false},
		{"wait", faulttest.Fault{Verb: "watch", Resource: "pods", Nth: 1}, apply, true},
	}
}

// outages are the ways in which a server becomes unavailable, and what kplan reports of
// each.
func outages() map[string]struct {
	fault faulttest.Fault
	says  string
} {
	return map[string]struct {
		fault faulttest.Fault
		says  string
	}{
		"gone":   {faulttest.Fault{Do: faulttest.Vanish}, "Cluster unreachable"},
		"silent": {faulttest.Fault{Do: faulttest.Delay, Delay: time.Hour}, "Request timed out"},
		"closed": {faulttest.Fault{Do: faulttest.Answer, Status: 401, Reason: "Unauthorized", Message: "Unauthorized"},
			"Credentials not accepted"},
	}
}

// longestGoodbye is how long a run may go on after its server has gone away: half a minute
// of retries, and what was in progress besides.
const longestGoodbye = 75 * time.Second

// TestServerGoesAway has the server go away in the middle, for good: nothing new starts,
// and there is one error, however many objects were in progress.
func TestServerGoesAway(t *testing.T) {
	r := newRig(t)
	for how, outage := range outages() {
		for i, phase := range phases() {
			if !*torture && how == "silent" && i%3 != 2 {
				continue
			}
			t.Run(phase.name+"/"+how, func(t *testing.T) {
				t.Parallel()
				x := r.newTrial(t)
				x.setUpCrash()
				x.appendHCL("kplan {\n  cluster {\n    request_timeout = \"12s\"\n  }\n}\n")
				if phase.waits {
					x.appendHCL(fmt.Sprintf(neverReady, x.namespace))
				}
				fault := outage.fault
				fault.Verb, fault.Resource, fault.Nth = phase.fault.Verb, phase.fault.Resource, phase.fault.Nth
				fault.When, fault.Rest = faulttest.Before, true
				x.proxy.Arm(fault)
				run := x.kplan(phase.args...)
				if len(x.proxy.Hit()) == 0 {
					t.Fatalf("the server did not go away: %v", run)
				}
				if run.Code != 1 || run.Elapsed > longestGoodbye {
					t.Errorf("it should end with 1, not with %d after %s", run.Code, run.Elapsed)
				}
				if n := strings.Count(run.Stderr, "Error: "); n != 1 {
					t.Errorf("it should report one error, not %d", n)
				}
				if !regexp.MustCompile(outage.says).MatchString(run.Stderr) || !strings.Contains(unframed(run.Stderr), x.proxy.Address) {
					t.Errorf("it should report %q and name %s", outage.says, x.proxy.Address)
				}
				if t.Failed() || testing.Verbose() {
					t.Log(run)
				}
				x.must(x.proxy.Return())
				x.checkNoneLost()
				x.checkLockFree()
				x.checkBystanders()
				if !phase.waits {
					x.checkConverges("")
				}
			})
		}
	}
}

// TestServerReturns has the server go away in the middle and come back while it is
// waited for: the run succeeds.
func TestServerReturns(t *testing.T) {
	r := newRig(t)
	for _, phase := range phases() {
		if phase.waits {
			continue // it does not come back
		}
		t.Run(phase.name, func(t *testing.T) {
			t.Parallel()
			x := r.newTrial(t)
			x.setUpCrash()
			fault := phase.fault
			fault.When, fault.Do, fault.Rest = faulttest.Before, faulttest.Vanish, true
			x.proxy.Arm(fault)
			process := x.start(nil, phase.args...)
			x.waitForHit()
			time.Sleep(5 * time.Second)
			x.must(x.proxy.Return())
			if run := x.end(process); run.Code != 0 {
				t.Errorf("the server was gone for five seconds only: %v", run)
			}
			x.checkOrderly()
			x.checkConverges("")
		})
	}
}

// unframed is what kplan prints without the frames around it and in one line.
func unframed(text string) string {
	return strings.Join(strings.Fields(strings.NewReplacer("│", "", "╷", "", "╵", "").Replace(text)), " ")
}

// TestCredentialsEnd has the server refuse a token in the middle of an apply. The plugin
// that issued it is called once more, and the run goes on if it issues a valid one;
// otherwise it shuts down in order, with one error.
func TestCredentialsEnd(t *testing.T) {
	r := newRig(t)
	for name, test := range map[string]struct {
		times   int    // of refusals, 0 for ever
		renewal string // what the plugin does when it is asked again
		code    int
		says    string
	}{
		"renewed":             {times: 1, renewal: "true", code: 0},
		"refused again":       {renewal: "true", code: 1, says: "Credentials not accepted"},
		"plugin fails by now": {times: 1, renewal: "echo the session has expired >&2; exit 1", code: 1, says: "the session has expired"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := r.newTrial(t)
			x.setUpCrash()
			elsewhere := t.TempDir() // a plugin named in the working directory would not be run
			runs := filepath.Join(elsewhere, "runs")
			plugin := filepath.Join(elsewhere, "plugin")
			x.must(os.WriteFile(plugin, fmt.Appendf(nil, `#!/bin/sh
if [ -e %[1]s ]; then echo >> %[1]s; %[2]s; else echo > %[1]s; fi
echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"some"}}'
`, runs, test.renewal), 0o700))
			kubeconfig, err := clientcmd.LoadFromFile(x.proxy.Kubeconfig)
			x.must(err)
			kubeconfig.AuthInfos["proxy"] = &api.AuthInfo{Exec: &api.ExecConfig{
				APIVersion: "client.authentication.k8s.io/v1", Command: plugin, InteractiveMode: api.NeverExecInteractiveMode,
			}}
			path := filepath.Join(elsewhere, "kubeconfig")
			x.must(clientcmd.WriteToFile(*kubeconfig, path))

			fault := faulttest.Fault{Verb: "create", Nth: 15, Times: test.times, When: faulttest.Before,
				Do: faulttest.Answer, Status: 401, Reason: "Unauthorized", Message: "Unauthorized"}
			fault.Rest = test.times == 0
			x.proxy.Arm(fault)
			run := x.end(x.start([]string{"KUBECONFIG=" + path}, "apply", "-auto-approve"))
			if run.Code != test.code || strings.Count(run.Stderr, "Error: ") != test.code || !strings.Contains(unframed(run.Stderr), test.says) {
				t.Errorf("it should end with %d and report %q once: %v", test.code, test.says, run)
			}
			asked, err := os.ReadFile(runs)
			x.must(err)
			if len(asked) != 2 {
				t.Errorf("the plugin was asked %d times, not twice", len(asked))
			}
			x.checkOrderly()
			x.checkConverges("")
		})
	}
}
