// Package kinds describes what a Kubernetes kind looks like: its scope, its fields,
// the keys of its lists, which of its values are secret, which the server alone
// decides and which are immutable. What the server makes of an object by itself is in
// kinds/server, which reads these descriptions.
//
// One description has many readings: decoding a configuration, "did you mean",
// defaults, list-keyed diffs, ownership of fields, masking of secrets. The
// descriptions of built-in kinds come from the Go types of k8s.io/api, those of
// custom kinds from a CustomResourceDefinition or the server's OpenAPI v3.
//
// What is known of the built-in kinds is in builtin.txt, one line per field,
// which internal/gen writes from the sources of the API modules in go.mod and
// from its own facts.txt. Nothing of it is decoded before it is asked for, type
// by type, so that a program that needs no kind pays for none.
package kinds

//go:generate go run ./internal/gen

import (
	"strings"

	"kplan.dev/kplan/addrs"
)

// Kind describes one version of a Kubernetes kind. It is never changed once made.
type Kind struct {
	Group      string // "" for the core group
	Version    string
	Name       string // what manifests call kind: ReplicationController
	Plural     string // as URLs spell it: replicationcontrollers
	Namespaced bool
	// Undefined marks a kind of which no definition is known, here or in the cluster: that
	// there is one, and which scope it has, is only assumed.
	Undefined bool
	// Root is the whole object, a field of type Object without a name. For a
	// kind of unknown shape it allows any field beside apiVersion, kind and
	// metadata.
	Root *Field
	// Schema is the schema that a CustomResourceDefinition gives for the kind, in JSON form,
	// nil where the kind was not read from one.
	Schema map[string]any

	// resets are the fields that only a subresource writes: the server ignores
	// them in an object that is applied.
	resets []string
}

// GroupKind is the kind without its version.
func (k *Kind) GroupKind() addrs.GroupKind { return addrs.GroupKind{Group: k.Group, Kind: k.Name} }

// IsCustom reports whether the kind comes from a CustomResourceDefinition. The
// groups of the API server itself have no dot or end in k8s.io.
func (k *Kind) IsCustom() bool {
	return strings.Contains(k.Group, ".") && !strings.HasSuffix(k.Group, ".k8s.io")
}

// APIVersion is the group and version as a manifest spells them.
func (k *Kind) APIVersion() string { return addrs.JoinAPIVersion(k.Group, k.Version) }

// Object is the object of this kind with that name.
func (k *Kind) Object(namespace, name string) addrs.Object {
	return addrs.Object{Group: k.Group, Version: k.Version, Kind: k.Name, Namespace: namespace, Name: name}
}

// ScopeMatches reports whether an object has a namespace if and only if those of this kind
// have one. One that does not was of another kind of this name: a definition's
// scope never changes, so that definition is gone, and the object with it.
func (k *Kind) ScopeMatches(o addrs.Object) bool { return k.Namespaced == (o.Namespace != "") }

// Type is the type of the values that a field holds, as JSON carries them.
type Type byte

const (
	Any         Type = iota // free form: any JSON
	Object                  // an object with known fields
	Map                     // an object with free keys, each value an Elem
	List                    // a list, each element an Elem
	String                  // a string
	Integer                 // a whole number
	Number                  // a number
	Boolean                 // true or false
	Quantity                // a resource.Quantity: a string or a number
	IntOrString             // a whole number or a string, such as a port
	Time                    // an RFC 3339 time, as a string
	Duration                // a duration such as 30s, as a string
	Bytes                   // binary data in base64, as a string
)

// Field describes one field of an object, the element of a list or the value
// of a map.
type Field struct {
	Name string // as the API spells it; "" for an element
	Type Type
	// Elem is what a Map or a List holds. An Object has one when it allows fields
	// beside those it declares, as a schema that preserves unknown fields does.
	Elem *Field

	// ListKeys are the fields that identify the elements of a List, as
	// server-side apply has them: port and protocol of a Service's ports.
	// Empty for a list that is replaced as a whole or holds a set.
	ListKeys []string
	// Set marks a List whose elements are distinct scalars owned one by one.
	Set bool
	// Atomic marks an Object, a Map or an Any that is owned and replaced as a
	// whole. A List is atomic when it has neither ListKeys nor Set.
	Atomic bool
	// KeepsEmpty marks a field in which an empty value means something else than
	// its absence: emptyDir: {} asks for a volume, replicas: 0 for none. Where it
	// is false the server drops "", 0, false, {} and [].
	KeepsEmpty bool

	// Nullable marks a field of a custom kind in which null is a value of its own, which the server
	// keeps: it is not the same as nothing, and no default takes its place.
	Nullable  bool
	Int32     bool // an Integer of 32 bits, as most in the API are
	Required  bool // an object without it is refused
	Sensitive bool // its value is a secret and is never shown
	// Immutable marks a field that the server refuses to change, add or remove
	// on an existing object. All fields below are marked themselves: under the spec
	// of a Pod everything is immutable, except for what the API names, such as
	// the image of a container. server.ForbidsChange decides what depends on the object.
	Immutable bool
	// Allocated marks a field that the server fills when the configuration
	// leaves it out, with a value that cannot be predicted: a uid, a cluster IP,
	// a node port, everything in status. server.KnownAfterApply decides whether it does so
	// in a given object.
	Allocated bool
	// ImmutableByCEL marks what a validation rule of a custom resource makes immutable, or
	// a field around it. Such a rule is evaluated only where its field has an old value
	// and a new one.
	ImmutableByCEL bool
	// KnownKeys are keys of a Map about which more is known than what Elem describes.
	KnownKeys map[string]*Field
	Default   any      // what the server fills in when it is absent, nil where nothing is known
	Enum      []string // the values of a String, where the API lists them

	children *children // of an Object, made when first asked for
	// keyDefault is what stands for the field in a list's key when it is absent:
	// the Default of the schema, or its type's zero value.
	keyDefault any
	// verbatim marks a value that the server keeps as it was written, as it does
	// in custom resources: there a duration 60s is not 1m0s.
	verbatim bool
	// lenient marks an Object in which structured merge takes any field, though
	// the server drops those not declared.
	lenient bool
	micro   bool // a Time with six digits after the second
}
