package hclspec

import (
	"container/heap"
	"context"
	"sync"
)

// slots bound the visits under way at once. Of those that wait for one, the
// visit of the lowest rank comes first, and among equals the one that has waited
// longest.
type slots struct {
	mu      sync.Mutex
	free    int
	waiting queue
	arrived int
}

func newSlots(n int) *slots { return &slots{free: n} }

// acquire waits for a slot; false means that ctx ended.
func (s *slots) acquire(ctx context.Context, rank int) bool {
	if ctx.Err() != nil {
		return false
	}
	s.mu.Lock()
	if s.free > 0 { // so nobody waits
		s.free--
		s.mu.Unlock()
		return true
	}
	w := &waiter{rank: rank, number: s.arrived, turn: make(chan struct{})}
	s.arrived++
	heap.Push(&s.waiting, w)
	s.mu.Unlock()
	select {
	case <-w.turn:
		return true
	case <-ctx.Done():
		s.leave(w)
		return false
	}
}

// release gives a slot back.
func (s *slots) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) == 0 {
		s.free++
		return
	}
	w := heap.Pop(&s.waiting).(*waiter)
	w.served = true
	close(w.turn)
}

// leave takes a waiter out that does not wait any more. If it has got its slot
// at that very moment, the slot is given back.
func (s *slots) leave(w *waiter) {
	s.mu.Lock()
	served := w.served
	if !served {
		heap.Remove(&s.waiting, w.at)
	}
	s.mu.Unlock()
	if served {
		s.release()
	}
}

// waiter is a visit that waits for a slot.
type waiter struct {
	rank, number int
	at           int // where in the queue
	turn         chan struct{}
	served       bool
}

// queue is a heap of waiters.
type queue []*waiter

func (q queue) Len() int { return len(q) }

func (q queue) Less(i, j int) bool {
	if q[i].rank != q[j].rank {
		return q[i].rank < q[j].rank
	}
	return q[i].number < q[j].number
}

func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].at, q[j].at = i, j
}

func (q *queue) Push(w any) {
	w.(*waiter).at = len(*q)
	*q = append(*q, w.(*waiter))
}

func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	(*q)[len(*q)-1] = nil
	*q = (*q)[:len(*q)-1]
	return last
}
