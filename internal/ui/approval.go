package ui

import (
	"context"
	"fmt"

	"github.com/hashicorp/hcl/v2"
)

// Approval is a question that only a yes leads on from.
type Approval struct {
	Question
	Unchanged  string // what stays as it is without a yes
	Unattended string // how to go on where nobody can be asked
	Cancelled  string // what is printed after a no
}

// Approved asks. Where there is no yes, the diagnostics say why, unless the answer
// was no or an interrupt.
func (s *Streams) Approved(ctx context.Context, q Approval) (bool, hcl.Diagnostics) {
	approved, err := s.Approve(ctx, q.Question)
	switch {
	case ctx.Err() != nil:
		return false, nil
	case err != nil:
		return false, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Approval needed",
			Detail: fmt.Sprintf("%s: %v. %s", q.Unchanged, err, q.Unattended)}}
	case !approved:
		fmt.Fprintf(s.Out, "\n%s\n", q.Cancelled)
		return false, nil
	}
	fmt.Fprintln(s.Out)
	return true, nil
}
