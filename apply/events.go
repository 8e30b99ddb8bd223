package apply

import (
	"sync"
	"time"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/plan"
)

// Event is a step of an apply, for people to watch.
type Event struct {
	Addr    addrs.Instance
	Object  addrs.Object
	Action  plan.Action
	Phase   Phase
	Elapsed time.Duration // since the action, or the waiting, began
	Detail  string        // of Progress and Waiting: what is still missing
	// Quiet is set where nothing but Detail is new, which is not worth a line of
	// its own.
	Quiet bool
	Tally Tally
}

// Tally is how far a run has got.
type Tally struct {
	Done, Changes  int // objects that were changed, of those to be changed
	Ready, Awaited int // objects that are ready, of those waited for
}

// Phase is how far an action has got.
type Phase byte

const (
	Started  Phase = iota // the first request is about to be sent
	Progress              // it is still in progress; every ten seconds
	Done                  // it has been done
	Failed                // it has failed
	Waiting               // it has been done and is not ready yet; every ten seconds
	Ready                 // it is ready
	NotReady              // it is not, and nobody waits for it any longer
)

// progressEvery is how often an action that takes long is reported.
const progressEvery = 10 * time.Second

// events reports one event at a time.
type events struct {
	*background
	mu      sync.Mutex
	report  func(Event) // see Input.Progress
	tally   Tally
	awaited map[addrs.Instance]bool // whether each object that is waited for is ready
}

// expect says what the run has to do and to wait for.
func (e *events) expect(changes int, awaited []addrs.Instance) {
	e.tally.Changes, e.awaited = changes, map[addrs.Instance]bool{}
	for _, addr := range awaited {
		e.expectReady(addr)
	}
}

func (e *events) send(event Event) {
	if e.report == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	switch event.Phase {
	case Done:
		e.tally.Done++
	case Ready:
		if ready, counts := e.awaited[event.Addr]; ready {
			return // as another wait for it has found
		} else if counts {
			e.awaited[event.Addr] = true
			e.tally.Ready++
		}
	}
	event.Tally = e.tally
	e.report(event)
}

// expectReady counts one more object that is waited for until it is ready, once.
func (e *events) expectReady(addr addrs.Instance) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, counted := e.awaited[addr]; !counted && e.awaited != nil {
		e.awaited[addr] = false
		e.tally.Awaited++
	}
}

// during reports an action from its start to its end. The action may note what it
// waits for.
func (e *events) during(event Event, act func(note func(string)) error) error {
	start := time.Now()
	event.Phase = Started
	e.send(event)
	detail := &detail{}
	stop := e.repeat(event, Progress, start, detail)
	err := act(func(text string) { e.note(event, Progress, start, detail, text) })
	stop()
	event.Phase, event.Elapsed = Done, time.Since(start)
	if err != nil {
		event.Phase = Failed
	}
	e.send(event)
	return err
}

// detail is what is still missing of an action.
type detail struct {
	mu   sync.Mutex
	text string
}

func (d *detail) get() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.text
}

// set reports whether the text is a new one.
func (d *detail) set(text string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	changed := d.text != text
	d.text = text
	return changed
}

// note quietly reports what is missing now, if that is something else.
func (e *events) note(event Event, phase Phase, start time.Time, detail *detail, text string) {
	if detail.set(text) {
		event.Phase, event.Elapsed, event.Detail, event.Quiet = phase, time.Since(start), text, true
		e.send(event)
	}
}

// repeat sends the event in that phase every ten seconds until stop is called.
func (e *events) repeat(event Event, phase Phase, start time.Time, detail *detail) (stop func()) {
	return e.repeatEvery(progressEvery, event, phase, start, detail)
}

func (e *events) repeatEvery(interval time.Duration, event Event, phase Phase, start time.Time, detail *detail) (stop func()) {
	ticker := time.NewTicker(interval)
	done, ended := make(chan struct{}), make(chan struct{})
	go e.run(func() {
		defer close(ended)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				event.Phase, event.Elapsed, event.Detail = phase, time.Since(start), detail.get()
				e.send(event)
			}
		}
	})
	return func() {
		close(done)
		<-ended
	}
}
