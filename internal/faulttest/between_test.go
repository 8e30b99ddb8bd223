//go:build unix

package faulttest_test

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"kplan.dev/kplan/internal/faulttest"
)

// mutation is what somebody else changes between a plan and its apply.
type mutation struct {
	name string
	do   func(x *trial, resource string)
	// What an apply does then, for create, update, replace and delete: of a plan
	// that was saved, and of one whose request is already in flight. "" is where the
	// mutation makes no sense.
	saved, underway [4]outcome
}

// outcome is how an apply ends.
type outcome string

const (
	does    outcome = "does it"        // exit code 0, what was approved is done
	refuses outcome = "refuses it"     // exit code 1, and the object is as the other left it
	fails   outcome = "can't finish"   // exit code 1, part of it was done and is recorded
	already outcome = "is done anyway" // exit code 0, and the object is as the other left it
)

func mutations() []mutation {
	const finalizer = `{"metadata":{"finalizers":["faulttest.kplan.dev/hold"]}}`
	remake := func(x *trial, resource string) {
		x.deleteObject(resource, "a")
		x.create(resource, x.bystanderNamed(resource, "a"))
	}
	return []mutation{
		{"deleted and recreated", remake,
			[4]outcome{"", refuses, refuses, refuses}, [4]outcome{"", refuses, refuses, already}},
		{"version only", func(x *trial, resource string) {
			x.patch(resource, "a", `{"metadata":{"labels":{"touched":"yes"}}}`)
			x.patch(resource, "a", `{"metadata":{"labels":{"touched":null}}}`)
		}, [4]outcome{"", does, does, does}, [4]outcome{"", does, does, does}},
		{"status only", func(x *trial, resource string) {
			if resource == "services" {
				x.patchStatus(resource, "a", `{"status":{"conditions":[{"type":"Seen","status":"True","reason":"Test","message":"","lastTransitionTime":"2026-01-01T00:00:00Z"}]}}`)
			}
		}, [4]outcome{"", does, "", does}, [4]outcome{"", does, "", does}},
		{"planned field", func(x *trial, resource string) { x.patch(resource, "a", `{"metadata":{"annotations":{"rev":"9"}}}`) },
			[4]outcome{"", refuses, refuses, refuses}, [4]outcome{"", refuses, refuses, refuses}},
		{"other field", func(x *trial, resource string) {
			x.patch(resource, "a", `{"metadata":{"annotations":{"other":"9"}}}`)
		}, [4]outcome{"", does, refuses, refuses}, // a replacement or a deletion would lose what the other set
			[4]outcome{"", does, refuses, refuses}},
		{"deleted", func(x *trial, resource string) { x.deleteObject(resource, "a") },
			[4]outcome{"", refuses, refuses, refuses}, [4]outcome{"", refuses, does, already}},
		{"finalizer", func(x *trial, resource string) { x.patch(resource, "a", finalizer) },
			[4]outcome{"", does, fails, fails}, [4]outcome{"", does, refuses, fails}},
		{"terminating", func(x *trial, resource string) {
			x.patch(resource, "a", finalizer)
			x.deleteObject(resource, "a")
		}, [4]outcome{"", refuses, fails, fails}, [4]outcome{"", refuses, fails, fails}},
		{"rights lost", func(x *trial, _ string) { x.proxy.As("nobody") },
			[4]outcome{refuses, refuses, refuses, refuses}, [4]outcome{refuses, refuses, refuses, refuses}},
		{"namespace gone", func(x *trial, _ string) { x.dropNamespace() },
			[4]outcome{refuses, refuses, refuses, refuses}, [4]outcome{refuses, refuses, refuses, already}},
		{"another appears", func(x *trial, resource string) {
			x.create(resource, x.bystanderNamed(resource, "a"))
		}, [4]outcome{refuses, "", "", ""}, [4]outcome{refuses, "", "", ""}},
	}
}

