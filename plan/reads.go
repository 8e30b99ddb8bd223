package plan

import (
	"slices"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/internal/ownership"
)

// UnmanagedRead is a field that others have set in an object, in a part of it that the
// configuration refers to: it is in a value, and no line of the configuration says so.
type UnmanagedRead struct {
	Addr addrs.Instance `json:"address"` // of the object that has the field
	Drift
}

// unmanagedReads finds what others have set in what is read of the objects of a plan.
type unmanagedReads struct {
	changes map[addrs.Resource][]*Change
	fields  map[*Change][]Drift // once asked for
}

// findUnmanagedReads has the changes and outputs of a plan say what they hold that others
// have set in other objects of it.
func findUnmanagedReads(p *Plan) {
	u := unmanagedReads{map[addrs.Resource][]*Change{}, map[*Change][]Drift{}}
	for _, c := range p.Changes {
		if c.Before != nil && c.Action != Delete && c.Action != Forget {
			u.changes[c.Addr.Resource] = append(u.changes[c.Addr.Resource], c)
		}
	}
	reads := map[addrs.Resource][]hclspec.Read{}
	for _, c := range p.Changes {
		if c.Desired == nil || c.Action == NoOp || len(c.Dependencies) == 0 {
			continue
		}
		r := c.Addr.Resource
		if _, known := reads[r]; !known {
			reads[r] = p.Preview.Reads(r)
		}
		c.UnmanagedReads = u.in(reads[r], func(of addrs.Instance) bool { return slices.Contains(c.Dependencies, of) })
	}
	for i, o := range p.Outputs {
		if o.Action != NoOp && o.Action != Delete {
			p.Outputs[i].UnmanagedReads = u.in(p.Preview.OutputReads(o.Name), func(addrs.Instance) bool { return true })
		}
	}
}

// in are the fields in what is read of those of the objects that count.
func (u unmanagedReads) in(reads []hclspec.Read, counts func(addrs.Instance) bool) []UnmanagedRead {
	var found []UnmanagedRead
	for _, read := range reads {
		for _, c := range u.changes[read.Resource()] {
			if !read.May(c.Addr) || !counts(c.Addr) {
				continue
			}
			for _, field := range u.of(c) {
				seen := UnmanagedRead{c.Addr, field}
				path := keyed(c.Kind, c.After, read.Path)
				if (path.Contains(field.Path) || field.Path.Contains(path)) && !slices.Contains(found, seen) {
					found = append(found, seen)
				}
			}
		}
	}
	return found
}

// of are the fields of an object that others have set, the cluster's own controllers among
// them, and that are there after its change.
func (u unmanagedReads) of(c *Change) []Drift {
	if known, ok := u.fields[c]; ok {
		return known
	}
	hidden := withHiddenKeys(c.Kind, c.Sensitive)
	found := staying(unmanagedIn(c.Kind, ownership.Of(c.Before), c.Before, c.DesiredFields, nil, true), c.After)
	for i := range found {
		found[i].Path = hidden.Outermost(found[i].Path)
	}
	u.fields[c] = found
	return found
}
