package plan_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/faulttest"
	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/internal/render"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/plan"
)

// get is a live object, if it is there.
func (r *round) get(o addrs.Object) (*unstructured.Unstructured, bool) {
	r.Helper()
	kind, err := r.cluster.Lookup(o.Kind, o.APIVersion())
	if err != nil {
		r.reconnect() // the round has just defined it
		if kind, err = r.cluster.Lookup(o.Kind, o.APIVersion()); err != nil {
			r.Fatal(err)
		}
	}
	live, err := r.cluster.Get(r.Context(), kind, o.Namespace, o.Name)
	switch kube.ReasonOf(err) {
	case kube.NotFound, kube.NamespaceMissing, kube.NotServed:
		return nil, false
	}
	if err != nil {
		r.Fatalf("%v", err)
	}
	return live, true
}

// traces is what kplan has left on the stack's objects. A request that changes
// anything leaves another trace.
func (r *round) traces() map[addrs.Object]string {
	found := map[addrs.Object]string{}
	for _, o := range r.state.Objects {
		live, ok := r.get(o.Object)
		if !ok {
			continue
		}
		trace := string(live.GetUID()) + " " + fmt.Sprint(live.GetDeletionTimestamp())
		for _, m := range live.GetManagedFields() {
			if m.Manager == ownership.Manager {
				trace += fmt.Sprintf(" %s %s %s", m.Operation, m.Time, m.FieldsV1.GetRawString())
			}
		}
		found[o.Object] = trace
	}
	return found
}

// auditedSoFar is where the last whole line of the API server's audit log ends,
// if there is one.
func (r *round) auditedSoFar() int64 {
	log, err := os.Open(os.Getenv("KPLAN_TEST_AUDIT_LOG"))
	if err != nil {
		return 0
	}
	defer log.Close()
	size, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		r.Fatal(err)
	}
	end := make([]byte, min(size, 1<<20))
	if _, err := log.ReadAt(end, size-int64(len(end))); err != nil {
		r.Fatal(err)
	}
	return size - int64(len(end)-bytes.LastIndexByte(end, '\n')-1)
}

// onlyRead plans, and makes sure that nothing was changed by it.
func (r *round) onlyRead(do func()) {
	before, from := r.traces(), r.auditedSoFar()
	do()
	if after := r.traces(); !maps.Equal(before, after) {
		r.Fatalf("the plan has left traces:\n%v\nbefore:\n%v", after, before)
	}
	log := os.Getenv("KPLAN_TEST_AUDIT_LOG")
	if log == "" {
		return
	}
	audit, err := faulttest.ReadAudit(log, from, r.namespace)
	if err != nil {
		r.Fatalf("%v", err)
	}
	if audit.Mutations > 0 {
		r.Fatalf("the plan has made %d changes by the audit log", audit.Mutations)
	}
}

// keepsSecrets makes sure that neither what is shown of a plan nor what is saved
// of it shows a secret.
func (r *round) keepsSecrets(p *plan.Plan) {
	var shown bytes.Buffer
	render.Plan(&shown, p, render.Options{})
	texts := [][]byte{shown.Bytes()}
	if !p.Incomplete {
		saved, err := p.Encode(r.state, "test")
		if err != nil {
			r.Fatalf("%v", err)
		}
		texts = append(texts, saved)
		r.showsAlike(p, saved)
	}
	for _, text := range texts {
		for _, secret := range []string{"canary", "Y2FuYXJ5", "NhbmFye", "jYW5hcn"} {
			if i := bytes.Index(text, []byte(secret)); i >= 0 {
				r.Fatalf("a secret is shown: %s", text[max(0, i-200):min(len(text), i+100)])
			}
		}
	}
}

// showsAlike makes sure that a saved plan is shown as the plan itself.
func (r *round) showsAlike(p *plan.Plan, data []byte) {
	saved, err := plan.Decode(data, kinds.Builtin().Lookup)
	if err != nil {
		r.Fatalf("%v", err)
	}
	if diff := cmp.Diff(text(p), text(saved)); diff != "" {
		r.Fatalf("the saved plan is not shown as the plan was (-plan +saved):\n%s", diff)
	}
}

// manages reports whether a manager other than kplan owns fields of an object.
func (r *round) manages(manager string, o addrs.Object) bool {
	live, ok := r.get(o)
	return ok && slices.ContainsFunc(live.GetManagedFields(), func(m metav1.ManagedFieldsEntry) bool { return m.Manager == manager })
}

// cameTrue holds what was planned against what is there now.
func (r *round) cameTrue(p *plan.Plan) {
	for _, c := range p.Changes {
		switch c.Action {
		case plan.Delete:
			if live, ok := r.get(c.Object); ok && string(live.GetUID()) == c.UID {
				r.Fatalf("%s is still there", c.Object)
			}
		case plan.Create, plan.Replace, plan.Update, plan.Adopt:
			live, ok := r.get(c.Object)
			if !ok {
				r.Fatalf("%s is not there", c.Object)
			}
			if c.Action == plan.Adopt {
				r.isOwner(c)
			}
			if broken := r.unreported(c, r.broken(c, live)); len(broken) > 0 {
				r.Fatalf("%s %s %s (%s) did not come true:\n%s", c.Certainty, c.Action, c.Addr, c.Object, strings.Join(broken, "\n"))
			}
		}
	}
}

