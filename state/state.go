// Package state records which objects a stack manages: the identity, uid, dependencies
// and digests of each and which of its fields were applied, and nothing that could be
// secret. Specs stay in the cluster.
//
// A state is kept in a Store. The store's lock orders runs; each write is a
// compare-and-swap on the serial, so that a run that lost its lock can't write.
package state

import (
	"crypto/rand"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"kplan.dev/kplan/addrs"
)

// Format is the version of the file format this kplan writes. It reads the earlier
// ones, too: format 1 does not record which fields were applied.
const Format = 2

// State is everything that kplan records of one stack.
type State struct {
	Format  int    `json:"format"`
	Lineage string `json:"lineage"` // a random id, given once: which stack this is
	Serial  uint64 `json:"serial"`  // grows by one with every write
	// Cluster is the uid of the namespace kube-system of the cluster the objects
	// live in, "" before the first apply.
	Cluster string `json:"cluster,omitempty"`
	// Key keys the digests of this stack, so that digests of equal secrets in
	// two stacks differ. 32 random bytes.
	Key []byte `json:"key"`

	Objects []Object          `json:"objects"` // sorted by address
	Pending []Pending         `json:"pending,omitempty"`
	Outputs map[string]Output `json:"outputs,omitempty"`
	// MigratedTo names the place that the state was migrated to. It is not to be used here any more: Decode
	// returns a *MigratedError.
	MigratedTo string `json:"migrated_to,omitempty"`
}

// Object is an object that the stack manages.
type Object struct {
	Addr   addrs.Instance `json:"address"`
	Object addrs.Object   `json:"object"`
	UID    string         `json:"uid"`
	// Dependencies are the instances that this one depended on when it was last applied: they
	// are deleted after it.
	Dependencies []addrs.Instance `json:"needs,omitempty"`
	// Digest is the keyed digest of the fields last applied.
	Digest string `json:"digest,omitempty"`
	// Applied are the paths of the fields last applied, sorted, nil where they are not
	// known. Names that are sensitive are keyed digests: see State.MaskPath. Objects
	// share equal sets, so the slice is never changed. In the file it stands apart.
	Applied []addrs.Path `json:"-"`
	// AcknowledgedDrift is the keyed digest of what others had changed of the object
	// when a refresh-only plan was last applied.
	AcknowledgedDrift string `json:"acknowledged_drift,omitempty"`
	// Sensitive are the field paths that got a sensitive value of the configuration, so
	// that they are masked when the configuration no longer has them.
	Sensitive []addrs.Path `json:"sensitive,omitempty"`
	// Protected remembers lifecycle.prevent_destroy, which must also hold for a
	// block that was deleted from the configuration.
	Protected bool `json:"protected,omitempty"`
	// Retained remembers that lifecycle.destroy is false, for the same reason.
	Retained bool `json:"retained,omitempty"`
	// Deposed marks an object whose address is another object's now: it is still to be
	// deleted.
	Deposed bool `json:"deposed,omitempty"`
}

// Pending is an action that was about to be taken when the state was written. What
// became of it is found out by looking at the cluster.
type Pending struct {
	Addr         addrs.Instance   `json:"address"`
	Object       addrs.Object     `json:"object"`
	Action       PendingAction    `json:"action"`
	UID          string           `json:"uid,omitempty"` // of the object to replace or delete
	Dependencies []addrs.Instance `json:"needs,omitempty"`
	// Applied, Sensitive, Protected and Retained are what the state is to record of an object that
	// is created, as far as it is known before.
	Applied   []addrs.Path `json:"-"`
	Sensitive []addrs.Path `json:"sensitive,omitempty"`
	Protected bool         `json:"protected,omitempty"`
	Retained  bool         `json:"retained,omitempty"`
}

// PendingAction is what was about to be done.
type PendingAction string

const (
	PendingCreate  PendingAction = "create"  // the object may exist by now
	PendingReplace PendingAction = "replace" // the old one, the new one, or neither exists
	PendingDelete  PendingAction = "delete"  // it may be gone, or being deleted
)

// Output is an output value of the last apply. Of a sensitive one only the
// digest is kept.
type Output struct {
	Value     any    `json:"value,omitempty"` // as Kubernetes decodes JSON: numbers are int64 or float64
	Type      any    `json:"type,omitempty"`  // as cty spells types in JSON: "string", ["list","string"]
	Sensitive bool   `json:"sensitive,omitempty"`
	Digest    string `json:"digest,omitempty"`
}

// IsUnused reports whether no apply has used the state yet: it was only stored for plans to refer to.
func (s *State) IsUnused() bool {
	return s.Cluster == "" && len(s.Objects)+len(s.Pending)+len(s.Outputs) == 0
}

// New is the state of a stack that has never been applied.
func New() *State {
	key := make([]byte, keySize)
	rand.Read(key) // never fails: crypto/rand ends the program instead
	return &State{Format: Format, Lineage: uuid.NewString(), Key: key}
}

// NewAfterLoss is the empty state of a stack whose state is lost. The serial of that is not
// known. This one starts with the seconds since 1970, more than any number of writes, so
// that no older copy that turns up counts as newer.
func NewAfterLoss(lineage string, now time.Time) *State {
	s := New()
	s.Lineage, s.Serial = lineage, uint64(now.Unix())
	return s
}

// StackID is the value of the label kplan.dev/stack, by which the cluster's
// objects name the stack they belong to.
func (s *State) StackID() string { return s.Lineage }

// Clone is a copy that shares nothing with s but what is never changed.
func (s *State) Clone() *State {
	c := *s
	c.Key = slices.Clone(s.Key)
	c.Objects = slices.Clone(s.Objects)
	for i := range c.Objects {
		c.Objects[i].Dependencies = slices.Clone(c.Objects[i].Dependencies)
		c.Objects[i].Sensitive = slices.Clone(c.Objects[i].Sensitive)
	}
	c.Pending = slices.Clone(s.Pending)
	for i := range c.Pending {
		c.Pending[i].Dependencies = slices.Clone(c.Pending[i].Dependencies)
	}
	c.Outputs = maps.Clone(s.Outputs)
	for name, o := range c.Outputs {
		o.Value, o.Type = cloneJSON(o.Value), cloneJSON(o.Type)
		c.Outputs[name] = o
	}
	return &c
}

func cloneJSON(value any) any {
	switch value := value.(type) {
	case map[string]any:
		c := make(map[string]any, len(value))
		for k, v := range value {
			c[k] = cloneJSON(v)
		}
		return c
	case []any:
		c := make([]any, len(value))
		for i, v := range value {
			c[i] = cloneJSON(v)
		}
		return c
	}
	return value
}
