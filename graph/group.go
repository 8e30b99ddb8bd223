package graph

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// Group runs functions in parallel, as errgroup.Group does: the first error ends the
// context of all and is what Wait returns. When one panics, so does Wait.
type Group struct {
	group *errgroup.Group
	end   context.CancelFunc
	trap  Trap
}

// NewGroup is a group and the context of its functions.
func NewGroup(ctx context.Context) (*Group, context.Context) {
	ctx, end := context.WithCancel(ctx)
	group, ctx := errgroup.WithContext(ctx)
	return &Group{group: group, end: end}, ctx
}

// Go runs f in a goroutine of its own.
func (g *Group) Go(f func() error) {
	g.group.Go(func() (err error) {
		g.trap.Run(g.end, func() { err = f() })
		return err
	})
}

// Wait waits until all functions have returned.
func (g *Group) Wait() error {
	err := g.group.Wait()
	g.end()
	g.trap.Rethrow()
	return err
}
