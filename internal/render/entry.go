package render

import (
	"iter"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/plan"
	"kplan.dev/kplan/plan/diff"
	"kplan.dev/kplan/plan/impact"
)

// entry is a change as it is shown. An object that changes its name is one
// entry, although it takes a creation and a deletion.
type entry struct {
	*plan.Change
	symbol symbol
	old    *plan.Change // the deletion that belongs to the creation, nil for none
	from   string       // whose the object is that is adopted, if another stack's
}

// entriesOf are the changes of a plan that are worth showing.
func entriesOf(pl *plan.Plan) []entry {
	return slices.DeleteFunc(allEntries(pl), func(e entry) bool {
		return e.Action == plan.NoOp && !e.Moved() && !e.Blocked && !e.hasDrifted(pl)
	})
}

// hasDrifted reports whether a refresh-only plan found the object changed.
func (e entry) hasDrifted(pl *plan.Plan) bool {
	return pl.Mode == plan.RefreshOnly && len(e.Drift) > 0
}

// allEntries are all changes of a plan, in its order.
func allEntries(pl *plan.Plan) []entry {
	renamed := map[addrs.Instance]*plan.Change{}
	for _, c := range pl.Changes {
		if c.Action == plan.Delete && c.Reason == plan.BecauseRenamed {
			renamed[c.Addr] = c
		}
	}
	paired := map[*plan.Change]bool{}
	var entries []entry
	for _, c := range pl.Changes {
		if old := renamed[c.Addr]; old != nil && c.Action == plan.Create {
			paired[old] = true
			e := entry{Change: renaming(c, old), symbol: replaceAfter, old: old}
			if pl.CascadesTo(old.Object) {
				e.symbol = replace
			}
			entries = append(entries, e)
			continue
		}
		e := entry{Change: c, symbol: symbolOfAction(c), from: pl.PreviousStack(c)}
		if e.hasDrifted(pl) {
			e.symbol = update
		}
		entries = append(entries, e)
	}
	return slices.DeleteFunc(entries, func(e entry) bool { return paired[e.Change] })
}

// renaming is the change from the old object to the new one.
func renaming(c, old *plan.Change) *plan.Change {
	both := *c
	both.Action, both.Before = plan.Replace, old.Before
	both.Sensitive = addrs.PathSet{}
	both.Sensitive.AddAll(c.Sensitive)
	both.Sensitive.AddAll(old.Sensitive)
	both.Consequences, both.Blocked = old.Consequences, c.Blocked || old.Blocked
	both.ReplacePaths = nil
	if c.Object.Group != old.Object.Group {
		both.ReplacePaths = append(both.ReplacePaths, addrs.NewPath("apiVersion"))
	}
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
	case plan.Adopt:
		if c.Diff().Op != diff.NoOp {
			return update
		}
	}
	return unchanged
}

// head is how the configuration names the object.
func (e entry) head() string {
	if e.Addr.Resource.IsManifests() {
		return "manifests " + quote(e.Addr.Resource.Name)
	}
	return "resource " + quote(e.Addr.Resource.Type) + " " + quote(e.Addr.Resource.Name)
}

// changesGroup reports whether the object becomes one of the same kind in another API group.
func (e entry) changesGroup() bool { return e.old != nil && e.old.Object.Group != e.Object.Group }

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
	if e.changesGroup() {
		return Clean(e.old.Object.String() + " -> " + o.String())
	}
	if e.old != nil && e.old.Object.Identity() != o.Identity() {
		return Clean(e.old.Object.QualifiedName() + " -> " + o.String())
	}
	if o.Name == "" || o.Namespace == "" && o.Name == e.Addr.Resource.Name && e.Addr.Key.IsZero() {
		return ""
	}
	return Clean(o.String())
}

