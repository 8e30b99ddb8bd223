package plan

import (
	"maps"
	"reflect"
	"slices"

	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/state"
)

// compareOutputs compares the outputs of the configuration with those that the
// state remembers. Of a sensitive one the state has a digest only.
func compareOutputs(s *state.State, now []hclspec.OutputValue) []OutputChange {
	var changes []OutputChange
	declared := map[string]bool{}
	for _, o := range now {
		declared[o.Name] = true
		old, existed := s.Outputs[o.Name]
		c := OutputChange{
			Name: o.Name, Action: Update, Before: before(old), After: o.Value, Type: o.Type,
			Unknown: o.Unknown, Sensitive: o.Sensitive || old.Sensitive,
		}
		switch {
		case !existed:
			c.Action, c.Before = Create, nil
		case !o.Unknown && sameOutput(s, old, o):
			c.Action = NoOp
		}
		changes = append(changes, c)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Outputs)) {
		if old := s.Outputs[name]; !declared[name] {
			changes = append(changes, OutputChange{Name: name, Action: Delete, Before: before(old), Type: old.Type, Sensitive: old.Sensitive})
		}
	}
	return changes
}

// before is what is known of the value an output had: of a sensitive one no
// more than that there was one, and its digest.
func before(old state.Output) any {
	if old.Sensitive {
		return old.Digest
	}
	return old.Value
}

func sameOutput(s *state.State, old state.Output, now hclspec.OutputValue) bool {
	if old.Sensitive != now.Sensitive {
		return false
	}
	if now.Sensitive {
		return old.Digest == s.Digest(now.Value)
	}
	return reflect.DeepEqual(jsonForm(old.Value), jsonForm(now.Value))
}
