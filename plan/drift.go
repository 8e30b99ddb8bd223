package plan

import (
	"time"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/state"
)

// Drift is a value of a live object that is no longer what kplan last applied.
type Drift struct {
	Path    addrs.Path `json:"path"`
	Manager string     `json:"manager,omitempty"` // who changed it, "" where the server does not record it: a value that was removed has no owner
	Time    time.Time  `json:"time,omitzero"`     // when that manager last changed the object
}

// addDrift finds out who made the live object differ from the desired one. A field
// that another manager owns now was changed by that manager. A field that nobody
// owns was removed, if it is certain that kplan applied it: the desired object is
// still the one that was applied last.
func addDrift(c *Change, entry state.Object, digest string) {
	for _, path := range sortedPaths(differences(c.Kind.Root, wanted(c, c.Before), wanted(c, c.After))) {
		if m := c.managers.Other(path); m != nil {
			c.Drift = append(c.Drift, Drift{path, m.Manager, m.Time})
		} else if entry.Digest == digest {
			c.Drift = append(c.Drift, Drift{Path: path})
		}
	}
}

// wanted is what an object has of the fields that the change's desired object sets.
func wanted(c *Change, object map[string]any) map[string]any {
	restricted, _ := restrict(c.Kind.Root, object, c.DesiredFields).(map[string]any)
	return restricted
}
