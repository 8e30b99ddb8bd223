package apply

import (
	"sync"
	"sync/atomic"
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
}

// Phase is how far an action has got.
type Phase byte

const (
	Started  Phase = iota // the first request is about to be sent
	Progress              // it is still under way; every ten seconds
	Done                  // it has been done
	Failed                // it has failed
	Waiting               // it has been done and is not ready yet; every ten seconds
	Ready                 // it is ready
)

// progressEvery is how often an action that takes long is told of.
const progressEvery = 10 * time.Second

// events tells of one event at a time.
type events struct {
	mu   sync.Mutex
	tell func(Event)
}

func (e *events) send(event Event) {
	if e.tell == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tell(event)
}

// during tells of an action from its start to its end. The action may say what
// it waits for.
func (e *events) during(event Event, act func(say func(string)) error) error {
	start := time.Now()
	event.Phase = Started
	e.send(event)
	var detail atomic.Value
	detail.Store("")
	stop := e.repeat(event, Progress, start, func() string { return detail.Load().(string) })
	err := act(func(text string) { detail.Store(text) })
	stop()
	event.Phase, event.Elapsed = Done, time.Since(start)
	if err != nil {
		event.Phase = Failed
	}
	e.send(event)
	return err
}

// repeat sends the event in that phase every ten seconds until stop is called.
func (e *events) repeat(event Event, phase Phase, start time.Time, detail func() string) (stop func()) {
	ticker := time.NewTicker(progressEvery)
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				event.Phase, event.Elapsed, event.Detail = phase, time.Since(start), detail()
				e.send(event)
			}
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}
