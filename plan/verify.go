package plan

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/internal/option"
	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/server"
	"kplan.dev/kplan/state"
)

// Belongs checks that a saved plan is as kplan wrote it and can be applied with
// this state. It asks the cluster nothing, so it comes before the plan is made
// anew.
func (p *Plan) Belongs(s *state.State) hcl.Diagnostics {
	switch {
	case p.Lineage != s.Lineage && s.Serial == 0:
		return staleness("Saved plan does not match the given state",
			fmt.Sprintf("The plan was made for the state with the lineage %s, and there is no state yet.", p.Lineage))
	case p.Lineage != s.Lineage:
		return staleness("Saved plan does not match the given state",
			fmt.Sprintf("The plan was made for the state with the lineage %s, but this one has %s. They belong to different stacks.",
				p.Lineage, s.Lineage))
	case p.sign != p.signWith(s):
		return staleness("Saved plan was edited",
			"The file was edited or damaged after kplan wrote it. Nothing was changed in the cluster. Make a new plan.")
	case p.Serial != s.Serial:
		return staleness("Saved plan is stale",
			fmt.Sprintf("The plan was made from the state with serial %d, and it is at serial %d now: "+
				"something was applied in between, possibly this plan. Make a new plan.", p.Serial, s.Serial))
	}
	return nil
}

// CheckInputs checks that the configuration and the values of its variables are those
// that the plan was made from. It asks the cluster nothing either.
func (p *Plan) CheckInputs(config *config.Config, values config.Values, s *state.State) hcl.Diagnostics {
	if now := sourcesOf(config, values, s); !maps.Equal(p.Sources, now) {
		return staleness("Configuration was changed after the plan",
			fmt.Sprintf("These files have changed since the plan was made: %s. Make a new plan.",
				strings.Join(changedFiles(p.Sources, now), ", ")))
	}
	var diags hcl.Diagnostics
	now := variablesOf(values, s)
	for _, name := range slices.Sorted(maps.Keys(now)) {
		if p.Variables[name].Digest != now[name].Digest {
			diags = append(diags, staleness("Variable has another value than in the plan", otherValue(name, p.Variables[name], now[name]))...)
		}
	}
	return diags
}

// longestValue is how much of a variable's value a message repeats.
const longestValue = 60

func otherValue(name string, planned, now Variable) string {
	if planned.Sensitive || now.Sensitive {
		return fmt.Sprintf("The plan was made with another value of the sensitive variable %[1]q. A saved plan does not contain such values: "+
			"give the value that the plan was made with, as KPLAN_VAR_%[1]s or with %[2]s, or make a new plan.", name, option.VarFile)
	}
	values := ""
	if len(planned.Value)+len(now.Value) <= 2*longestValue {
		values = fmt.Sprintf(" (%s, and now %s)", planned.Value, now.Value)
	}
	return fmt.Sprintf("The plan was made with another value of the variable %q%s. A saved plan contains its variables: "+
		"don't set this one, or make a new plan with the new value.", name, values)
}

// Verify checks that the plan made now, fresh, is the one that was saved and
// approved. Objects may have been changed since in ways that leave what the
// plan does to them as it was.
func (p *Plan) Verify(fresh *Plan, s *state.State) hcl.Diagnostics {
	if !p.isOfClusterOf(fresh) {
		return staleness("Saved plan is for another cluster",
			fmt.Sprintf("The plan was made for the cluster at %s (%s), and this is the one at %s (%s).",
				p.Host, p.Cluster, fresh.Host, fresh.Cluster))
	}
	var differing []string
	stale := func(c *Change, why string) {
		differing = append(differing, fmt.Sprintf("%s (%s): %s", c.Addr, c.Object, why))
	}
	approved := map[changeKey]*Change{}
	for _, c := range p.Changes {
		approved[keyOf(c)] = c
	}
	for i, c := range fresh.redacted(s).Changes {
		old := approved[keyOf(c)]
		delete(approved, keyOf(c))
		if why := disagreement(old, c, ownership.Of(fresh.Changes[i].Before)); why != "" {
			stale(c, why+since(old, c, fresh.Changes[i]))
		}
	}
	for _, c := range p.Changes {
		if _, missing := approved[keyOf(c)]; missing && c.Action != NoOp {
			stale(c, fmt.Sprintf("in the plan it would %s, and now there is nothing to do.", actionPhrases[c.Action]))
		}
	}
	return differently(differing)
}

