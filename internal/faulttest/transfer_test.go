//go:build unix

package faulttest_test

import (
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"kplan.dev/kplan/internal/faulttest"
)

var deployments = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}

// TestTransferFields breaks an update in two steps: the ownership of a field with a server
// default is transferred first, and then the update removes it. Whatever happens between
// the two, the next run brings the object to the configured state.
func TestTransferFields(t *testing.T) {
	r := newRig(t)
	for _, verb := range []string{"transfer", "update"} {
		for name, fault := range map[string]faulttest.Fault{
			"killed before":  {When: faulttest.Before, Do: faulttest.Kill},
			"killed after":   {When: faulttest.After, Do: faulttest.Kill},
			"killed replied": {When: faulttest.Replied, Do: faulttest.Kill},
			"cut":            {When: faulttest.After, Do: faulttest.Cut},
			"conflict": {When: faulttest.Before, Do: faulttest.Answer, Status: 409, Reason: "Conflict",
				Message: "the object has been modified"},
		} {
			t.Run(verb+"/"+name, func(t *testing.T) {
				t.Parallel()
				x := r.newTrial(t)
				x.writeHCL(deployment(x.namespace, ""))
				x.mustApply()
				x.writeHCL(deployment(x.namespace, `strategy { type = "Recreate" }`))
				fault.Verb, fault.Resource, fault.Nth = verb, "deployments", 1
				x.proxy.Arm(fault)
				run := x.apply()
				if len(x.proxy.Hit()) == 0 {
					t.Errorf("no %s came: %v", verb, run)
				}
				if fault.Do != faulttest.Kill && run.Code != 0 {
					t.Errorf("what could be resolved by looking failed: %v", run)
				}
				x.mustApply()
				if run := x.kplan("plan", "-detailed-exitcode"); run.Code != 0 {
					t.Errorf("there is something left to do: %v", run)
				}
				live, err := x.cluster.Resource(deployments).Namespace(x.namespace).Get(x.ctx(), "d", metav1.GetOptions{})
				x.must(err)
				strategy, _, _ := unstructured.NestedMap(live.Object, "spec", "strategy")
				if len(strategy) != 1 || strategy["type"] != "Recreate" {
					t.Errorf("the strategy is %v", strategy)
				}
			})
		}
	}
}

func deployment(namespace, strategy string) string {
	return fmt.Sprintf(`
resource "Deployment" "d" {
  metadata {
    name      = "d"
    namespace = %q
  }
  spec {
    %s
    selector { matchLabels = { app = "d" } }
    template {
      metadata { labels = { app = "d" } }
      spec {
        containers {
          name  = "c"
          image = "nginx"
        }
      }
    }
  }
}
`, namespace, strategy)
}