// verb says what happens to the object, as Terraform says it.
func (e entry) verb(mode plan.Mode) string {
	if mode == plan.RefreshOnly && e.Action == plan.Forget && e.Reason != plan.BecauseOtherStack {
		return "has been deleted"
	}
	if mode == plan.RefreshOnly && len(e.Drift) > 0 {
		return "has changed"
	}
	switch e.Action {
	case plan.Create:
		return "will be created"
	case plan.Update:
		return "will be updated in-place"
	case plan.Replace:
		switch e.Reason {
		case plan.BecauseRequested:
			return "will be replaced, as requested"
		case plan.BecauseTriggered:
			if len(e.ReplacePaths) == 0 {
				return "will be replaced due to changes in replace_triggered_by"
			}
			return "will be replaced due to changes in replace_on"
		}
		return "must be replaced"
	case plan.Delete:
		return "will be destroyed"
	case plan.Forget:
		return "will be removed from the kplan state but will not be destroyed"
	case plan.Adopt:
		return "will be adopted"
	}
	if e.Moved() {
		return "has moved from " + Clean(e.Previous.String())
	}
	return "stays as it is"
}

// notes are the reasons and remarks under the head of an entry.
func (e entry) notes() []string {
	var notes []string
	if reason := e.reason(); reason != "" {
		notes = append(notes, reason)
	}
	if e.Moved() && e.Action != plan.NoOp {
		notes = append(notes, "moved from "+Clean(e.Previous.String()))
	}
	if recorded := addressIn(e.Before); recorded != "" && recorded != e.Addr.String() && addressIn(e.After) == e.Addr.String() && !e.Moved() {
		notes = append(notes, "its address is recorded in the object, too, where it was "+Clean(recorded))
	}
	if e.from != "" {
		notes = append(notes, "adopted from another kplan stack: "+Clean(e.from))
	}
	notes = append(notes, e.driftNotes()...)
	notes = append(notes, readNotes(e.UnmanagedReads)...)
	notes = append(notes, e.ownershipNotes()...)
	if overridden := e.overridden(); overridden != "" {
		notes = append(notes, "admission in the cluster overrides or removes what is configured: "+overridden)
	}
	for _, c := range e.Consequences {
		notes = append(notes, consequence(c))
	}
	if e.Certainty == plan.Predicted && e.Why != "" {
		notes = append(notes, "predicted: "+Clean(e.Why))
	}
	if e.Action == plan.Update && e.Before == nil {
		notes = append(notes, "its present fields are not known: all desired fields are shown")
	}
	if e.Blocked {
		notes = append(notes, "refused: see the errors")
	}
	return notes
}

// addressIn is the address that an object has in an annotation, "" for none.
func addressIn(object map[string]any) string {
	address, _, _ := unstructured.NestedString(object, "metadata", "annotations", addrs.AddressAnnotation)
	return address
}

