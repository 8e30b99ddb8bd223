package plan

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/state"
)

// Drift is a value of a live object that is no longer what kplan last applied.
type Drift struct {
	Path    addrs.Path `json:"path"`
	Manager string     `json:"manager,omitempty"` // who changed it, "" where the server does not tell: a value that was taken away has no owner
	Time    time.Time  `json:"time,omitzero"`     // when that manager last changed the object
}

// addDrift finds out who made the live object differ from the wish. A field
// that another manager owns now was changed by that manager. A field that
// nobody owns was taken away, if it is certain that kplan applied it: the wish
// is still the one that was applied last.
func addDrift(c *Change, live *unstructured.Unstructured, entry state.Object, digest string) {
	managers := otherManagers(live)
	for _, path := range sortedPaths(differences(c.Kind.Root, wanted(c, c.Before), wanted(c, c.After))) {
		place, err := fieldPath(path)
		if err != nil {
			continue
		}
		if m := ownerOf(managers, place); m != nil {
			c.Drift = append(c.Drift, Drift{path, m.name, m.time})
		} else if entry.Digest == digest {
			c.Drift = append(c.Drift, Drift{Path: path})
		}
	}
}

// wished is what an object has at the places that the change's wish sets.
func wanted(c *Change, object map[string]any) map[string]any {
	restricted, _ := restrict(c.Kind.Root, object, c.DesiredFields).(map[string]any)
	return restricted
}

// manager is a field manager other than kplan's applies.
type manager struct {
	name string
	time time.Time
	owns *fieldpath.Set
}

func otherManagers(live *unstructured.Unstructured) []manager {
	var managers []manager
	for _, m := range live.GetManagedFields() {
		if m.Manager == kube.Manager || m.FieldsV1 == nil {
			continue
		}
		set := &fieldpath.Set{}
		if set.FromJSON(m.FieldsV1.GetRawReader()) != nil {
			continue // written by a newer server: nobody to name
		}
		found := manager{name: m.Manager, owns: set}
		if m.Time != nil {
			found.time = m.Time.UTC()
		}
		managers = append(managers, found)
	}
	return managers
}

func ownerOf(managers []manager, place fieldpath.Path) *manager {
	for i, m := range managers {
		if owns(m.owns, place) {
			return &managers[i]
		}
	}
	return nil
}
