package apply

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"sync"
	"time"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/plan"
	"kplan.dev/kplan/state"
)

// flushEvery is how long results may wait to be written together.
const flushEvery = time.Second

// journal records what is about to be done and what was done. It is the one writer
// of the state during an apply.
type journal struct {
	*background
	save    func(context.Context, *state.State) error
	writing chan struct{} // full while save is running

	mu    sync.Mutex
	state *state.State // its objects as they were last written, after begin
	// objects are those of the state as they are now.
	objects *state.Table
	done    Summary
	dirty   bool
	// pending are the identities of the state's pending actions that are not
	// cleared. Those that are stay in the list until it is written: to remove each by
	// itself would cost the square of their number.
	pending map[addrs.Object]bool

	stop, stopped chan struct{}
	failure       error // of a write in between; the next write tries again
	halted        error // a failure that kept something from starting
}

func newJournal(current *state.State, save func(context.Context, *state.State) error) *journal {
	j := &journal{
		background: &background{}, state: current.Clone(), save: save, writing: make(chan struct{}, 1), pending: map[addrs.Object]bool{},
		stop: make(chan struct{}), stopped: make(chan struct{}),
	}
	for _, p := range j.state.Pending {
		j.pending[p.Object.Identity()] = true
	}
	return j
}

// begin writes everything that is about to be done, before the first of it.
func (j *journal) begin(ctx context.Context, p *plan.Plan) error {
	moves := map[addrs.Instance]addrs.Instance{}
	j.state.Cluster = p.Cluster
	for _, c := range p.Changes {
		if c.Moved() {
			moves[c.Previous] = c.Addr
		}
		if action, ok := pendingAction(c.Action); ok && c.Object.Name != "" {
			if j.pending[c.Object.Identity()] { // of a run before, which could not be looked up
				j.state.Pending = slices.DeleteFunc(j.state.Pending, func(p state.Pending) bool {
					return p.Object.Identity() == c.Object.Identity()
				})
			}
			j.state.Pending = append(j.state.Pending, pendingOf(c, action, j.state))
			j.pending[c.Object.Identity()] = true
		}
	}
	j.state.MoveAll(moves)
	j.objects = j.state.Table()
	if p.IsEmpty() { // end writes what is dirty, such as what was recovered
		close(j.stopped)
		return nil
	}
	snapshot := j.state.Clone()
	err := j.save(ctx, snapshot)
	j.state.Serial = snapshot.Serial // which it has also where a write is in place and yet failed
	if err != nil {
		close(j.stopped)
		return err
	}
	j.done.Moved = p.Counts().Move
	go j.run(func() { j.flushRegularly(context.WithoutCancel(ctx)) })
	return nil
}

func pendingAction(a plan.Action) (state.PendingAction, bool) {
	switch a {
	case plan.Create, plan.Adopt:
		return state.PendingCreate, true // from then on it has the stack's label
	case plan.Replace:
		return state.PendingReplace, true
	case plan.Delete:
		return state.PendingDelete, true
	}
	return "", false
}

// pendingOf is what is written of an action before it starts: with it, a run that finds
// its object knows as much of it as this one would have recorded.
func pendingOf(c *plan.Change, action state.PendingAction, s *state.State) state.Pending {
	p := state.Pending{Addr: c.Addr, Object: c.Object, Action: action, UID: c.UID, Dependencies: c.Dependencies}
	if action != state.PendingDelete {
		p.Applied, p.Sensitive = c.AppliedFields(s), c.SensitiveDesired()
		p.Protected, p.Retained = c.Protected, c.Retained
	}
	return p
}

// withName is a desired object under the name that the state has for it, if the
// configuration leaves its name open.
func (j *journal) withName(d *hclspec.Desired) *hclspec.Desired {
	j.mu.Lock()
	defer j.mu.Unlock()
	return plan.Named(d, j.state)
}

// recordPending writes what is about to be created under a name that begin did not know
// yet.
func (j *journal) recordPending(ctx context.Context, c *plan.Change) error {
	action, ok := pendingAction(c.Action)
	if !ok || !j.addPending(pendingOf(c, action, j.state)) {
		return nil
	}
	if err := j.flush(ctx); err != nil {
		return err
	}
	return j.mayStart(ctx)
}

// addPending adds a pending action and reports whether there was none for the object.
func (j *journal) addPending(p state.Pending) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.pending[p.Object.Identity()] {
		return false
	}
	j.dropCleared() // it may have been pending before
	j.state.Pending, j.dirty = append(j.state.Pending, p), true
	j.pending[p.Object.Identity()] = true
	return true
}

// flushRegularly writes the results of the last moments together.
func (j *journal) flushRegularly(ctx context.Context) {
	defer close(j.stopped)
	ticker := time.NewTicker(flushEvery)
	defer ticker.Stop()
	for {
		select {
		case <-j.stop:
			return
		case <-ticker.C:
			_ = j.flush(ctx)
		}
	}
}

