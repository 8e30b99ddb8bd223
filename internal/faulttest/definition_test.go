//go:build unix

package faulttest_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"kplan.dev/kplan/internal/faulttest"
)

const thing = `resource "Thing" "a" {
  apiVersion = "GROUP/v1"
  metadata {
    name      = "a"
    namespace = "NAMESPACE"
  }
  spec { size = SIZE }
}
`

// TestDefinitionChanged changes the schema of a custom kind between a plan and its apply:
// a number must now be a string.
func TestDefinitionChanged(t *testing.T) {
	r := newRig(t)
	for _, d := range []struct {
		name, before, after, verb string
		saved, inFlight           outcome
		options                   []string
	}{
		{"create", "", "2", "create", refuses, refuses, nil},
		{"update", "1", "2", "update", refuses, refuses, nil},
		{"delete", "1", "", "delete", does, does, nil},
		{"replace", "1", "2", "delete", refuses, refuses, []string{"-replace=Thing.a"}},
	} {
		for _, saved := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/saved %v", d.name, saved), func(t *testing.T) {
				t.Parallel()
				x := r.newTrial(t)
				group := x.namespace + ".faulttest.kplan.dev"
				x.define(group, "integer")
				x.writeThing(group, d.before)
				x.mustApply()
				x.writeThing(group, d.after)
				want, args := d.inFlight, append([]string{"apply", "-auto-approve"}, d.options...)
				if saved {
					want, args = d.saved, []string{"apply", "saved.plan"}
					if run := x.kplan(append([]string{"plan", "-out=saved.plan"}, d.options...)...); run.Code != 0 {
						t.Fatal(run)
					}
					x.define(group, "string")
				} else {
					var once sync.Once
					x.proxy.Before(func(c faulttest.Call) {
						if c.Verb == d.verb && c.Resource == "things" {
							once.Do(func() { x.define(group, "string") })
						}
					})
				}
				run := x.kplan(args...)
				if refused := run.Code == 1; refused != (want == refuses) || !run.Documented() {
					t.Errorf("an apply that %s: %v", want, run)
				}
				if d.name == "replace" && saved {
					x.thingExists(group)
				}
				if want == refuses && !strings.Contains(run.Stderr, "spec.size") {
					t.Errorf("the error does not name the field: %v", run)
				}
			})
		}
	}
}

// thingExists makes sure that what was to be replaced was not deleted first.
func (x *trial) thingExists(group string) {
	x.Helper()
	things := x.cluster.Resource(schema.GroupVersionResource{Group: group, Version: "v1", Resource: "things"}).Namespace(x.namespace)
	if _, err := things.Get(x.ctx(), "a", metav1.GetOptions{}); err != nil {
		x.Errorf("the old object is gone, and the new one was refused: %v", err)
	}
}

func (x *trial) writeThing(group, size string) {
	text := ""
	if size != "" {
		text = strings.NewReplacer("GROUP", group, "NAMESPACE", x.namespace, "SIZE", size).Replace(thing)
	}
	x.writeHCL(text)
}

// define creates or changes the definition of a kind whose size is of a type, and returns
// when the API server uses it.
func (x *trial) define(group, typ string) {
	definitions := x.cluster.Resource(schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1",
		Resource: "customresourcedefinitions"})
	name := "things." + group
	text := fmt.Sprintf(`{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":%q},"spec":{"group":%q,
		"scope":"Namespaced","names":{"plural":"things","kind":"Thing"},"versions":[{"name":"v1","served":true,"storage":true,
		"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object","properties":{"size":{"type":%q}}}}}}}]}}`, name, group, typ)
	_, err := definitions.Patch(x.ctx(), name, types.ApplyPatchType, []byte(text), metav1.PatchOptions{FieldManager: faulttest.Bystander})
	x.must(err)
	x.Cleanup(func() { definitions.Delete(x.ctx(), name, metav1.DeleteOptions{}) })
	size := any(int64(1))
	if typ == "string" {
		size = "1"
	}
	things := x.cluster.Resource(schema.GroupVersionResource{Group: group, Version: "v1", Resource: "things"}).Namespace(x.namespace)
	probe := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": group + "/v1", "kind": "Thing", "metadata": map[string]any{"name": "probe"}, "spec": map[string]any{"size": size},
	}}
	for range 600 {
		if _, err = things.Create(x.ctx(), probe, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}); err == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	x.must(err)
}
