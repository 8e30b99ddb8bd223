package source

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
)

// Problem is one error in the user's text.
func Problem(summary string, subject hcl.Range, format string, args ...any) hcl.Diagnostics {
	return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(format, args...), Subject: &subject}}
}

// ProblemIn is a problem with the value of an expression: the values that it
// refers to are shown with it.
func ProblemIn(summary string, expr hcl.Expression, scope *hcl.EvalContext, format string, args ...any) hcl.Diagnostics {
	diags := Problem(summary, expr.Range(), format, args...)
	diags[0].Expression, diags[0].EvalContext = expr, scope
	return diags
}

// WithoutRange is one error that has no range in a file.
func WithoutRange(summary, format string, args ...any) hcl.Diagnostics {
	return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(format, args...)}}
}

// MaxProblems is how many problems are reported at once. More come from a file that is not what its
// name suggests.
const MaxProblems = 200

func FirstProblems(diags hcl.Diagnostics) hcl.Diagnostics {
	if len(diags) <= MaxProblems {
		return diags
	}
	return append(diags[:MaxProblems:MaxProblems], WithoutRange("Too many problems", "%d more problems are not shown.",
		len(diags)-MaxProblems)...)
}

// SortDiagnostics orders problems by range, those without one first: a parser finds them in the
// order of its passes.
func SortDiagnostics(diags hcl.Diagnostics) {
	slices.SortStableFunc(diags, func(a, b *hcl.Diagnostic) int {
		at, bt := subject(a), subject(b)
		return cmp.Or(cmp.Compare(at.Filename, bt.Filename), cmp.Compare(at.Start.Byte, bt.Start.Byte))
	})
}

func subject(d *hcl.Diagnostic) hcl.Range {
	if d.Subject == nil {
		return hcl.Range{}
	}
	return *d.Subject
}
