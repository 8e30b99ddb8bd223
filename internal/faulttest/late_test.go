//go:build unix

package faulttest_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"kplan.dev/kplan/internal/faulttest"
)

// TestCreationArrivesLate kills kplan while a creation is still in flight: the next run
// finds nothing, plans to create the object, and then meets the one that has arrived
// meanwhile. It has this stack's label, and is managed from then on.
func TestCreationArrivesLate(t *testing.T) {
	r := newRig(t)
	t.Parallel()
	x := r.newTrial(t)
	x.write(faulttest.Stack{{Kind: "ConfigMap", Name: "a"}})
	// The call outlives the run that sent it, as in the queue of a balancer.
	x.proxy.Arm(faulttest.Fault{Verb: "create", Nth: 1, When: faulttest.Before, Do: faulttest.Hold})
	process := x.start(nil, "apply", "-auto-approve")
	x.waitForCalls("create", 1)
	process.Process.Signal(syscall.SIGKILL)
	x.end(process)
	released := false
	x.proxy.Before(func(c faulttest.Call) {
		if c.Verb == "create" && !released {
			released = true
			x.proxy.Release()
			time.Sleep(300 * time.Millisecond)
		}
	})
	run := x.kplan("apply", "-auto-approve")
	x.proxy.Before(nil)
	if !released || run.Code != 0 {
		t.Errorf("it should manage what arrived late (%v): %v", released, run)
	}
	x.checkConverges("")
}

// TestOwnObjectNotInState loses the state of an object of this stack: it is managed again,
// and not reported as somebody else's. A copy of it by somebody else is not managed.
func TestOwnObjectNotInState(t *testing.T) {
	r := newRig(t)
	t.Parallel()
	x := r.newTrial(t)
	x.write(faulttest.Stack{{Kind: "ConfigMap", Name: "a"}, {Kind: "ConfigMap", Name: "b"}})
	x.mustApply()
	if run := x.kplan("state", "rm", "-offline", "ConfigMap.a", "ConfigMap.b"); run.Code != 0 {
		t.Fatal(run)
	}
	x.checkConvergesAfterCopy("b")
}

// checkConvergesAfterCopy has somebody else delete one object and create a copy.
func (x *trial) checkConvergesAfterCopy(name string) {
	x.Helper()
	copied := x.get("configmaps", name)
	x.deleteObject("configmaps", name)
	copied.SetUID("")
	copied.SetResourceVersion("")
	copied.SetManagedFields(nil)
	x.create("configmaps", copied)
	run := x.apply()
	if run.Code != 1 || !strings.Contains(run.Stderr, "already exists") {
		x.Errorf("a copy was not refused: %v", run)
	}
	x.deleteObject("configmaps", name)
	x.checkConverges("")
}

const definition = `resource "CustomResourceDefinition" "d" {
  metadata { name = "things.GROUP" }
  spec {
    group = "GROUP"
    scope = "Namespaced"
    names {
      plural = "things"
      kind = "Thing"
    }
    versions {
      name = "v1"
      served = true
      storage = true
      schema { openAPIV3Schema = { type = "object", properties = { spec = { type = "object", properties = { size = { type = "integer" } } } } } }
    }
  }
}
resource "Thing" "t" {
  apiVersion = "GROUP/v1"
  metadata {
    name = "t"
    namespace = "NAMESPACE"
  }
  spec { size = 1 }
  depends_on = [CustomResourceDefinition.d]
}
`

// TestKilledBeforeKindIsServed kills kplan around the creation of a definition of which
// objects are pending: that their kind is not known must not keep the next run from
// creating it.
func TestKilledBeforeKindIsServed(t *testing.T) {
	r := newRig(t)
	for _, when := range []faulttest.When{faulttest.Before, faulttest.After, faulttest.Replied} {
		t.Run(string(when), func(t *testing.T) {
			t.Parallel()
			x := r.newTrial(t)
			group := fmt.Sprintf("%s.faulttest.kplan.dev", x.namespace)
			x.writeHCL(strings.NewReplacer("GROUP", group, "NAMESPACE", x.namespace).Replace(definition))
			x.proxy.Arm(faulttest.Fault{Verb: "create", Resource: "customresourcedefinitions", Nth: 1, When: when, Do: faulttest.Kill})
			if run := x.apply(); run.Signal != syscall.SIGKILL {
				t.Errorf("not killed: %v", run)
			}
			x.proxy.Arm()
			for _, command := range [][]string{{"apply", "-auto-approve"}, {"plan", "-detailed-exitcode"}, {"destroy", "-auto-approve"}} {
				if run := x.kplan(command...); run.Code != 0 {
					t.Errorf("the run after: %v", run)
				}
			}
			if s := x.state(); len(s.Pending)+len(s.Objects) != 0 {
				t.Errorf("after all was destroyed the state has %s", printed(s))
			}
		})
	}
}
