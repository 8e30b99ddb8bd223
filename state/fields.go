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
	Pending   []documentPending       `json:"pending,omitempty"`
	Outputs   map[string]Output       `json:"outputs,omitempty"`
	FieldSets map[string][]addrs.Path `json:"field_sets,omitempty"`
	// MigratedTo comes last, so that states without it keep their checksums.
	MigratedTo string `json:"migrated_to,omitempty"`
}

type documentObject struct {
	Object
	FieldSet string `json:"field_set,omitempty"` // the name of what Applied holds
}

type documentPending struct {
	Pending
	FieldSet string `json:"field_set,omitempty"`
}

// documentOf is the state as its file has it.
func documentOf(s *State) document {
	out := document{
		Format: s.Format, Lineage: s.Lineage, Serial: s.Serial, Cluster: s.Cluster, Key: s.Key,
		Objects: make([]documentObject, len(s.Objects)), Outputs: s.Outputs, MigratedTo: s.MigratedTo,
		FieldSets: map[string][]addrs.Path{},
	}
	for i, o := range s.Objects {
		out.Objects[i] = documentObject{o, out.add(o.Applied)}
	}
	for _, p := range s.Pending {
		out.Pending = append(out.Pending, documentPending{p, out.add(p.Applied)})
	}
	return out
}

// add stores a set of fields and returns the name of it, "" for none.
func (out document) add(fields []addrs.Path) string {
	if len(fields) == 0 {
		return ""
	}
	name := nameOf(fields)
	out.FieldSets[name] = fields
	return name
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
		Objects: make([]Object, len(in.Objects)), Outputs: in.Outputs, MigratedTo: in.MigratedTo,
	}
	used := map[string]bool{}
	find := func(addr addrs.Instance, name string) ([]addrs.Path, error) {
		fields, there := in.FieldSets[name]
		if name != "" && !there {
			return nil, fmt.Errorf("%s has the set of fields %s, which is missing", addr, name)
		}
		used[name] = true
		return fields, nil
	}
	for i, o := range in.Objects {
		fields, err := find(o.Addr, o.FieldSet)
		if err != nil {
			return nil, err
		}
		s.Objects[i] = o.Object
		s.Objects[i].Applied = fields
	}
	for _, p := range in.Pending {
		fields, err := find(p.Addr, p.FieldSet)
		if err != nil {
			return nil, err
		}
		p.Pending.Applied = fields
		s.Pending = append(s.Pending, p.Pending)
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