func (e entry) reason() string {
	addr := e.Addr
	if e.changesGroup() {
		return "because its API group changes"
	}
	switch e.Reason {
	case plan.BecauseNotInConfig:
		return "because " + Clean(addr.Resource.String()) + " is not in configuration"
	case plan.BecauseEachKey:
		return "because key " + Clean(addr.Key.String()) + " is not in for_each map"
	case plan.BecauseCountIndex:
		return "because index " + Clean(addr.Key.String()) + " is out of range for count"
	case plan.BecauseNoModule:
		return "because " + Clean(addr.Resource.Module) + " is not in configuration"
	case plan.BecauseDisabled:
		return "because enabled is false"
	case plan.BecauseRepetition:
		return "because " + repetition(addr)
	case plan.BecauseRenamed, plan.BecauseReplaced:
		return "because its name or namespace changes"
	case plan.BecauseDeleted, plan.BecauseGone:
		return "it was deleted outside of kplan"
	case plan.BecauseUndefined:
		return "its kind has no definition in the cluster any more, and went with its objects"
	case plan.BecauseOtherStack:
		return "another kplan stack has adopted it"
	case plan.BecauseKept:
		return "the cluster itself keeps it, so that it can't be deleted"
	case plan.BecauseVersion:
		return "because kplan's fields are recorded in another API version"
	case plan.BecauseRetained:
		return "because its lifecycle block sets destroy = false"
	case plan.BecauseRemoved:
		return "because a removed block sets destroy = false"
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

// consequence is what a deletion cascades to, in words.
func consequence(c impact.Consequence) string {
	what := number(c.Count) + " " + Clean(c.Kinds())
	text := map[impact.Effect]string{
		impact.CascadesUnmanaged:   "also deletes " + what + " that kplan does not manage",
		impact.CascadesOtherStacks: "also deletes " + what + " that another kplan stack manages",
		impact.LosesData:           "loses the data in " + what,
		impact.Cascades:            "also deletes " + what,
		impact.MayBlock:            "waits until " + words.Count(c.Count, "finalizer") + words.Plural(c.Count, " is", " are") + " removed",
		impact.HeldBy:              "waits until " + what + words.Plural(c.Count, " that uses it is", " that use it are") + " gone",
		impact.LeavesClaims:        "leaves " + what + " as " + words.Plural(c.Count, "it is", "they are"),
		impact.ReleasesVolume:      "releases " + what + ", which keeps its data and which no new claim can be bound to",
		impact.WaitsForAPI:         "waits until " + words.Count(c.Count, "unavailable API") + words.Plural(c.Count, " is", " are") + " back",
		impact.Uncounted:           "may also delete objects of " + words.Count(c.Count, "kind") + " that this user may not list",
	}[c.Effect]
	if len(c.Names) == 0 {
		return text
	}
	text += ": " + clip(Clean(strings.Join(c.Names, ", ")), 200)
	if more := c.Count - len(c.Names); more > 0 {
		text += " and " + number(more) + " more"
	}
	return text
}

// ownershipNotes are the fields that the configuration no longer sets, or newly
// sets, where the value stays the same.
func (e entry) ownershipNotes() []string {
	var notes []string
	for i := 0; i < len(e.Relinquished); {
		manager, paths := e.Relinquished[i].Manager, []string{}
		for ; i < len(e.Relinquished) && e.Relinquished[i].Manager == manager; i++ {
			paths = append(paths, e.Relinquished[i].Path.String())
		}
		note := "no longer managed, and kept: " + clip(Clean(strings.Join(paths, ", ")), 200)
		if manager != "" {
			note += ", which " + quote(manager) + " sets, too"
		}
		notes = append(notes, note)
	}
	var paths []string
	for _, path := range e.NewlyManaged {
		paths = append(paths, path.String())
	}
	if len(paths) > 0 {
		notes = append(notes, "newly managed, with its present value: "+clip(Clean(strings.Join(paths, ", ")), 200))
	}
	return notes
}

// overridden are the configured fields of which admission makes something else.
func (e entry) overridden() string {
	var paths []string
	for _, d := range e.Admitted {
		if d.Overrides {
			paths = append(paths, d.Path.String())
		}
	}
	return clip(Clean(strings.Join(paths, ", ")), 200)
}

// driftNotes are who changed the object outside of kplan, and from whom the change
// takes fields, one note for each.
func (e entry) driftNotes() []string {
	var notes []string
	for fields, first := range byManager(e.Drift) {
		note := "changed outside of kplan: " + fields
		if first.Manager != "" {
			note += " by " + quote(first.Manager)
		}
		notes = append(notes, note+on(first.Time))
	}
	for _, manager := range e.AdoptedFrom {
		notes = append(notes, "adopts the fields that "+quote(manager)+" applied")
	}
	for fields, first := range byManager(e.Taken) {
		notes = append(notes, "taken from "+quote(first.Manager)+": "+fields)
	}
	return notes
}

// byManager are the fields of each manager in a row, in words, with the first of
// them.
func byManager(all []plan.Drift) iter.Seq2[string, plan.Drift] {
	return func(yield func(string, plan.Drift) bool) {
		for i := 0; i < len(all); {
			first, paths := all[i], []string{}
			for ; i < len(all) && all[i].Manager == first.Manager && all[i].Time.Equal(first.Time); i++ {
				paths = append(paths, all[i].Path.String())
			}
			if !yield(clip(Clean(strings.Join(paths, ", ")), 200), first) {
				return
			}
		}
	}
}

// on is when something was, "" where that is not known.
func on(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return " on " + at.UTC().Format(time.RFC3339)
}
