package hclspec

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
)

func TestSlotsByRank(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(1)
		if !s.acquire(t.Context(), 0) {
			t.Fatal("a free slot was not given")
		}
		var (
			mu    sync.Mutex
			order []string
			done  sync.WaitGroup
		)
		for _, w := range []struct {
			name string
			rank int
		}{{"pod", 1}, {"controller", 2}, {"service", 0}, {"other pod", 1}, {"config", 0}} {
			done.Go(func() {
				if !s.acquire(t.Context(), w.rank) {
					t.Errorf("%s got no slot", w.name)
				}
				mu.Lock()
				order = append(order, w.name)
				mu.Unlock()
				s.release()
			})
			synctest.Wait() // so that they arrive in this order
		}
		s.release()
		done.Wait()
		if want := []string{"service", "config", "pod", "other pod", "controller"}; !slices.Equal(order, want) {
			t.Errorf("got %v, want %v", order, want)
		}
	})
}

// TestSlotsAreKept ends some of those that wait while slots are given back: no
// slot is lost by that, and none is given twice.
func TestSlotsAreKept(t *testing.T) {
	const all = 3
	s := newSlots(all)
	var waits sync.WaitGroup
	for i := range 2000 {
		ctx, cancel := context.WithCancel(t.Context())
		waits.Go(func() {
			if s.acquire(ctx, i%3) {
				s.release()
			}
		})
		waits.Go(cancel)
	}
	waits.Wait()
	if s.free != all || len(s.waiting) != 0 {
		t.Errorf("%d of %d slots are free, %d wait", s.free, all, len(s.waiting))
	}
}
