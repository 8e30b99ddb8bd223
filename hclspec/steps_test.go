package hclspec

import (
	"testing"

	"kplan.dev/kplan/graph"
)

// TestPanicWithinSteps: a bug in an evaluation reaches the caller, and so to an apply, which then
// saves its state.
func TestPanicWithinSteps(t *testing.T) {
	defer func() {
		if p, ok := recover().(*graph.Panic); !ok || p.Value != "a bug" {
			t.Errorf("it panicked with %v", p)
		}
	}()
	_, ok := withinSteps(true, func() int { panic("a bug") })
	t.Errorf("it returned %t", ok)
}
