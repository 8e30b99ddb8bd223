package main

import (
	"context"
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/internal/ui"
)

// approval is a question that only a yes leads on from.
type approval struct {
	ui.Question
	unchanged  string // what stays as it is without a yes
	unattended string // how to go on where nobody can be asked
	cancelled  string // what is printed after a no
}

// approve asks. Where there is no yes, the diagnostics say why, unless the answer
// was no or an interrupt.
func approve(ctx context.Context, u *ui.Streams, q approval) (bool, hcl.Diagnostics) {
	approved, err := u.Approve(ctx, q.Question)
	switch {
	case ctx.Err() != nil:
		return false, nil
	case err != nil:
		return false, failure("Approval needed", "%s: %v. %s", q.unchanged, err, q.unattended)
	case !approved:
		fmt.Fprintf(u.Out, "\n%s\n", q.cancelled)
		return false, nil
	}
	fmt.Fprintln(u.Out)
	return true, nil
}