// serverSet holds what the server has computed against what is predicted for a
// user who may not ask it.
func (r *round) serverSet(computed *plan.Plan, source string, in plan.Input) {
	in.Cluster = r.onlooker()
	predicted, diags := r.plan(source, in)
	if diags.HasErrors() {
		r.Fatalf("refused, but not by the server: %v", diags)
	}
	answers := map[addrs.Object]*plan.Change{}
	for _, c := range computed.Changes {
		answers[c.Object.Identity()] = c
	}
	for _, c := range predicted.Changes {
		answer := answers[c.Object.Identity()]
		if answer == nil || answer.Action != c.Action {
			r.Fatalf("%s is predicted for %s (%s), and the server has it otherwise:\n%s", c.Action, c.Addr, c.Object, r.summary(computed, nil))
		}
		x := comparison{unknown: c.Unknown, predicted: true}
		x.lacks(c.Kind.Root, shown(c.After), shown(answer.After), addrs.Path{}, "predicted %s, computed %s")
		if len(x.found) > 0 {
			r.Fatalf("%s of %s (%s) is not predicted as the server computes it:\n%s", c.Action, c.Addr, c.Object, strings.Join(x.found, "\n"))
		}
	}
}

// broken are the fields where a live object is not as planned.
func (r *round) broken(c *plan.Change, live *unstructured.Unstructured) []string {
	x := comparison{unknown: c.Unknown, controlled: controlled(live), predicted: c.Certainty == plan.Predicted}
	planned, now := shown(c.After), shown(live.Object)
	x.lacks(c.Kind.Root, planned, now, addrs.Path{}, "planned %s, is %s")
	if c.Certainty == plan.Computed && c.Action == plan.Update {
		x.lacks(c.Kind.Root, now, planned, addrs.Path{}, "is %s, planned %s")
	}
	return x.found
}

// shown is an object without what the server keeps about it.
func shown(object map[string]any) map[string]any {
	u := (&unstructured.Unstructured{Object: object}).DeepCopy().Object
	delete(u, "status")
	for _, name := range []string{"uid", "resourceVersion", "generation", "creationTimestamp", "managedFields"} {
		unstructured.RemoveNestedField(u, "metadata", name)
	}
	return u
}

// controlled are the names of fields that controllers write on an object.
func controlled(live *unstructured.Unstructured) []string {
	var names []string
	for _, m := range live.GetManagedFields() {
		if m.FieldsV1 == nil || !strings.HasPrefix(m.Manager, "kube-") && m.Manager != "clusterrole-aggregation-controller" {
			continue
		}
		var fields map[string]any
		if json.Unmarshal(m.FieldsV1.GetRawBytes(), &fields) == nil {
			names = append(names, fieldNames(fields)...)
		}
	}
	// The status of an autoscaler, as version 1 shows it.
	return append(names, "autoscaling.alpha.kubernetes.io/conditions", "autoscaling.alpha.kubernetes.io/current-metrics")
}

func fieldNames(fields map[string]any) []string {
	var names []string
	for name, below := range fields {
		names = append(names, strings.TrimPrefix(name, "f:"))
		if m, ok := below.(map[string]any); ok && len(m) > 0 {
			names = append(names[:len(names)-1], fieldNames(m)...)
		}
	}
	return names
}

// comparison collects the fields where one object has not what another has.
type comparison struct {
	unknown    addrs.PathSet
	controlled []string
	predicted  bool // then the server may add to what is planned, also inside of atomic fields
	found      []string
}

func (x *comparison) lacks(f *kinds.Field, want, have any, at addrs.Path, format string) {
	if f == nil {
		f = &kinds.Field{}
	}
	if want == nil || x.unknown.Covers(at) || f.Equal(want, have) {
		return
	}
	switch v := want.(type) {
	case map[string]any:
		if other, ok := have.(map[string]any); (ok || have == nil) && (!f.Atomic || x.predicted) {
			for name, value := range v {
				if !slices.Contains(x.controlled, name) {
					x.lacks(f.Field(name), value, other[name], at.Field(name), format)
				}
			}
			return
		}
	case []any:
		if other, ok := have.([]any); (ok || have == nil) && len(f.ListKeys) > 0 {
			x.lacksElements(f, v, other, at, format)
			return
		} else if ok && len(v) <= len(other) && x.predicted && !f.Set {
			for i, element := range v {
				x.lacks(f.Elem, element, other[i], at.Index(i), format)
			}
			return
		}
	}
	a, _ := json.Marshal(want)
	b, _ := json.Marshal(have)
	x.found = append(x.found, fmt.Sprintf("  %s: "+format, at, a, b))
}

func (x *comparison) lacksElements(f *kinds.Field, want, have []any, at addrs.Path, format string) {
	for i, element := range want {
		if strings.Contains(f.ElementKey(element), "/kube-api-access-") || strings.HasPrefix(nameOf(element), "kube-api-access-") {
			continue // admission makes a name up for each pod, also for one of a dry-run
		}
		var other any
		for _, candidate := range have {
			if f.ElementKey(candidate) == f.ElementKey(element) {
				other = candidate
			}
		}
		x.lacks(f.Elem, element, other, at.Index(i), format)
	}
}
