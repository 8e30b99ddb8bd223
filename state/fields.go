package state

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"kplan.dev/kplan/addrs"
)

// document is a state as its file has it: a State, but for the sets of applied
// fields. Objects that were made from one block have the same ones, so each set
// is stored once, under a name that follows from what it holds.
type document struct {
	Format    int                     `json:"format"`
	Lineage   string                  `json:"lineage"`
	Serial    uint64                  `json:"serial"`
	Cluster   string                  `json:"cluster,omitempty"`
	Key       []byte                  `json:"key"`
	Objects   []documentObject        `json:"objects"`
	Pending   []Pending               `json:"pending,omitempty"`
	Outputs   map[string]Output       `json:"outputs,omitempty"`
	FieldSets map[string][]addrs.Path `json:"field_sets,omitempty"`
}

type documentObject struct {
	Object
	FieldSet string `json:"field_set,omitempty"` // the name of what Applied holds
}

// documentOf is the state as its file has it.
func documentOf(s *State) document {
	out := document{
		Format: s.Format, Lineage: s.Lineage, Serial: s.Serial, Cluster: s.Cluster, Key: s.Key,
		Objects: make([]documentObject, len(s.Objects)), Pending: s.Pending, Outputs: s.Outputs,
		FieldSets: map[string][]addrs.Path{},
	}
	for i, o := range s.Objects {
		out.Objects[i].Object = o
		if len(o.Applied) > 0 {
			name := nameOf(o.Applied)
			out.Objects[i].FieldSet, out.FieldSets[name] = name, o.Applied
		}
	}
	return out
}

// nameOf is the name of a set of fields.
func nameOf(fields []addrs.Path) string {
	sum := sha256.New()
	for _, path := range fields {
		io.WriteString(sum, path.String()+"\n") // a path has no line breaks
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// state is the state that a file holds.
func (in document) state() (*State, error) {
	s := &State{
		Format: in.Format, Lineage: in.Lineage, Serial: in.Serial, Cluster: in.Cluster, Key: in.Key,
		Objects: make([]Object, len(in.Objects)), Pending: in.Pending, Outputs: in.Outputs,
	}
	used := map[string]bool{}
	for i, o := range in.Objects {
		s.Objects[i] = o.Object
		if o.FieldSet == "" {
			continue
		}
		fields, there := in.FieldSets[o.FieldSet]
		if !there {
			return nil, fmt.Errorf("%s has the set of fields %s, which is missing", o.Addr, o.FieldSet)
		}
		s.Objects[i].Applied, used[o.FieldSet] = fields, true
	}
	for name, fields := range in.FieldSets {
		if !used[name] || nameOf(fields) != name || !slices.IsSortedFunc(fields, addrs.Path.Compare) {
			return nil, fmt.Errorf("the set of fields %s is not as kplan writes it", name)
		}
	}
	return s, nil
}

// maskPrefix begins a name that is a keyed digest.
const maskPrefix = "hmac:"

// MaskPath is a path with keyed digests in place of the names and keys in it that
// are sensitive: those inside of a sensitive field, and those of a list's element
// that are sensitive themselves.
func (s *State) MaskPath(path addrs.Path, sensitive addrs.PathSet) addrs.Path {
	if len(sensitive) == 0 {
		return path
	}
	var at, masked addrs.Path
	for _, step := range path.Steps() {
		inside := !at.IsZero() && sensitive.Covers(at)
		at = at.Append(step)
		switch {
		case step.IsField() && inside:
			masked = masked.Field(maskPrefix + s.Digest(step.Field))
		case step.IsKeys():
			masked = masked.Append(s.maskKeys(step, func(key string) bool { return inside || sensitive.Covers(at.Field(key)) }))
		default:
			masked = masked.Append(step)
		}
	}
	return masked
}

func (s *State) maskKeys(step addrs.Step, isSensitive func(key string) bool) addrs.Step {
	step.Keys = maps.Clone(step.Keys)
	for key, text := range step.Keys {
		if isSensitive(key) {
			step.Keys[key] = strconv.Quote(maskPrefix + s.Digest(text))
		}
	}
	return step
}
