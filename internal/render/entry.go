package render

import (
	"strings"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/plan"
)

// entry is a change as it is shown. An object that changes its name is one
// entry, although it takes a creation and a deletion.
type entry struct {
	*plan.Change
	symbol symbol
	old    *plan.Change // the deletion that belongs to the creation, nil for none
}

// entriesOf are the changes of a plan that are worth showing.
func entriesOf(pl *plan.Plan) []entry {
	renamed := map[addrs.Instance]*plan.Change{}
	for _, c := range pl.Changes {
		if c.Action == plan.Delete && c.Reason == plan.BecauseRenamed {
			renamed[c.Addr] = c
		}
	}
	paired := map[*plan.Change]bool{}
	var entries []entry
	for _, c := range pl.Changes {
		old := renamed[c.Addr]
		switch {
		case paired[c], c.Action == plan.Keep && !c.Moved() && !c.Blocked:
		case c.Action == plan.Create && old != nil:
			paired[old] = true
			entries = append(entries, entry{Change: renaming(c, old), symbol: replaceAfter, old: old})
		default:
			entries = append(entries, entry{Change: c, symbol: symbolOfAction(c)})
		}
	}
	return withoutPaired(entries, paired)
}

// withoutPaired leaves out deletions that stood before their creation.
func withoutPaired(entries []entry, paired map[*plan.Change]bool) []entry {
	kept := entries[:0]
	for _, e := range entries {
		if !paired[e.Change] {
			kept = append(kept, e)
		}
	}
	return kept
}

// renaming is the change from the old object to the new one.
func renaming(c, old *plan.Change) *plan.Change {
	both := *c
	both.Action, both.Before = plan.Replace, old.Before
	both.Sensitive = addrs.PathSet{}
	both.Sensitive.AddAll(c.Sensitive)
	both.Sensitive.AddAll(old.Sensitive)
	both.ReplacePaths = nil
	if c.Object.Name != old.Object.Name {
		both.ReplacePaths = append(both.ReplacePaths, addrs.NewPath("metadata", "name"))
	}
	if c.Object.Namespace != old.Object.Namespace {
		both.ReplacePaths = append(both.ReplacePaths, addrs.NewPath("metadata", "namespace"))
	}
	return &both
}

func symbolOfAction(c *plan.Change) symbol {
	switch c.Action {
	case plan.Create:
		return create
	case plan.Update:
		return update
	case plan.Replace:
		return replace
	case plan.Delete:
		return destroy
	case plan.Forget:
		return forget
	case plan.Read:
		return read
	case plan.Adopt:
		if plan.Diff(c).Op != plan.Same {
			return update
		}
	}
	return unchanged
}

// head is how the configuration names the object.
func (e entry) head() string {
	keyword := "resource"
	if e.Action == plan.Read {
		keyword = "data"
	}
	return keyword + " " + quote(e.Addr.Resource.Type) + " " + quote(e.Addr.Resource.Name)
}

func (e entry) destroys() bool {
	return e.Action == plan.Delete || e.Action == plan.Replace
}

// lostObject is the object that is destroyed.
func (e entry) lostObject() addrs.Object {
	if e.old != nil {
		return e.old.Object
	}
	return e.Object
}

func (e entry) replacedBecause() string {
	if len(e.ReplacePaths) == 0 {
		return ""
	}
	var paths []string
	for _, p := range e.ReplacePaths {
		paths = append(paths, p.String())
	}
	return "  (" + clip(Clean(strings.Join(paths, ", ")), 120) + ")"
}

// objectName is the cluster's name of the object, where the address does not
// say it all.
func (e entry) objectName() string {
	o := e.Object
	if o.Name == "" || o.Namespace == "" && o.Name == e.Addr.Resource.Name && e.Addr.Key.IsZero() {
		return ""
	}
	if e.old != nil && e.old.Object.Identity() != o.Identity() {
		return Clean(e.old.Object.QualifiedName() + " -> " + o.String())
	}
	return Clean(o.String())
}

// verb says what happens to the object, as Terraform says it.
func (e entry) verb(mode plan.Mode) string {
	if mode == plan.RefreshOnly {
		return e.drift()
	}
	switch e.Action {
	case plan.Create:
		return "will be created"
	case plan.Update:
		return "will be updated in-place"
	case plan.Replace:
		if e.Reason == plan.BecauseRequested {
			return "will be replaced, as requested"
		}
		return "must be replaced"
	case plan.Delete:
		return "will be destroyed"
	case plan.Forget:
		return "will be removed from the kplan state but will not be destroyed"
	case plan.Adopt:
		return "will be adopted"
	case plan.Read:
		return "will be read during apply"
	}
	if e.Moved() {
		return "has moved from " + Clean(e.Previous.String())
	}
	return "stays as it is"
}

func (e entry) drift() string {
	if e.Action == plan.Update || e.Action == plan.Keep {
		return "has changed"
	}
	return "has been deleted"
}

// notes are the reasons and remarks under the head of an entry.
func (e entry) notes() []string {
	var notes []string
	if reason := e.reason(); reason != "" {
		notes = append(notes, reason)
	}
	if e.Moved() && e.Action != plan.Keep {
		notes = append(notes, "moved from "+Clean(e.Previous.String()))
	}
	if e.Certainty == plan.Predicted && e.Why != "" {
		notes = append(notes, "predicted: "+Clean(e.Why))
	}
	if e.Blocked {
		notes = append(notes, "refused: the errors say why")
	}
	return notes
}

func (e entry) reason() string {
	addr := e.Addr
	switch e.Reason {
	case plan.BecauseNotInConfig:
		return "because " + Clean(addr.Resource.String()) + " is not in configuration"
	case plan.BecauseEachKey:
		return "because key " + Clean(addr.Key.String()) + " is not in for_each map"
	case plan.BecauseCountIndex:
		return "because index " + Clean(addr.Key.String()) + " is out of range for count"
	case plan.BecauseRepetition:
		return "because " + repetition(addr)
	case plan.BecauseRenamed, plan.BecauseReplaced:
		return "because its name or namespace changes"
	case plan.BecauseDeleted, plan.BecauseGone:
		return "it was deleted outside of kplan"
	case plan.BecauseInterrupted:
		return "an earlier apply was interrupted before it was done"
	case plan.BecauseTerminating:
		return "it is being deleted"
	}
	return ""
}

func repetition(addr addrs.Instance) string {
	if _, ok := addr.Key.Index(); ok {
		return "resource does not use count"
	}
	if _, ok := addr.Key.Name(); ok {
		return "resource does not use for_each"
	}
	return "resource uses count or for_each"
}
