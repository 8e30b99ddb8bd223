package plan

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/server"
	"kplan.dev/kplan/state"
)

// decision is the planner's scratch about one object of the configuration. The
// Change is made from it, by change, once all is decided; nothing else outlives it.
type decision struct {
	// What is asked for.
	desired  *hclspec.Desired
	addr     addrs.Instance
	previous addrs.Instance // the address that the object had before, if it has another now
	object   addrs.Object
	kind     *kinds.Kind
	needs    []addrs.Instance // that it comes after
	fields   map[string]any   // of the desired object, as they would be sent

	// What is known before the cluster is asked.
	entry          state.Object // what the state records of the object
	recorded       bool         // the state has it
	redefined      bool         // the definition of its kind is changed by the same plan
	notDryRunnable string       // why the server can't be asked about a new object, "" where it can be
	mayExist       bool         // a new object, though the server can't be asked about it
	isTriggered    bool         // what replace_triggered_by names changes
	prior          []*Change    // what this plan changes of what the object comes after

	// What the cluster has.
	before          map[string]any // the live object, nil where there is none
	uid             string
	resourceVersion string
	managers        ownership.Record // who owns what of before
	sensitive       addrs.PathSet    // fields of before and after that must not be shown

	// What applying does to ownership.
	rules       rules
	adopts      bool         // the object is adopted, with what deploy tools applied
	besides     []string     // managers that count as deploy tools
	adoptedFrom []string     // the managers whose fields the adoption transfers
	dead        []string     // API versions of which entries are nobody's
	transfer    []addrs.Path // fields that become kplan's, so that applying removes them
	unmanaged   []Drift      // fields of other managers that the configuration does not set
	taken       []Drift      // fields of other managers that become kplan's
	forced      bool         // fields of other managers become kplan's, each of which may

	// What is decided. There is no Change while action is "".
	action            Action
	reason            Reason
	certainty         Certainty
	why               string
	after             map[string]any
	unknown           addrs.PathSet
	replacePaths      []addrs.Path
	rewritten         []addrs.Path // fields that the server makes of what is desired what they are already
	drift             []Drift
	acknowledgedDrift string
	doubtful          bool // the drift is only partly known
	relinquished      []Relinquished
	newlyManaged      []addrs.Path
	blocked           bool
	resets            []Reset
	answered          bool // after is the server's answer
	admitted          []Admitted
	yields            []addrs.Object // what goes first

	heard heard // warnings of the API server
}

// decided is what the walk keeps of a decision.
type decided struct {
	change   *Change // nil where nothing could be decided
	doubtful bool
	warnings []Warning
}

// decisions are those about the objects that one object needs.
type decisions = map[addrs.Instance]decided

// rules decide what becomes of a field that another manager owns.
type rules struct {
	record      *record // nil for an object that kplan has not applied
	forces      bool    // this run takes whatever the configuration sets
	refuseDrift bool    // what others have changed is not put back
	// autoscaler is what sets the replicas of the object, "" for nothing.
	autoscaler func() string
}

// record is which fields kplan applied to an object last, as the state has it.
type record struct {
	d     *decision
	state *state.State
	last  *bool // whether what is desired is what was applied last, once that is asked
}

// change makes the Change that was decided on, nil where nothing could be decided.
func (d *decision) change() *Change {
	if d.action == "" {
		return nil
	}
	c := &Change{
		Addr: d.addr, Previous: d.previous, Object: d.object, Kind: d.kind, Action: d.action, Reason: d.reason,
		Certainty: d.certainty, Why: d.why,
		DesiredFields: d.fields, Before: d.before, After: d.after, Unknown: d.unknown, Sensitive: d.sensitive,
		Drift: d.drift, Relinquished: d.relinquished, NewlyManaged: d.newlyManaged, Admitted: d.admitted, AcknowledgedDrift: d.acknowledgedDrift,
		ReplacePaths: d.replacePaths, UID: d.uid, ResourceVersion: d.resourceVersion,
		Dependencies: d.needs, Protected: d.desired.Lifecycle.PreventDestroy, Retained: d.desired.Lifecycle.Retain, Blocked: d.blocked,
		Range: d.desired.Range, Desired: d.desired,
		prior: d.prior, Yields: d.yields, Resets: d.resets, rewritten: d.rewritten,
		Transfer: d.transfer, AdoptManagers: d.besides, AdoptedFrom: d.adoptedFrom, DeadVersions: d.dead, Taken: d.taken,
		Unmanaged: staying(d.unmanaged, d.after),
		Force:     d.forced || len(d.desired.Lifecycle.ForceConflicts) > 0,
	}
	hideKeys(c)
	return c
}

// moved reports whether the object has another address than before.
func (d *decision) moved() bool { return d.previous != addrs.Instance{} }

// leave decides that the object stays as it is, and returns what references see.
func (d *decision) leave(certainty Certainty) hclspec.Observed {
	d.action, d.certainty, d.after = NoOp, certainty, d.before
	return hclspec.Observed{Object: WithoutOwn(d.before)}
}

// leaveDone decides that an object is not created again that the cluster has deleted
// once it was done.
func leaveDone(d *decision) hclspec.Observed {
	d.action, d.certainty, d.uid = NoOp, Compared, d.entry.UID
	d.before, d.after, d.unknown = nil, nil, addrs.PathSet{}
	return hclspec.Observed{Object: WithoutOwn(Gone(d.change()))}
}

// ignored are the fields of lifecycle.ignore_changes where they count: they yield
// to what others do to an object that stays.
func (d *decision) ignored() []addrs.Path {
	if d.before == nil {
		return nil
	}
	return d.desired.Lifecycle.IgnoreChanges
}

// unresolved are the fields that are known after apply, without those ignored.
func (d *decision) unresolved() addrs.PathSet { return unresolved(d.desired, d.ignored()) }

// configured are fields that a lifecycle block lists, in which a position counts
// the elements that the configuration has.
func (d *decision) configured(listed []addrs.Path) []addrs.Path {
	paths := make([]addrs.Path, len(listed))
	for i, path := range listed {
		paths[i] = keyed(d.kind, d.fields, path)
	}
	return paths
}

// withTransferredFields is Change.WithTransferredFields for the decision in its present form.
func (d *decision) withTransferredFields(live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	return handover{d.kind, d.transfer, d.adopts, d.besides, d.dead}.of(live)
}

// asDefined is the live object as the server will show it once this plan has
// changed the definition of its kind, which may have lost fields.
func (d *decision) asDefined(live *unstructured.Unstructured) *unstructured.Unstructured {
	if !d.redefined {
		return live
	}
	return &unstructured.Unstructured{Object: server.Pruned(d.kind, live.Object)}
}

// predecessors are the instances that an object comes after, each once: one that it
// waits for is often one that it refers to.
func predecessors(d *hclspec.Desired) []addrs.Instance {
	needs := slices.Clone(d.Dependencies)
	for _, awaited := range d.Awaits {
		if !slices.Contains(needs, awaited) {
			needs = append(needs, awaited)
		}
	}
	return needs
}

func forbiddenVerb(verb string, object addrs.Object, kind *kinds.Kind) string {
	if object.Namespace == "" {
		return fmt.Sprintf("no right to %s %s", verb, kind.Plural)
	}
	return fmt.Sprintf("no right to %s %s in namespace %s", verb, kind.Plural, object.Namespace)
}