// TestBetweenPlanAndApply combines each mutation with each action: after a plan was saved,
// and when the request that changes something is in flight.
func TestBetweenPlanAndApply(t *testing.T) {
	r := newRig(t)
	one := func(kind string, rev int, immutableChanges bool) faulttest.Stack {
		return faulttest.Stack{{Kind: kind, Name: "a", Rev: rev, Immutable: immutableChanges}}
	}
	actions := []deed{
		{"create", nil, one("ConfigMap", 0, false), "create"},
		{"update", one("Service", 0, false), one("Service", 1, false), "update"},
		{"replace", one("ConfigMap", 0, true), one("ConfigMap", 1, true), "delete"},
		{"delete", one("Service", 0, false), nil, "delete"},
	}
	for _, m := range mutations() {
		for i, d := range actions {
			for _, saved := range []bool{true, false} {
				want := m.underway[i]
				name := d.name + "/" + m.name + "/underway"
				if saved {
					want, name = m.saved[i], d.name+"/"+m.name+"/saved"
				}
				if want == "" {
					continue
				}
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					x := r.newTrial(t)
					x.setUp(d)
					x.playBetween(d, m, saved, want)
				})
			}
		}
	}
}

func (x *trial) playBetween(d deed, m mutation, saved bool, want outcome) {
	resource := "configmaps"
	if d.name == "update" || d.name == "delete" {
		resource = "services"
	}
	left := "" // by the other
	mutate := func() {
		m.do(x, resource)
		left = x.seen(resource)
	}
	args := []string{"apply", "-auto-approve", "-wait-timeout=3s"}
	x.proxy.Arm()
	if saved {
		if run := x.kplan("plan", "-out=saved.plan"); run.Code != 0 {
			x.Fatal(run)
		}
		mutate()
		args = []string{"apply", "-wait-timeout=3s", "saved.plan"}
	} else {
		var once sync.Once
		x.proxy.Before(func(c faulttest.Call) {
			if c.Verb == d.verb && c.Name == "a" {
				once.Do(mutate)
			}
		})
	}
	run := x.kplan(args...)
	x.proxy.Before(nil)
	x.proxy.As("")
	now := x.seen(resource)
	code := 1
	if want == does || want == already {
		code = 0
	}
	if run.Code != code || left == "" {
		x.Errorf("an apply that %s ends with %d: %v", want, code, run)
	}
	if (want == refuses || want == already) && now != left {
		x.Errorf("an apply that %s leaves\n%s\nas it is, and not\n%s\n%v", want, left, now, run)
	}
	if want == does {
		x.checkSucceeded()
	}
	x.checkNoneLost()
	x.freeFinalizers(resource)
}

// bystanderNamed is a copy of somebody else's object, under another name.
func (x *trial) bystanderNamed(resource, name string) *unstructured.Unstructured {
	o := x.get(resource, faulttest.Bystander)
	o.SetName(name)
	o.SetUID("")
	o.SetResourceVersion("")
	o.SetManagedFields(nil)
	if spec, ok := o.Object["spec"].(map[string]any); ok {
		delete(spec, "clusterIP")
		delete(spec, "clusterIPs")
	}
	return o
}

// seen is the object a, as far as somebody might have changed it.
func (x *trial) seen(resource string) string {
	o, err := x.cluster.In(x.namespace, resource).Get(x.ctx(), "a", metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return "nothing"
	}
	x.must(err)
	text, err := json.Marshal([]any{o.GetUID(), o.GetAnnotations(), o.GetLabels(), o.Object["data"], o.Object["spec"]})
	x.must(err)
	return string(text)
}

func (x *trial) freeFinalizers(resource string) {
	x.cluster.In(x.namespace, resource).Patch(x.ctx(), "a", types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`),
		metav1.PatchOptions{})
}

func (x *trial) patchStatus(resource, name, patch string) {
	_, err := x.cluster.In(x.namespace, resource).Patch(x.ctx(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{}, "status")
	x.must(err)
}

// dropNamespace returns when the namespace is gone.
func (x *trial) dropNamespace() {
	x.must(x.cluster.DropNamespace(x.ctx(), x.namespace))
	for range 600 {
		if !x.cluster.HasNamespace(x.ctx(), x.namespace) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	panic(fmt.Sprintf("namespace %s does not go away", x.namespace))
}
