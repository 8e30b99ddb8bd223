package kinds

import (
	"maps"
	"slices"

	"kplan.dev/kplan/addrs"
)

// rule is one thing that facts.txt says about a place of a kind.
type rule byte

const (
	immutable   rule = 1 << iota // the place and all below never change
	mutable                      // an exception inside an immutable place
	sensitive                    // the place and all below are secret
	allocated                    // the place and all below are the server's choice
	predictable                  // an exception inside an allocated place
	reset                        // only a subresource writes the place
)

var ruleNames = map[string]rule{
	"immutable": immutable, "mutable": mutable, "sensitive": sensitive,
	"allocated": allocated, "predictable": predictable, "reset": reset,
}

// rules are what is known about a place and those below it. They are never
// changed once made, so that kinds share what is the same for all. A nil rules
// knows nothing.
type rules struct {
	here  rule
	below map[string]*rules // by field or map key; the elements of a list are the list
}

// with is r and one rule more.
func (r *rules) with(name, path string) *rules {
	bit, ok := ruleNames[name]
	if !ok {
		panic("kinds: builtin.txt has an unknown rule " + name)
	}
	p, err := addrs.ParsePath(path)
	if err != nil {
		panic("kinds: builtin.txt: " + err.Error())
	}
	return r.withSteps(bit, p.Steps())
}

func (r *rules) withSteps(bit rule, steps []addrs.Step) *rules {
	next := &rules{}
	if r != nil {
		next.here, next.below = r.here, maps.Clone(r.below)
	}
	if len(steps) == 0 {
		next.here |= bit
		return next
	}
	if next.below == nil {
		next.below = map[string]*rules{}
	}
	name := steps[0].Field
	next.below[name] = next.below[name].withSteps(bit, steps[1:])
	return next
}

// merge is what r and other say together. Where only one of them says
// something, the result is that one itself.
func (r *rules) merge(other *rules) *rules {
	if r == nil || r == other {
		return other
	}
	if other == nil {
		return r
	}
	both := &rules{here: r.here | other.here, below: maps.Clone(r.below)}
	for name, o := range other.below {
		if both.below == nil {
			both.below = map[string]*rules{}
		}
		both.below[name] = both.below[name].merge(o)
	}
	return both
}

// keys are the names below the place about which something is known.
func (r *rules) keys() []string {
	if r == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(r.below))
}

// fieldsWith are the fields right below the place that have the rule.
func (r *rules) fieldsWith(bit rule) []string {
	var names []string
	for _, name := range r.keys() {
		if r.below[name].here&bit != 0 {
			names = append(names, name)
		}
	}
	return names
}

// place is what is known about a place from the rules of its kind: what it
// inherits from the places above, and the rules for those below. Places that
// compare equal are described alike.
type place struct {
	rules                           *rules
	immutable, sensitive, allocated bool
}

// below is the place of a field or map key.
func (p place) below(name string) place {
	if p.rules == nil {
		return p
	}
	p.rules = p.rules.below[name]
	if p.rules == nil {
		return p
	}
	here := p.rules.here
	p.immutable = (p.immutable || here&immutable != 0) && here&mutable == 0
	p.allocated = (p.allocated || here&allocated != 0) && here&predictable == 0
	p.sensitive = p.sensitive || here&sensitive != 0
	if p.rules.below == nil {
		p.rules = nil
	}
	return p
}

// element is the place of a list's element or a map's value.
func (p place) element() place { return p }
