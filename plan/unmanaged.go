package plan

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"kplan.dev/kplan/addrs"
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
		if there && !wanted && f.Path != lastApplied && !slices.Contains(ownMarks, f.Path) && !coveredBy(ignored, f.Path) {
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
