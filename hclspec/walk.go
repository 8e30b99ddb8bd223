package hclspec

import (
	"context"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
)

// Kinds finds the description of a kind. An empty apiVersion asks for the
// preferred version. Its errors are those of kinds.Set.Lookup.
type Kinds interface {
	Lookup(kind, apiVersion string) (*kinds.Kind, error)
}

// Options says how a configuration is to be evaluated.
type Options struct {
	Variables Values
	Kinds     Kinds
	// Only, when set, leaves out the resources for which it is false.
	Only func(addrs.Resource) bool
	// Parallelism bounds the visits under way at once; 0 means no bound.
	Parallelism int
	// Partial allows values that are not known in places that decide which
	// objects there are, as `validate` meets them when a variable has no value:
	// such blocks are checked once, with each and count unknown.
	Partial bool
}

// Visit deals with one object and says what is known of it afterwards. It is
// given the results of the visits to the instances in d.Needs and d.Awaits. An
// error fails this object and holds back those that refer to it, and nothing
// else.
type Visit[R any] func(ctx context.Context, d *Desired, needs map[addrs.Instance]R) (Seen, R, error)

// Outcome is what a walk came to.
type Outcome[R any] struct {
	Visited  []Visited[R]  // in configuration order, for_each keys sorted
	Outputs  []OutputValue // in configuration order; none when visits failed that they refer to
	HeldBack []HeldBack    // in configuration order
}

// Visited is one visit's own result.
type Visited[R any] struct {
	Desired *Desired
	Result  R
	Err     error // what the visit returned
}

// HeldBack is an instance that was not visited since one it needs failed. Its
// key is missing when not even that could be known.
type HeldBack struct {
	Addr addrs.Instance
	By   addrs.Instance
}

var _ = hcl.Diagnostics(nil)
