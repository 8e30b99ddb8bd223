package graph

import (
	"fmt"
	"runtime/debug"
	"sync"
)

// Panic is the value of a panic that was carried from another goroutine to the one that
// waits for it.
type Panic struct {
	Value any
	Stack []byte // of the goroutine in which it happened
}

func (p *Panic) String() string { return fmt.Sprintf("%v\n\n%s", p.Value, p.Stack) }

// Trap carries the first panic of several goroutines to the one that started them.
// Without it the program would end at once, without saving what it has done. The zero
// Trap is ready for use.
type Trap struct {
	mu    sync.Mutex
	first *Panic
}

// Run calls f. When that panics it is kept for Rethrow, and stop, if not nil, is
// called.
func (t *Trap) Run(stop func(), f func()) {
	defer func() {
		problem := recover()
		if problem == nil {
			return
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.first == nil {
			t.first = caught(problem)
		}
		if stop != nil {
			stop()
		}
	}()
	f()
}

// caught keeps the stack of where a panic began, if it has come through another trap
// already.
func caught(problem any) *Panic {
	if p, ok := problem.(*Panic); ok {
		return p
	}
	return &Panic{Value: problem, Stack: debug.Stack()}
}

// Rethrow panics with the panic that a Run recovered, if one did.
func (t *Trap) Rethrow() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.first != nil {
		panic(t.first)
	}
}