// flush writes what has changed since the last write. Two that come at once write
// one after the other, and the second what the first left. It returns an error only
// if ctx ended before its turn came: a write that has begun is finished, and writeError
// is what became of it.
func (j *journal) flush(ctx context.Context) error {
	select {
	case j.writing <- struct{}{}:
		defer func() { <-j.writing }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	snapshot := j.changed()
	if snapshot == nil {
		return nil
	}
	err := errCutOff
	defer func() { j.written(snapshot, err) }()
	err = j.save(context.WithoutCancel(ctx), snapshot)
	return nil
}

// errCutOff is the failure of a write that ended in a panic.
var errCutOff = errors.New("writing the state was cut off by a bug")

// changed is the state to be written, nil if it is as it was written last.
func (j *journal) changed() *state.State {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.dirty {
		return nil
	}
	j.dropCleared()
	j.state.Objects = j.objects.List()
	snapshot := j.state.Clone()
	j.dirty = false
	return snapshot
}

func (j *journal) written(snapshot *state.State, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.failure = err
	j.state.Serial = snapshot.Serial
	if err != nil {
		j.dirty = true
	}
}

// mayStart makes sure that what starts now can be recorded: a write that failed is
// tried again, and while that fails nothing new may start.
func (j *journal) mayStart(ctx context.Context) error {
	if j.writeError() == nil {
		return nil
	}
	if err := j.flush(ctx); err != nil {
		return err
	}
	err := j.writeError()
	if err != nil {
		j.mu.Lock()
		defer j.mu.Unlock()
		j.halted = err
	}
	return err
}

// haltedBy is a failed write that kept something from starting, nil if none did.
func (j *journal) haltedBy() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.halted
}

// writeError is the error of the last write, nil if it succeeded.
func (j *journal) writeError() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.failure
}

// recordApplied records an object that was created or changed.
func (j *journal) recordApplied(c *plan.Change, o state.Object) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.objects.Put(o)
	j.clearPending(o.Object)
	switch c.Action {
	case plan.Create, plan.Replace: // what it replaces was removed
		j.done.Added++
	case plan.Update:
		j.done.Changed++
	case plan.Adopt:
		j.done.Adopted++
	}
}

// recordUnchanged records what the configuration now has for an object that is unchanged: what
// it needs, whether it is protected.
func (j *journal) recordUnchanged(o state.Object) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if known, ok := j.objects.Find(o.Addr); !ok || !reflect.DeepEqual(known, o) {
		j.objects.Put(o)
		j.dirty = true
	}
}

// recordGone records that an object was deleted, or is no longer managed.
func (j *journal) recordGone(c *plan.Change) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.objects.Remove(c.Object)
	j.clearPending(c.Object)
	switch c.Action {
	case plan.Delete:
		j.done.Destroyed++
	case plan.Forget:
		j.done.Forgotten++
	}
}

// recordAcknowledged records the drift that a refresh-only plan showed.
func (j *journal) recordAcknowledged(changes []*plan.Change) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, c := range changes {
		if o, known := j.objects.FindObject(c.Object); known && c.AcknowledgedDrift != "" {
			o.AcknowledgedDrift = c.AcknowledgedDrift
			j.objects.Put(o)
			j.dirty = true
		}
	}
}

// recordReplacing records that a replaced object is gone and its replacement not created yet.
func (j *journal) recordReplacing(c *plan.Change) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.objects.Remove(c.Object)
	j.dirty = true
	j.done.Destroyed++
}

func (j *journal) clearPending(object addrs.Object) {
	delete(j.pending, object.Identity())
	j.dirty = true
}

// dropCleared removes the pending actions from the state that have been cleared.
func (j *journal) dropCleared() {
	j.state.Pending = slices.DeleteFunc(j.state.Pending, func(p state.Pending) bool {
		return !j.pending[p.Object.Identity()]
	})
}

// recordNotAttempted drops the pending entry of an action that certainly did not happen.
func (j *journal) recordNotAttempted(object addrs.Object) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.clearPending(object)
}

// recordOutputs records the values of the outputs. Those that are not known because
// something failed stay as they were.
func (j *journal) recordOutputs(values []hclspec.OutputValue, p *plan.Plan) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, c := range p.Outputs {
		if c.Action == plan.Delete {
			delete(j.state.Outputs, c.Name)
			j.dirty = true
		}
	}
	for _, v := range values {
		if v.Unknown {
			continue
		}
		if j.state.Outputs == nil {
			j.state.Outputs = map[string]state.Output{}
		}
		o := state.Output{Type: v.Type, Sensitive: v.Sensitive}
		if v.Sensitive {
			o.Digest = j.state.Digest(v.Value)
		} else {
			o.Value = v.Value
		}
		j.state.Outputs[v.Name] = o
		j.dirty = true
	}
}

// end writes the last state. What is still pending by then was skipped or is not
// known, and is looked at by the next run.
func (j *journal) end(ctx context.Context) error {
	select {
	case <-j.stopped:
	default:
		close(j.stop)
		<-j.stopped
	}
	if err := j.flush(ctx); err != nil {
		return err
	}
	return j.writeError()
}

func (j *journal) summary() Summary {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.done
}

// stack is the id of the stack whose state this is.
func (j *journal) stack() string { return j.state.StackID() }

// digest is the keyed digest of the fields that the configuration has.
func (j *journal) digest(d *hclspec.Desired) string {
	return j.state.Digest(plan.DesiredFields(d, j.stack()))
}
