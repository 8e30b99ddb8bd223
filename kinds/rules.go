package kinds

import (
	"maps"
	"slices"
	"strings"

	"kplan.dev/kplan/addrs"
)

// rule is one fact of facts.txt about a field path of a kind.
type rule byte

const (
	immutable   rule = 1 << iota // the field and all below never change
	mutable                      // an exception inside an immutable field
	sensitive                    // the field and all below are secret
	allocated                    // the field and all below are the server's choice
	predictable                  // an exception inside an allocated field
	reset                        // only a subresource writes the field
)

var ruleNames = map[string]rule{
	"immutable": immutable, "mutable": mutable, "sensitive": sensitive,
	"allocated": allocated, "predictable": predictable, "reset": reset,
}

// rules are what is known about a field and those below it. They are never
// changed once made, so that kinds share what is the same for all. A nil rules is
// empty.
type rules struct {
	here  rule
	deflt any               // what the server fills in at the field in this kind alone
	below map[string]*rules // by field or map key; the elements of a list are the list
}

// with is r and one rule more: a name of ruleNames, or default= and JSON.
func (r *rules) with(name, path string) *rules {
	more := &rules{}
	if value, ok := strings.CutPrefix(name, "default="); ok {
		more.deflt = parseDefault(value)
	} else if more.here, ok = ruleNames[name]; !ok {
		panic("kinds: builtin.txt has an unknown rule " + name)
	}
	p, err := addrs.ParsePath(path)
	if err != nil {
		panic("kinds: builtin.txt: " + err.Error())
	}
	for _, step := range slices.Backward(p.Steps()) {
		more = &rules{below: map[string]*rules{step.Field: more}}
	}
	return r.merge(more)
}

// merge combines r and other. Where only one of them is set, the result is that
// one itself.
func (r *rules) merge(other *rules) *rules {
	if r == nil || r == other {
		return other
	}
	if other == nil {
		return r
	}
	both := &rules{here: r.here | other.here, deflt: r.deflt, below: maps.Clone(r.below)}
	if other.deflt != nil {
		both.deflt = other.deflt
	}
	for name, o := range other.below {
		if both.below == nil {
			both.below = map[string]*rules{}
		}
		both.below[name] = both.below[name].merge(o)
	}
	return both
}

// without is r without its rules for the field of that name.
func (r *rules) without(name string) *rules {
	if r == nil || r.below[name] == nil {
		return r
	}
	rest := &rules{here: r.here, deflt: r.deflt, below: maps.Clone(r.below)}
	delete(rest.below, name)
	return rest
}

// keys are the names below the field about which something is known.
func (r *rules) keys() []string {
	if r == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(r.below))
}

// defaultOf is what the server fills in for the field of that name in this
// kind, nil where that of its type applies.
func (r *rules) defaultOf(name string) any {
	if r == nil || r.below[name] == nil {
		return nil
	}
	return r.below[name].deflt
}

// fieldsWith are the fields directly below that have the rule.
func (r *rules) fieldsWith(bit rule) []string {
	var names []string
	for _, name := range r.keys() {
		if r.below[name].here&bit != 0 {
			names = append(names, name)
		}
	}
	return names
}

// pathRules are what the rules of a kind define for a field path: what it inherits
// from the paths above, and the rules for those below. Paths whose pathRules
// compare equal are described alike.
type pathRules struct {
	rules                           *rules
	immutable, sensitive, allocated bool
	byRule                          bool // immutable by a rule of a custom resource
}

// below are the rules of a field or map key. The elements of a list, and the values of
// a map, have the rules of the list or map.
func (p pathRules) below(name string) pathRules {
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