// mostDiffering is how many objects are named whose change is not the approved one.
const mostDiffering = 10

// differently refuses a saved plan because of what would be done otherwise now.
func differently(differing []string) hcl.Diagnostics {
	const then = "Nothing was changed. Make a new plan."
	switch n := len(differing); {
	case n == 0:
		return nil
	case n == 1:
		return staleness("Saved plan is stale", differing[0]+" "+then)
	case n > mostDiffering:
		differing = append(differing[:mostDiffering:mostDiffering], fmt.Sprintf("and %d more", n-mostDiffering))
	}
	return staleness("Saved plan is stale",
		"These changes are not the approved ones any more:\n\n    "+strings.Join(differing, "\n    ")+"\n\n"+then)
}

// isOfClusterOf reports whether two plans are of one cluster. One of them may have
// been made by a user who may not see the uid that identifies it: then their addresses do.
func (p *Plan) isOfClusterOf(fresh *Plan) bool {
	if !sameSort(p.Cluster, fresh.Cluster) {
		return p.Host == fresh.Host
	}
	return p.Cluster == fresh.Cluster
}

// changeKey identifies a change of a plan: an object without a name yet is
// known by its address alone.
type changeKey struct {
	object addrs.Object
	addr   addrs.Instance
}

func keyOf(c *Change) changeKey {
	if c.Object.Name == "" {
		return changeKey{addr: c.Addr}
	}
	return changeKey{object: c.Object.Identity()}
}

// disagreement is what is different about a change made now from the
// approved one, "" where nothing that matters is. A saved plan has not all managers of an
// object: those of now are given.
func disagreement(approved, now *Change, managers ownership.Record) string {
	switch {
	case approved == nil:
		return fmt.Sprintf("it is not in the plan, and now it would %s.", actionPhrases[now.Action])
	case approved.Action != now.Action:
		return fmt.Sprintf("in the plan it would %s, and now it would %s.", actionPhrases[approved.Action], actionPhrases[now.Action])
	case approved.UID != now.UID:
		return "it was deleted and recreated after the plan."
	case approved.AcknowledgedDrift != now.AcknowledgedDrift:
		return "its drift differs from the plan."
	case losses(approved) != losses(now):
		return fmt.Sprintf("it now %s, which the plan does not show.", cmp.Or(losses(now), "loses nothing"))
	case now.Action == Delete && losesMore(approved, now, managers):
		return "it would be deleted, and holds something else than in the plan."
	case now.Action == NoOp || now.Action == Delete || now.Action == Forget:
		return ""
	}
	if paths := otherEffects(approved, now, managers); len(paths) > 0 {
		return fmt.Sprintf("the result for %s would differ from the plan.", paths[0])
	}
	return ""
}

// since is what was changed of the object after the plan, and who did it as
// far as the live object shows. Only fresh has all of its managers.
func since(approved, now, fresh *Change) string {
	switch {
	case approved == nil || approved.Before == nil && now.Before == nil:
		return ""
	case now.Before == nil:
		return " It was deleted after the plan."
	case approved.Before == nil:
		return " It was created after the plan" + by(&unstructured.Unstructured{Object: fresh.Before}, addrs.NewPath("metadata", "name")) + "."
	}
	changed := changedPlaces(now.Kind, approved.Before, now.Before, &unstructured.Unstructured{Object: fresh.Before})
	if changed == "" {
		return " The object itself is unchanged, but its dependencies, or the server's dry-run, now give another result."
	}
	return " After the plan " + changed + "."
}

// ChangedSince returns what others have changed of the object after the plan looked
// at it, and who did: "data.key was changed by "kubectl-edit" on …". It is "" where
// nothing is different that anybody would miss: what the control plane notes on
// an object, such as the revision of a Deployment, it notes on the next one.
func (c *Change) ChangedSince(live *unstructured.Unstructured) string {
	paths := sortedPaths(differences(c.Kind.Root, visible(c.Before), visible(live.Object)))
	managers := ownership.Of(live.Object)
	paths = slices.DeleteFunc(paths, func(path addrs.Path) bool {
		return isControllers(c.Kind, live.Object, path, managers)
	})
	return wereChanged(paths, live)
}

func changedPlaces(kind *kinds.Kind, before, now map[string]any, live *unstructured.Unstructured) string {
	return wereChanged(sortedPaths(differences(kind.Root, visible(before), visible(now))), live)
}

