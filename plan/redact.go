package plan

import (
	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/state"
)

// redacted is the plan with a keyed digest in the place of every sensitive value.
func (p *Plan) redacted(s *state.State) *Plan {
	redacted := *p
	redacted.Changes = make([]*Change, len(p.Changes))
	for i, c := range p.Changes {
		copied := *c
		copied.DesiredFields, copied.Before, copied.After = redact(s, c, c.DesiredFields), redact(s, c, kept(c.Before)), redact(s, c, kept(c.After))
		redacted.Changes[i] = &copied
	}
	redacted.Outputs = make([]OutputChange, len(p.Outputs))
	for i, o := range p.Outputs {
		if o.Sensitive {
			o.Before, o.After = digestOf(s, o.Before), digestOf(s, o.After)
		}
		redacted.Outputs[i] = o
	}
	return &redacted
}

// kept is what a saved plan has of an object: what is visible of it, and what
// says which fields are kplan's.
func kept(object map[string]any) map[string]any {
	shown := visible(object)
	if own := ownership.Of(object).Own(); own != nil {
		shown["metadata"].(map[string]any)["managedFields"] = []any{own.Raw()}
	}
	return shown
}

// redact goes from the outside in: what is secret as a whole is done with before
// what is in it.
func redact(s *state.State, c *Change, object map[string]any) map[string]any {
	done := addrs.PathSet{}
	for _, path := range c.Sensitive.Sorted() {
		if done.Covers(path) {
			continue
		}
		if value, ok := ValueAt(object, path); ok {
			object = replaceAt(object, path.Steps(), digests(s, c.Kind.At(path), value)).(map[string]any)
			done.Add(path)
		}
	}
	return object
}

// digests is a secret value as one digest. Of an object that the kind calls
// secret each value has one, because the names in it are no secret: a plan that
// was saved shows what it showed before.
func digests(s *state.State, f *kinds.Field, value any) any {
	object, isObject := value.(map[string]any)
	if !isObject || f == nil || !f.Sensitive || f.Type != kinds.Map && f.Type != kinds.Object {
		return digestOf(s, value)
	}
	redacted := make(map[string]any, len(object))
	for name, inner := range object {
		redacted[name] = digests(s, f.Field(name), inner)
	}
	return redacted
}

func digestOf(s *state.State, value any) any {
	if value == nil {
		return nil
	}
	return "digest:" + s.Digest(value)
}
