// Package addrs gives every kind of name in kplan a type of its own: addresses of the
// configuration (Pod.web["a"]), objects of the cluster (v1 Pod acme/web) and field paths
// inside an object (spec.ports[0]).
//
// All of them are comparable values with a String method and a Parse function that reads
// what String writes; the rest of kplan passes these types and never bare strings.
package addrs

import (
	"cmp"
	"fmt"
	"strconv"
	"unicode"
)

// Resource is the address of a resource block: ReplicationController.app, or
// module.shop.ReplicationController.app inside a module.
type Resource struct {
	Module string // "" at the root, otherwise the path of calls: module.shop
	Type   string // the Kubernetes kind as the block's first label spells it, or Manifests
	Name   string // the block's last label
}

// Manifests is the type of a manifests block, whose objects are of any kinds. The keys of its instances are
// kind, namespace and name: manifests.certs["Deployment/certs/webhook"].
const Manifests = "manifests"

// IsManifests reports whether the address is that of a manifests block.
func (r Resource) IsManifests() bool { return r.Type == Manifests }

// MayBecome reports whether an object of one block can be one of the other: an object keeps its kind.
func (r Resource) MayBecome(other Resource) bool {
	return r.Type == other.Type || r.IsManifests() || other.IsManifests()
}

// Instance is the address of one object of a resource block: Pod.web["a"] under
// for_each, Pod.web[0] under count, Pod.web under neither.
type Instance struct {
	Resource Resource
	Key      Key
}

// Key identifies an instance of a block. The zero Key is that of a block with neither
// for_each nor count.
type Key struct {
	kind  keyKind
	name  string
	index int
}

type keyKind byte

const ( // in the order that keys are sorted in
	noKey keyKind = iota
	intKey
	stringKey
)

// StringKey is the key of an instance under for_each.
func StringKey(name string) Key { return Key{kind: stringKey, name: name} }

// IntKey is the key of an instance under count.
func IntKey(index int) Key { return Key{kind: intKey, index: index} }

// IsZero reports whether the block has neither for_each nor count.
func (k Key) IsZero() bool { return k.kind == noKey }

// Name returns the for_each key, and whether k is one.
func (k Key) Name() (string, bool) { return k.name, k.kind == stringKey }

// Index returns the count index, and whether k is one.
func (k Key) Index() (int, bool) { return k.index, k.kind == intKey }

// String is the key as an address shows it: "", [0] or ["a"].
func (k Key) String() string {
	switch k.kind {
	case stringKey:
		return "[" + quote(k.name) + "]"
	case intKey:
		return "[" + strconv.Itoa(k.index) + "]"
	}
	return ""
}

// Compare orders keys: none first, then numbers by value, then names.
func (k Key) Compare(other Key) int {
	return cmp.Or(
		cmp.Compare(k.kind, other.kind),
		cmp.Compare(k.index, other.index),
		cmp.Compare(k.name, other.name))
}

// String is the address as the user writes it.
func (r Resource) String() string {
	switch {
	case r.Type == "": // a selection of all in the module
		return r.Module
	case r.Module != "":
		return r.Module + "." + r.Type + "." + r.Name
	}
	return r.Type + "." + r.Name
}

// Instance is the instance of r with that key.
func (r Resource) Instance(key Key) Instance { return Instance{Resource: r, Key: key} }

// String is the address as the user writes it.
func (i Instance) String() string { return i.Resource.String() + i.Key.String() }

// Compare orders instances by module, type, name and key.
func (i Instance) Compare(other Instance) int {
	return cmp.Or(
		cmp.Compare(i.Resource.Module, other.Resource.Module),
		cmp.Compare(i.Resource.Type, other.Resource.Type),
		cmp.Compare(i.Resource.Name, other.Resource.Name),
		i.Key.Compare(other.Key))
}

// MarshalText makes addresses strings in JSON.
func (i Instance) MarshalText() ([]byte, error) { return []byte(i.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (i *Instance) UnmarshalText(text []byte) error {
	parsed, err := ParseSelection(string(text))
	if err == nil {
		*i = parsed
	}
	return err
}

// ParseInstance reads an address such as Pod.web, Pod.web[0], Pod.web["a"] or
// module.shop.Pod.web["a"]. A key's quotes may be missing: shells take them
// from what their users type.
func ParseInstance(text string) (Instance, error) {
	fail := func(why string) (Instance, error) {
		return Instance{}, fmt.Errorf("%q is not a resource address: %s; an address looks like Pod.web, "+
			"Pod.web[0] or Pod.web[\"key\"]", text, why)
	}
	steps, err := parseSteps(text)
	if err != nil {
		return fail(err.Error())
	}
	module, steps, ok := cutModules(steps)
	switch {
	case !ok, len(steps) < 2, !isName(steps[0]), !isName(steps[1]):
		return fail("it needs a kind and a name")
	case steps[0].Field != Manifests && (steps[0].Field[0] < 'A' || steps[0].Field[0] > 'Z'):
		return fail("a kind begins with a capital letter")
	case len(steps) > 3, len(steps) == 3 && steps[2].kind == fieldStep:
		return fail("something follows the name")
	}
	inst := Instance{Resource: Resource{Module: module, Type: steps[0].Field, Name: steps[1].Field}}
	if len(steps) == 3 {
		inst.Key, ok = stepKey(steps[2])
		if !ok {
			return fail("a key is a number or a quoted string")
		}
	}
	return inst, nil
}

func stepKey(s Step) (Key, bool) {
	switch s.kind {
	case indexStep:
		return IntKey(s.Index), true
	case quotedStep:
		return StringKey(s.Field), true
	}
	return Key{}, false
}

// isName reports whether a step can be a name in HCL. Which letters beyond ASCII there
// are is left to HCL, which knows newer ones than this package; invisible characters are
// refused here.
func isName(s Step) bool {
	if s.kind != fieldStep || s.Field == "" {
		return false
	}
	for i, c := range s.Field {
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c > unicode.MaxASCII && !isInvisible(c)
		if !letter && (i == 0 || c != '-' && !(c >= '0' && c <= '9')) {
			return false
		}
	}
	return true
}

func isInvisible(c rune) bool {
	const nonJoiner, joiner = '\u200c', '\u200d' // some scripts need them, and HCL accepts them
	return c == unicode.ReplacementChar || c != nonJoiner && c != joiner && unicode.In(c, unicode.Cc, unicode.Cf, unicode.Co,
		unicode.Cs, unicode.Z)
}
