// Package state is kplan's memory of what it owns: the identity, uid,
// dependencies and digests of each object, and nothing that could be secret.
// Specs stay in the cluster, whose managedFields record which fields are ours.
//
// A state is kept in a Store. The store's lock gives order between runs; the
// serial that every write must continue gives safety, so that a run which lost
// its lock can't write.
package state

import (
	"kplan.dev/kplan/addrs"
)

// Format is the version of the file format this kplan writes.
const Format = 1

// State is everything kplan remembers of one stack.
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
}

// Object is an object that kplan owns.
type Object struct {
	Addr   addrs.Instance `json:"address"`
	Object addrs.Object   `json:"object"`
	UID    string         `json:"uid"`
	// Needs are the instances this one depended on when it was last applied:
	// they are deleted after it.
	Needs []addrs.Instance `json:"needs,omitempty"`
	// Digest is the keyed digest of the fields last applied.
	Digest string `json:"digest,omitempty"`
	// Protected remembers lifecycle.prevent_destroy, which must also hold for a
	// block that was deleted from the configuration.
	Protected bool `json:"protected,omitempty"`
}

// Pending is an action that was about to be taken when the state was written.
// What became of it is found out by looking at the cluster.
type Pending struct {
	Addr   addrs.Instance   `json:"address"`
	Object addrs.Object     `json:"object"`
	Action PendingAction    `json:"action"`
	UID    string           `json:"uid,omitempty"` // of the object to replace or delete
	Needs  []addrs.Instance `json:"needs,omitempty"`
}

// PendingAction is what was about to be done.
type PendingAction string

const (
	PendingCreate  PendingAction = "create"
	PendingReplace PendingAction = "replace"
	PendingDelete  PendingAction = "delete"
)

// Output is an output value of the last apply. Of a sensitive one only the
// digest is kept.
type Output struct {
	Value     any    `json:"value,omitempty"` // as JSON decodes it
	Type      any    `json:"type,omitempty"`  // as cty spells types in JSON: "string", ["list","string"]
	Sensitive bool   `json:"sensitive,omitempty"`
	Digest    string `json:"digest,omitempty"`
}
