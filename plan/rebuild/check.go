package rebuild

import (
	"cmp"
	"context"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/diag"
	"kplan.dev/kplan/plan"
	"kplan.dev/kplan/state"
)

// Problem is how the state and the cluster disagree about an object.
type Problem string

const (
	Missing     Problem = "missing"     // the state has it, and the cluster does not
	Recreated   Problem = "recreated"   // the cluster has another object of that name
	Unlabeled   Problem = "unlabeled"   // it is there without the label of the stack, so that a lost state can't be rebuilt with it
	Readdressed Problem = "readdressed" // its annotation names another address
	Unrecorded  Problem = "unrecorded"  // it has the label of the stack, and the state does not have it
	Pending     Problem = "pending"     // a run was cut off before it recorded what became of it
)

// Finding is a disagreement.
type Finding struct {
	Problem Problem
	Addr    addrs.Instance // zero where it is not known
	Object  addrs.Object
}

// Check compares in.State with what a scan has found of the stack, and returns where they disagree, by address.
func Check(ctx context.Context, in plan.Input, scan *Scan) ([]Finding, hcl.Diagnostics) {
	found := map[addrs.Object]Scanned{}
	for _, f := range scan.Of(in.State.StackID()) {
		found[f.Object.Identity()] = f
	}
	var findings []Finding
	known := map[addrs.Object]bool{}
	for _, p := range in.State.Pending {
		known[p.Object.Identity()] = true
		findings = append(findings, Finding{Pending, p.Addr, p.Object})
	}
	b := &rebuilding{Input: in}
	for _, o := range in.State.Objects {
		if known[o.Object.Identity()] {
			continue // what became of it is to be found out
		}
		known[o.Object.Identity()] = true
		problem, err := b.problem(ctx, o, found)
		if err != nil {
			return nil, diag.FromKube(err, nil, "")
		}
		if problem != "" {
			findings = append(findings, Finding{problem, o.Addr, o.Object})
		}
	}
	for identity, f := range found {
		if !known[identity] {
			findings = append(findings, Finding{Unrecorded, f.Addr, f.Object})
		}
	}
	slices.SortFunc(findings, func(a, b Finding) int {
		return cmp.Or(a.Addr.Compare(b.Addr), cmp.Compare(a.Object.String(), b.Object.String()))
	})
	return findings, nil
}

// problem is how an entry of the state disagrees with the cluster, "" for not at all.
func (b *rebuilding) problem(ctx context.Context, o state.Object, found map[addrs.Object]Scanned) (Problem, error) {
	f, ok := found[o.Object.Identity()]
	switch {
	case ok && f.UID != o.UID:
		return Recreated, nil
	case ok && f.Addr != (addrs.Instance{}) && f.Addr != o.Addr && !o.Deposed:
		return Readdressed, nil
	case ok:
		return "", nil
	}
	uid, err := b.liveUID(ctx, o)
	switch {
	case err != nil:
		return "", err
	case uid == "":
		return Missing, nil
	case uid != o.UID:
		return Recreated, nil
	}
	return Unlabeled, nil
}
