package state

import (
	"fmt"
	"slices"
	"strings"

	"kplan.dev/kplan/addrs"
)

// Handover is the move of objects into the state of another stack, in two steps that are stored one after the other: Enter
// changes To, and Leave From. Cut off between them, each object is in both states, and the same handover can be repeated.
type Handover struct {
	From, To *State
	Moves    map[addrs.Instance]addrs.Instance // the addresses that objects have, and those that they get
}

// Objects are the entries that move, as From has them.
func (h Handover) Objects() []Object {
	return slices.DeleteFunc(slices.Clone(h.From.Objects), func(o Object) bool {
		_, moves := h.Moves[o.Addr]
		return !moves || o.Deposed
	})
}

// HandoverError is why an object can't be moved into the state of another stack.
type HandoverError struct {
	Addr    addrs.Instance
	Problem string
}

func (e *HandoverError) Error() string { return e.Addr.String() + " " + e.Problem }

// Check finds what keeps objects from being moved. That To has an object already at the address that it gets is nothing of
// that kind: an earlier handover was cut off.
func (h Handover) Check() error {
	there := h.To.Table()
	for _, o := range h.Objects() {
		to := h.Moves[o.Addr]
		if i := slices.IndexFunc(h.From.Pending, func(p Pending) bool { return p.Addr == o.Addr }); i >= 0 {
			return &HandoverError{o.Addr, fmt.Sprintf("has a %s that a run began and did not get to record. Apply first", h.From.Pending[i].Action)}
		}
		if i := slices.IndexFunc(h.To.Pending, func(p Pending) bool { return p.Addr == to }); i >= 0 {
			return &HandoverError{o.Addr, fmt.Sprintf("can't become %s there, which has a %s that a run began and did not get to record. "+
				"Apply that stack first", to, h.To.Pending[i].Action)}
		}
		if known, is := there.FindObject(o.Object); is && (known.Addr != to || known.UID != o.UID || known.Deposed) {
			return &HandoverError{o.Addr, fmt.Sprintf("is the object %s, and the other state has that at %s", o.Object, known.Addr)}
		} else if other, taken := there.Find(to); taken && !is {
			return &HandoverError{o.Addr, fmt.Sprintf("can't become %s there: that state has %s at this address", to, other.Object)}
		}
	}
	return nil
}

// Enter puts the objects into To, and reports whether that changed it. owned returns the fields of an object that kplan owns in
// the cluster: by them the names that are digests in From, under its key, are found again.
func (h Handover) Enter(owned func(Object) []addrs.Path) bool {
	there, changed := h.To.Table(), false
	for _, o := range h.Objects() {
		if _, is := there.FindObject(o.Object); !is {
			there.Put(h.entry(o, owned(o)))
			changed = true
		}
	}
	h.To.Objects = there.List()
	if h.To.Cluster == "" {
		h.To.Cluster = h.From.Cluster
	}
	return changed
}

// entry is what To has of an object. Digests are keyed, and mean nothing there: the next plan compares with the cluster.
func (h Handover) entry(o Object, owned []addrs.Path) Object {
	o.Applied = h.applied(o, owned)
	o.Addr = h.Moves[o.Addr]
	o.Digest, o.AcknowledgedDrift = "", ""
	var needs []addrs.Instance
	for _, need := range o.Dependencies { // others are of the stack that it leaves
		if to, moves := h.Moves[need]; moves {
			needs = append(needs, to)
		}
	}
	slices.SortFunc(needs, addrs.Instance.Compare)
	o.Dependencies = slices.Compact(needs)
	return o
}

// applied are the fields last applied, with the sensitive names among them as digests under the key of To.
func (h Handover) applied(o Object, owned []addrs.Path) []addrs.Path {
	paths, hidden := addrs.PathSet{}, map[addrs.Path]bool{}
	for _, path := range o.Applied {
		if strings.Contains(path.String(), maskPrefix) {
			hidden[path] = true
		} else {
			paths.Add(path)
		}
	}
	sensitive := addrs.NewPathSet(o.Sensitive...)
	for _, path := range owned {
		if hidden[h.From.MaskPath(path, sensitive)] {
			paths.Add(h.To.MaskPath(path, sensitive))
		}
	}
	if len(paths) == 0 {
		return nil // not known
	}
	return paths.Sorted()
}

// Leave removes the objects from From. What depends on them still names them, as after any object that was forgotten.
func (h Handover) Leave() {
	left := h.From.Table()
	for _, o := range h.Objects() {
		left.Remove(o.Object)
	}
	h.From.Objects = left.List()
}