func wereChanged(paths []addrs.Path, live *unstructured.Unstructured) string {
	if len(paths) == 0 {
		return ""
	}
	text := paths[0].String()
	if more := len(paths) - 1; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text + " was changed" + by(live, paths[0])
}

// by names the manager of a field: " by "kubectl-edit" on 2026-03-01 12:00:00 UTC",
// or nothing.
func by(live *unstructured.Unstructured, path addrs.Path) string {
	m := ownership.Of(live.Object).OtherEntry(path)
	if m == nil {
		return ""
	}
	return fmt.Sprintf(" by %s on %s", quoted(m.Manager), m.Time.Format("2006-01-02 15:04:05 MST"))
}

// losesMore reports whether deleting the object loses what was put into it after the
// plan. What controllers write is no loss.
func losesMore(approved, now *Change, managers ownership.Record) bool {
	for path := range differences(now.Kind.Root, visible(approved.Before), visible(now.Before)) {
		if !isControllers(now.Kind, now.Before, path, managers) {
			if path != addrs.NewPath("metadata", "deletionTimestamp") && path != addrs.NewPath("metadata", "deletionGracePeriodSeconds") {
				return true
			}
		}
	}
	return false
}

// isControllers reports whether a field was set by a controller and nobody else: by a program of
// Kubernetes itself or, where the field is one that is filled in some time after the object was
// made, by whatever is no tool that people deploy with. The scheduler's choice of a node has no
// manager at all.
func isControllers(kind *kinds.Kind, object map[string]any, path addrs.Path, managers ownership.Record) bool {
	m := managers.OtherEntry(path)
	switch {
	case m != nil && ownership.IsControlPlane(m.Manager):
		return true
	case m != nil && ownership.IsDeployTool(m.Manager):
		return false
	}
	return server.AppearsLater(kind, object, path)
}

// losses is what a change cascades to that was not asked for, in words.
func losses(c *Change) string {
	var lines []string
	for _, q := range c.destructive() {
		lines = append(lines, q.String())
	}
	return strings.Join(lines, "; ")
}

// otherEffects lists the fields to which two changes of one object do different
// things. A kind that the approved plan itself defines is known to the plan made
// now alone.
func otherEffects(approved, now *Change, managers ownership.Record) []addrs.Path {
	x := differences(now.Kind.Root, visible(approved.Before), visible(approved.After))
	y := differences(now.Kind.Root, visible(now.Before), visible(now.After))
	lenient := mayAdd(approved, now)
	var paths []addrs.Path
	for path := range union(x, y) {
		if isFilledIn(approved, now, path, managers) || lenient && isAdded(approved, now, path) ||
			isRestamped(now.Kind, now.DesiredFields, path, x[path], y[path]) {
			continue
		}
		if !reflect.DeepEqual(jsonForm(x[path]), jsonForm(y[path])) {
			paths = append(paths, path)
		}
	}
	slices.SortFunc(paths, addrs.Path.Compare)
	return paths
}

// isFilledIn reports whether all that is new about a field is that a controller has set it after the
// plan, on an object that is replaced: the new one will get its own.
func isFilledIn(approved, now *Change, path addrs.Path, managers ownership.Record) bool {
	_, was := ValueAt(approved.Before, path)
	_, isThere := ValueAt(now.Before, path)
	then, _ := ValueAt(approved.After, path)
	next, _ := ValueAt(now.After, path)
	return !was && isThere && reflect.DeepEqual(jsonForm(then), jsonForm(next)) && isControllers(now.Kind, now.Before, path, managers)
}

// mayAdd reports whether the server may do more now than was approved: who approved
// it was shown as a prediction, and what is asked for is still the same.
func mayAdd(approved, now *Change) bool {
	return approved.Certainty == Predicted && now.Certainty == Computed &&
		len(differences(now.Kind.Root, approved.DesiredFields, now.DesiredFields)) == 0
}

// isAdded reports whether a field is one that the server fills in by itself. What
// somebody has put there since is none: the change would take it away.
func isAdded(approved, now *Change, path addrs.Path) bool {
	_, was := ValueAt(approved.Before, path)
	_, serverSet := ValueAt(approved.After, path)
	_, isThere := ValueAt(now.Before, path)
	return !was && !serverSet && !isThere
}

func changedFiles(before, now map[string]string) []string {
	var names []string
	for name := range before {
		if now[name] != before[name] {
			names = append(names, name)
		}
	}
	for name := range now {
		if _, known := before[name]; !known {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func staleness(summary, detail string) hcl.Diagnostics {
	return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: summary, Detail: detail}}
}
