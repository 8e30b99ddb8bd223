package plan

import (
	"errors"
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/kube"
)

// forced says whether lifecycle.force_conflicts lists every field of a conflict.
func forced(d *hclspec.Desired, err error) bool {
	conflicts := conflictsOf(err)
	for _, f := range conflicts {
		if !coveredBy(d.Lifecycle.ForceConflicts, f.Path) {
			return false
		}
	}
	return len(conflicts) > 0
}

func conflictsOf(err error) []kube.Conflict {
	var refusal *kube.Error
	if errors.As(err, &refusal) {
		return refusal.Conflicts
	}
	return nil
}

// conflict explains which fields another manager owns, with both values.
func conflict(c *Change, live *unstructured.Unstructured, err error) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, f := range conflictsOf(err) {
		if coveredBy(c.Desired.Lifecycle.ForceConflicts, f.Path) {
			continue
		}
		detail := fmt.Sprintf("%s of %s is managed by %s", f.Path, c.Object, quoted(f.Manager))
		if f.Time != "" {
			detail += " since " + f.Time
		}
		detail += fmt.Sprintf(": it is %s there and %s here. Remove it from the configuration to leave it to that manager, or list it in lifecycle.force_conflicts to take it over.",
			shown(c, live.Object, f.Path), shown(c, c.Wish, f.Path))
		diags = append(diags, &hcl.Diagnostic{
			Severity: hcl.DiagError,
			Summary:  "Field owned by another manager",
			Detail:   detail,
			Subject:  c.Desired.RangeOf(f.Path).Ptr(),
		})
	}
	return diags
}
