package hclspec

import (
	"slices"

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
	Later []Later
	// Triggers are what replaces the object when it changes.
	Triggers  []Trigger
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
	// Presumed has whoever refers to the object go on although the visit failed, as they do with an Object.
	Presumed bool
	// Unknown are the fields that are known after apply.
	Unknown addrs.PathSet
	// Pending are those of the Later of its Desired that have not appeared yet, by position. Who
	// refers to one waits for it: see Visitor.Await.
	Pending []int

	failed []int // of the same, those that will not appear
}

// OutputValue is the value of an output.
type OutputValue struct {
	Name      string
	Value     any // in JSON form; nil while unknown
	Type      any // cty's JSON spelling of the type: "string", ["list","string"]
	Unknown   bool
	Sensitive bool
}

// Later is a value of an object that something refers to, and that appears only
// some time after the object was made: the address of a pod, the token in a Secret.
type Later struct {
	// Paths are fields, one of which is enough: those that one call of try names.
	Paths []addrs.Path
	// Optional means that the configuration has another value in case none appears.
	Optional bool
	// Progress means that the value goes on changing until the object is ready.
	Progress bool
	Range    hcl.Range // of a reference to it
}

// Trigger is an object, or a field of it, whose change replaces another.
type Trigger struct {
	Instance addrs.Instance
	Path     addrs.Path // the zero Path for any change
}

// IsIn reports whether the object has the value.
func (l Later) IsIn(object map[string]any) bool {
	return slices.ContainsFunc(l.Paths, func(p addrs.Path) bool {
		value, ok := p.ValueIn(object)
		return ok && !isEmpty(value)
	})
}

// withLater adds what is still to appear to what is unknown of an object. Where
// there is another value in case it does not, that one counts.
func (s Observed) withLater(d *Desired) Observed {
	if s.Object == nil {
		return s
	}
	var unknown addrs.PathSet
	for _, later := range d.Later {
		if later.Optional || later.IsIn(s.Object) {
			continue
		}
		if unknown == nil {
			unknown = addrs.PathSet{}
			unknown.AddAll(s.Unknown)
			s.Unknown = unknown
		}
		for _, path := range later.Paths {
			unknown.Add(missingPart(path, s.Object))
		}
	}
	return s
}

// missingPart is how far one has to go along a path to come to what is not there:
// the whole list where that is an element.
func missingPart(path addrs.Path, object map[string]any) addrs.Path {
	var part addrs.Path
	for _, step := range path.Steps() {
		if step.IsIndex() {
			if _, ok := part.Append(step).ValueIn(object); !ok {
				return part
			}
		}
		part = part.Append(step)
		if _, ok := part.ValueIn(object); !ok {
			return part
		}
	}
	return part
}

// CheckStatus is whether the assertions of a check hold, as Terraform's JSON spells it.
type CheckStatus string

// The statuses, the worst last.
const (
	CheckPass    CheckStatus = "pass"
	CheckUnknown CheckStatus = "unknown" // it depends on what is not known yet, or is not part of the run
	CheckFail    CheckStatus = "fail"
	CheckError   CheckStatus = "error" // a condition could not be evaluated, or a data block not be read
)

// Or is the worse of two statuses.
func (s CheckStatus) Or(other CheckStatus) CheckStatus {
	order := []CheckStatus{CheckPass, CheckUnknown, CheckFail, CheckError}
	if slices.Index(order, other) > slices.Index(order, s) {
		return other
	}
	return s
}
