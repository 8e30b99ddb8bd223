package plan

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
)

// guard refuses to delete what the configuration protects. The plan shows the
// change all the same.
func guard(c *Change) hcl.Diagnostics {
	if c == nil || !c.Protected || c.Action != Delete && c.Action != Replace {
		return nil
	}
	c.Blocked = true
	d := &hcl.Diagnostic{
		Severity: hcl.DiagError,
		Summary:  "Object is protected from deletion",
		Detail: fmt.Sprintf("The plan would %s %s (%s), whose lifecycle block sets prevent_destroy. "+
			"Set it to false and apply that first, or keep the object as it is.", c.Action, c.Addr, c.Object),
	}
	if c.Desired != nil {
		d.Subject = c.Range.Ptr()
		if c.Desired.Lifecycle.Range.Filename != "" {
			d.Subject = c.Desired.Lifecycle.Range.Ptr()
		}
	}
	return hcl.Diagnostics{d}
}
