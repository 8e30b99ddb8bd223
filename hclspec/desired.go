package hclspec

import (
	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/manifest"
	"kplan.dev/kplan/kinds"
)

// Desired is one object as the configuration describes it. It is never edited
// after it was made.
type Desired struct {
	Addr addrs.Instance
	// Object names it in the cluster. The name is "" while it is not known yet
	// and when the server is to generate it.
	Object addrs.Object
	Kind   *kinds.Kind
	// Fields is the manifest in JSON form, apiVersion and kind included, as
	// unstructured.Unstructured holds it: map[string]any, []any, string, bool, int64, float64.
	// Nulls are left out, a Secret's stringData is merged into data, and what is not known yet is
	// left out too. A list with an element that is not known is not known as a whole.
	Fields map[string]any
	// Unknown are the fields whose values are not known yet.
	Unknown addrs.PathSet
	// Sensitive are the fields whose values must not be shown, by the kind or because a sensitive
	// value went into them.
	Sensitive addrs.PathSet
	// Dependencies are the instances that must exist before this one: those it refers
	// to and its Namespace and CustomResourceDefinition if declared here.
	Dependencies []addrs.Instance
	// Awaits are the instances that must be ready before this one: those that
	// depends_on names.
	Awaits []addrs.Instance
	// Later are the values that something refers to and that may appear only some time
	// after the object was made.
	Later     []Later
	Lifecycle config.Lifecycle
	Wait      config.Wait
	Range     hcl.Range // the head of the resource block

	// positions lead from a field of the object to the source.
	positions manifest.Positions
}

// RangeOf is the range of the source that sets the object's field at path, or the closest field
// above it that the source has. The path may pick elements of lists by position or by their keys.
func (d *Desired) RangeOf(path addrs.Path) hcl.Range {
	if path.IsZero() || d.positions.Root == nil {
		return d.Range
	}
	steps := pathByPosition(path, d.Fields).Steps()
	if d.isSecret() && steps[0].Field == "data" && len(steps) > 1 {
		text := append([]addrs.Step{{Field: "stringData"}}, steps[1:]...)
		if r, depth := d.positions.Find(text, d.Range); depth > 1 {
			return r
		}
	}
	r, _ := d.positions.Find(steps, d.Range)
	return r
}

// isWritten reports whether a field is written in the configuration itself, and not
// part of a value that an expression returns, such as a manifest read from a file.
func (d *Desired) isWritten(path addrs.Path) bool {
	if d.positions.Root == nil {
		return false
	}
	steps := path.Steps()
	_, depth := d.positions.Find(steps, d.Range)
	return depth == len(steps)
}

func (d *Desired) isSecret() bool {
	return d.Kind != nil && d.Kind.GroupKind() == kinds.Secret
}

// Observed is what a visitor found of an object: what the cluster has of it or would have after the
// visit. References to the object take their values from it.
type Observed struct {
	// Object is the whole object in JSON form, nil when no more is known of it
	// than its Desired.
	Object map[string]any
	// Unknown are the fields that are known after apply.
	Unknown addrs.PathSet
}

// OutputValue is the value of an output.
type OutputValue struct {
	Name      string
	Value     any // in JSON form; nil while unknown
	Type      any // cty's JSON spelling of the type: "string", ["list","string"]
	Unknown   bool
	Sensitive bool
}
