package plan

import (
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/state"
)

// offlineWhy is the reason of every prediction that is made offline.
const offlineWhy = "offline, from the state alone"

// guess plans an object without asking the cluster: the state knows whether it
// exists, and by a digest whether its wish is the one that was last applied.
func (p *planner) predictOffline(c *Change, same, recorded bool) (hclspec.Seen, *Change, error) {
	predicted, err := kube.Predict(c.Kind, nil, c.DesiredFields)
	if err != nil {
		return hclspec.Seen{}, nil, err
	}
	c.Certainty, c.Why = Predicted, offlineWhy
	c.After, c.Unknown = withoutAllocated(c.Kind, predicted, c.DesiredFields)
	c.Unknown.AddAll(c.Desired.Unknown)
	c.Sensitive = sensitivePaths(c, c.After)
	switch {
	case same:
		c.Action, c.Before = NoOp, c.After
	case recorded:
		c.Action = Update
	default:
		c.Action = Create
	}
	return hclspec.Seen{}, c, nil
}

// guessDeletion plans a deletion without looking at the object.
func predictDeletion(c *Change, o state.Object) *Change {
	kind, err := kinds.Builtin().Lookup(o.Object.Kind, o.Object.APIVersion())
	if err != nil {
		kind = kinds.Opaque(o.Object.Group, o.Object.Version, o.Object.Kind, "", o.Object.Namespace != "")
	}
	c.Kind, c.Certainty, c.Why = kind, Predicted, offlineWhy
	return c
}
