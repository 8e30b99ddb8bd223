package graph

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
)

const ranks = 4

func TestSlotsByRank(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSlots(1, ranks)
		if !s.Acquire(t.Context(), 0) {
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
				if !s.Acquire(t.Context(), w.rank) {
					t.Errorf("%s got no slot", w.name)
				}
				mu.Lock()
				order = append(order, w.name)
				mu.Unlock()
				s.Release(w.rank)
			})
			synctest.Wait() // so that they arrive in this order
		}
		s.Release(0)
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
	s := NewSlots(all, ranks)
	var waits sync.WaitGroup
	for i := range 2000 {
		ctx, cancel := context.WithCancel(t.Context())
		waits.Go(func() {
			if rank := i % ranks; s.Acquire(ctx, rank) {
				s.Release(rank)
			}
		})
		waits.Go(cancel)
	}
	waits.Wait()
	if s.free != all {
		t.Errorf("%d of %d slots are free", s.free, all)
	}
	for rank := range s.ranks {
		if r := &s.ranks[rank]; r.taken != 0 || r.waiting.Len() != 0 {
			t.Errorf("rank %d holds %d slots, %d wait", rank, r.taken, r.waiting.Len())
		}
	}
}

// TestSlotsWaitForRanksBefore gives slots back one by one, and looks when the
// next rank begins: when of sixteen two are left with the rank before, which is
// an eighth.
func TestSlotsWaitForRanksBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const all = 16
		s := NewSlots(all, ranks)
		for range all - 4 { // four slots stay free
			s.Acquire(t.Context(), 0)
		}
		began := make(chan int, 2)
		for _, rank := range []int{1, 2} {
			go func() {
				if s.Acquire(t.Context(), rank) {
					began <- rank
				}
			}()
		}
		for held := all - 4; held > all/8; held-- {
			synctest.Wait()
			if len(began) > 0 {
				t.Fatalf("rank %d begins while %d visits of rank 0 are in progress", <-began, held)
			}
			s.Release(0)
		}
		synctest.Wait()
		if len(began) != 1 || <-began != 1 {
			t.Fatal("rank 1 does not begin, or not alone")
		}
		s.Release(0) // one of rank 0 and one of rank 1 are left: an eighth in all
		synctest.Wait()
		if len(began) != 1 || <-began != 2 {
			t.Fatal("rank 2 does not begin")
		}
	})
}
