package apply

import (
	"sync"
	"time"

	"kplan.dev/kplan/addrs"
)

// activity is what happens in a run that may still help an object which is not
// ready: a quota that was raised, a database that becomes ready. As long as
// anything that is waited for gets on, waiting for the rest costs nothing.
type activity struct {
	mu      sync.Mutex
	changed map[string]time.Time    // the last change, by namespace; "" for what has none
	waiting map[addrs.Instance]bool // what is waited for; false for what is stuck
}

func newActivity() *activity {
	return &activity{changed: map[string]time.Time{}, waiting: map[addrs.Instance]bool{}}
}

// change records that the run has changed an object, or that one became ready.
func (a *activity) change(o addrs.Object) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.changed[o.Namespace] = time.Now()
}

// lastChange is when the run last changed something that an object may need: in its
// namespace, or something without one. An object without a namespace may need
// anything. It is zero if there was no such change.
func (a *activity) lastChange(o addrs.Object) time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	var last time.Time
	for namespace, at := range a.changed {
		if (o.Namespace == "" || namespace == "" || namespace == o.Namespace) && at.After(last) {
			last = at
		}
	}
	return last
}

// wait records that an object is waited for, and whether it is stuck.
func (a *activity) wait(addr addrs.Instance, stuck bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.waiting[addr] = !stuck
}

// leave records that an object is no longer waited for.
func (a *activity) leave(addr addrs.Instance) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.waiting, addr)
}

// getsOn reports whether anything that is waited for is not stuck.
func (a *activity) getsOn() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, moves := range a.waiting {
		if moves {
			return true
		}
	}
	return false
}
