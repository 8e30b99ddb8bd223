package graph

import (
	"container/list"
	"context"
	"sync"
)

// Slots bound the visits in progress at once. Of those that wait for one, the
// visit of the lowest rank comes first, and among equals the one that has waited
// longest.
//
// A rank does not begin while those before it still hold more than an eighth of the slots. More
// load would slow down what is in progress, and some of it the API server does one after another:
// it allocates the addresses of services that way. See docs/performance.md.
type Slots struct {
	mu        sync.Mutex
	all, free int
	ranks     []rank
}

type rank struct {
	taken   int
	waiting list.List // of chan struct{}, closed when the visit has got its slot
}

// NewSlots are n slots for visits of so many ranks, of which 0 is the lowest.
func NewSlots(n, ranks int) *Slots { return &Slots{all: n, free: n, ranks: make([]rank, ranks)} }

// Acquire waits for a slot; false means that ctx ended.
func (s *Slots) Acquire(ctx context.Context, rank int) bool {
	if ctx.Err() != nil {
		return false
	}
	turn := make(chan struct{})
	s.mu.Lock()
	element := s.ranks[rank].waiting.PushBack(turn)
	s.serve()
	s.mu.Unlock()
	select {
	case <-turn:
		return true
	case <-ctx.Done():
		s.leave(rank, element)
		return false
	}
}

// Release gives a slot back.
func (s *Slots) Release(rank int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.giveBack(rank)
}

// leave removes a visit that no longer waits. If it has got its slot at that very moment, the slot
// is released.
func (s *Slots) leave(rank int, element *list.Element) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-element.Value.(chan struct{}):
		s.giveBack(rank)
	default:
		s.ranks[rank].waiting.Remove(element)
	}
}

func (s *Slots) giveBack(rank int) {
	s.ranks[rank].taken--
	s.free++
	s.serve()
}

// serve hands out the slots that are free.
func (s *Slots) serve() {
	before := 0 // the slots of the ranks before
	for r := range s.ranks {
		rank := &s.ranks[r]
		if before > s.all/8 {
			return
		}
		for s.free > 0 && rank.waiting.Len() > 0 {
			close(rank.waiting.Remove(rank.waiting.Front()).(chan struct{}))
			rank.taken++
			s.free--
		}
		if s.free == 0 {
			return
		}
		before += rank.taken
	}
}
