package graph

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// TestGroup: an error and a panic end the others and come back to the caller of Wait.
func TestGroup(t *testing.T) {
	refused := errors.New("refused")
	g, ctx := NewGroup(t.Context())
	g.Go(func() error { return refused })
	g.Go(func() error { <-ctx.Done(); return ctx.Err() })
	if err := g.Wait(); !errors.Is(err, refused) {
		t.Errorf("Wait returned %v", err)
	}

	g, ctx = NewGroup(t.Context())
	g.Go(func() error { panic("a bug") })
	g.Go(func() error { <-ctx.Done(); return ctx.Err() })
	defer func() {
		p, ok := recover().(*Panic)
		if !ok || p.Value != "a bug" || !strings.Contains(string(p.Stack), "TestGroup") {
			t.Errorf("Wait panicked with %v", p)
		}
		if !errors.Is(ctx.Err(), context.Canceled) {
			t.Error("the context goes on")
		}
	}()
	_ = g.Wait()
	t.Error("Wait returned")
}
