package plan

import (
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/hcl/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/diag"
	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/kube"
)

// mayForce reports whether kplan may take every field of a conflict.
func mayForce(d *decision, err error) bool {
	conflicts := conflictsOf(err)
	for _, f := range conflicts {
		if !transferred(d, f.Path) {
			return false
		}
	}
	return len(conflicts) > 0
}

// transferred reports whether the ownership of a field is transferred: since
// lifecycle.force_conflicts lists it, or since it is kplan's own.
func transferred(d *decision, path addrs.Path) bool {
	return coveredBy(d.configured(d.desired.Lifecycle.ForceConflicts), path) || coveredBy(ownMarks, path)
}

func conflictsOf(err error) []kube.Conflict {
	var refusal *kube.Error
	if errors.As(err, &refusal) {
		return refusal.Conflicts
	}
	return nil
}

// conflict explains which fields another manager owns, with both values.
func conflict(d *decision, live *unstructured.Unstructured, conflicts []kube.Conflict) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, f := range conflicts {
		if transferred(d, f.Path) {
			continue
		}
		f.Time = managedSince(live, f)
		diags = append(diags, diag.Conflict(f, d.object.String(), bothSides(d, live, f.Path), d.desired.RangeOf(f.Path).Ptr()))
	}
	return diags
}

// bothSides is what a field is in the live object and in the configuration.
// What is large, or made up of parts of which some may be secret, is in the plan.
func bothSides(d *decision, live *unstructured.Unstructured, path addrs.Path) string {
	there, here := shown(d, live.Object, path), shown(d, d.fields, path)
	if there == "" || here == "" {
		return "the plan shows both values"
	}
	return fmt.Sprintf("it is %s in the cluster and %s in the configuration", there, here)
}

// managedSince is when the manager last changed the object: what the server's
// refusal names or, where that names none, what the object records.
func managedSince(live *unstructured.Unstructured, f kube.Conflict) string {
	if f.Time != "" {
		return f.Time
	}
	for _, m := range ownership.Of(live.Object) {
		if m.Manager == f.Manager && !m.Time.IsZero() {
			return m.Time.Format(time.RFC3339)
		}
	}
	return ""
}
