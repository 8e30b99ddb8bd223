package plan

import (
	"time"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
)

// Drift is a value of a live object that is no longer what kplan last applied.
type Drift struct {
	Path    addrs.Path `json:"path"`
	Manager string     `json:"manager,omitempty"` // who changed it, "" where the server does not record it: a value that was removed has no owner
	Time    time.Time  `json:"time,omitzero"`     // when that manager last changed the object
}

// findDrift finds out who made the live object differ from the desired one. A field
// that another manager owns now was changed by that manager. A field that nobody
// owns was removed, if it is certain that kplan applied it: the desired object is
// still the one that was applied last.
func (p *planner) findDrift(d *decision) {
	isLast := d.entry.Digest == p.state.Digest(DesiredFields(d.desired, p.state.StackID()))
	for _, path := range sortedPaths(differences(d.kind.Root, wanted(d.kind, d.before, d.fields), wanted(d.kind, d.after, d.fields))) {
		if m := d.managers.Other(path); m != nil {
			d.drift = append(d.drift, Drift{path, m.Manager, m.Time})
		} else if isLast {
			d.drift = append(d.drift, Drift{Path: path})
		}
	}
}

// wanted is what an object has of the fields that the desired object sets.
func wanted(kind *kinds.Kind, object, desired map[string]any) map[string]any {
	restricted, _ := restrict(kind.Root, object, desired).(map[string]any)
	return restricted
}
