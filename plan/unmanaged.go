package plan

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/internal/redact"
	"kplan.dev/kplan/kinds"
)

// lastApplied is kubectl's own note of what it applied.
var lastApplied = addrs.NewPath("metadata", "annotations", corev1.LastAppliedConfigAnnotation)

// unmanagedIn are the fields of a live object that others have set and that the
// desired one does not have.
func unmanagedIn(kind *kinds.Kind, managers ownership.Record, live, desired map[string]any, ignored []addrs.Path, all bool) []Drift {
	return present(kind, managers.Unmanaged(all), live, desired, ignored)
}

// present are those of the fields that the live object has and the desired one has not.
func present(kind *kinds.Kind, fields []ownership.Field, live, desired map[string]any, ignored []addrs.Path) []Drift {
	var found []Drift
	for _, f := range fields {
		_, there := ValueAt(live, f.Path)
		_, wanted := valueIn(kind, desired, f.Path)
		if there && !wanted && f.Path != lastApplied && !slices.Contains(OwnMarks, f.Path) && !coveredBy(ignored, f.Path) {
			found = append(found, Drift{f.Path, f.Manager, f.Time})
		}
	}
	return found
}

// staying are those of the unmanaged fields that the object still has once the plan is
// applied. An adoption removes what it takes over from deploy tools, a replacement all.
func staying(unmanaged []Drift, after map[string]any) []Drift {
	if after == nil {
		return unmanaged
	}
	return slices.DeleteFunc(slices.Clone(unmanaged), func(u Drift) bool {
		_, stays := ValueAt(after, u.Path)
		return !stays
	})
}

// Unmanaged counts the fields that others have set in objects of the plan that stay,
// and those objects.
func (p *Plan) Unmanaged() (fields, objects int) {
	for _, c := range p.Changes {
		if n := len(c.Unmanaged); n > 0 && c.Action != Delete && c.Action != Forget {
			fields, objects = fields+n, objects+1
		}
	}
	return fields, objects
}

// UnmanagedValues are what the unmanaged fields hold, without secrets.
func (c *Change) UnmanagedValues() []any {
	shown := redact.Object(c.Kind, c.Before, c.Sensitive, func(any) any { return redact.Mask })
	masker := Masker(c)
	values := make([]any, len(c.Unmanaged))
	for i, u := range c.Unmanaged {
		values[i], _ = ValueAt(shown, u.Path)
		if text, ok := values[i].(string); ok {
			values[i] = masker.Hide(text)
		}
	}
	return values
}

// exclude has what others added in the fields of lifecycle.exclusive become kplan's,
// so that applying removes it. That is so, too, of what kplan set until now and somebody
// else as well.
func exclude(d *decision) {
	if len(d.desired.Lifecycle.Exclusive) == 0 || d.before == nil {
		return
	}
	desired, err := d.kind.FieldSet(d.fields)
	if err != nil {
		return // and the object is refused
	}
	exclusive := d.configured(d.desired.Lifecycle.Exclusive)
	for _, u := range present(d.kind, d.managers.Beside(desired), d.before, d.fields, d.configured(d.ignored())) {
		if coveredBy(exclusive, u.Path) {
			d.transfer = append(slices.Clip(d.transfer), u.Path)
			d.taken = append(d.taken, u)
		}
	}
}

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
