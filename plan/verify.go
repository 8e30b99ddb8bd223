package plan

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/state"
)

// Belongs checks that a saved plan can be applied with this state at all. It
// asks the cluster nothing, so it comes before the plan is made anew.
func (p *Plan) Belongs(s *state.State) hcl.Diagnostics {
	switch {
	case p.Lineage != s.Lineage:
		return staleness("Saved plan does not match the given state",
			fmt.Sprintf("The plan was made for the state with the lineage %s, but this one has %s. They belong to different stacks.", p.Lineage, s.Lineage))
	case p.Serial != s.Serial:
		return staleness("Saved plan is stale",
			fmt.Sprintf("The plan was made from the state with serial %d, and it is at serial %d now: something was applied in between, maybe this very plan. Make a new plan.", p.Serial, s.Serial))
	}
	return nil
}

// Verify checks that the plan made now, fresh, is the one that was saved and
// approved. Objects may have been changed since in ways that leave what the
// plan does to them as it was.
func (p *Plan) Verify(fresh *Plan, s *state.State) hcl.Diagnostics {
	now := fresh.Redacted(s)
	switch {
	case p.Cluster != now.Cluster:
		return staleness("Saved plan is for another cluster",
			fmt.Sprintf("The plan was made for the cluster at %s (%s), and this is the one at %s (%s).", p.Host, p.Cluster, now.Host, now.Cluster))
	case !maps.Equal(p.Sources, now.Sources):
		return staleness("Configuration was changed after the plan",
			fmt.Sprintf("These files are not what they were when the plan was made: %s. Make a new plan.", strings.Join(changedFiles(p.Sources, now.Sources), ", ")))
	}
	var diags hcl.Diagnostics
	for _, name := range slices.Sorted(maps.Keys(now.Variables)) {
		if p.Variables[name].Digest != now.Variables[name].Digest {
			diags = append(diags, staleness("Variable has another value than in the plan",
				fmt.Sprintf("The variable %q was given another value than when the plan was made.", name))...)
		}
	}
	return append(diags, p.verifyChanges(now)...)
}

func (p *Plan) verifyChanges(now *Plan) hcl.Diagnostics {
	var diags hcl.Diagnostics
	approved := map[changeKey]*Change{}
	for _, c := range p.Changes {
		approved[keyOf(c)] = c
	}
	for _, c := range now.Changes {
		old := approved[keyOf(c)]
		delete(approved, keyOf(c))
		if why := disagreement(old, c); why != "" {
			diags = append(diags, staleness("Saved plan is stale",
				fmt.Sprintf("%s (%s): %s Nothing was changed. Make a new plan.", c.Addr, c.Object, why))...)
		}
	}
	for _, c := range p.Changes {
		if _, missing := approved[keyOf(c)]; missing && c.Action != Keep {
			diags = append(diags, staleness("Saved plan is stale",
				fmt.Sprintf("%s (%s): the plan would %s it, and now there is nothing to do about it. Nothing was changed. Make a new plan.", c.Addr, c.Object, c.Action))...)
		}
	}
	return diags
}

// changeKey tells the changes of a plan apart: an object without a name yet is
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

// disagreement says what is different about a change made now from the
// approved one, "" where nothing that matters is.
func disagreement(approved, now *Change) string {
	switch {
	case approved == nil:
		return fmt.Sprintf("the plan does not have it, and now it would be to %s.", now.Action)
	case approved.Action != now.Action:
		return fmt.Sprintf("the plan would %s it, and now it would be to %s. The object was changed in the cluster after the plan.", approved.Action, now.Action)
	case approved.UID != now.UID:
		return "it was deleted and made again after the plan."
	case approved.Accepts != now.Accepts:
		return "what was changed outside of kplan is not what the plan says."
	case losses(approved) != losses(now):
		return fmt.Sprintf("it %s now, which the plan does not say.", cmp.Or(losses(now), "loses nothing"))
	case now.Action == Keep || now.Action == Delete || now.Action == Forget:
		return ""
	}
	if places := sameEffect(approved, now); len(places) > 0 {
		return fmt.Sprintf("what would become of %s is not what the plan says. The object was changed in the cluster after the plan.", places[0])
	}
	return ""
}

// losses is what a change takes along that was not asked for, in words.
func losses(c *Change) string {
	var lines []string
	for _, q := range c.Consequences {
		if q.Effect == TakesAlong || q.Effect == LosesData {
			lines = append(lines, q.String())
		}
	}
	return strings.Join(lines, "; ")
}

// sameEffect lists the places to which two changes of one object do different
// things. A kind that the approved plan itself defines is known to the plan
// made now alone.
func sameEffect(approved, now *Change) []addrs.Path {
	x := differences(now.Kind.Root, visible(approved.Before), visible(approved.After))
	y := differences(now.Kind.Root, visible(now.Before), visible(now.After))
	var places []addrs.Path
	for path := range union(x, y) {
		if !reflect.DeepEqual(jsonForm(x[path]), jsonForm(y[path])) {
			places = append(places, path)
		}
	}
	slices.SortFunc(places, addrs.Path.Compare)
	return places
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
