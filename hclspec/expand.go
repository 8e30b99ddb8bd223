package hclspec

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/budget"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/funcs"
	"kplan.dev/kplan/hclspec/manifest"
	"kplan.dev/kplan/hclspec/source"
)

// maxInstances bounds the objects of one configuration.
// A variable for the tests.
var maxInstances = 100_000

// expansion is the result of for_each or count.
type expansion struct {
	instances []repetition
	// origins are those of the for_each or count itself: they hold for every
	// instance.
	origins manifest.Origins
	// unknown means that the instances are not known yet.
	unknown bool
}

// repetition is one instance: its key and the each or count that it sees.
type repetition struct {
	key    addrs.Key
	name   string // "each", "count", or "" for neither
	values cty.Value
}

// expand evaluates for_each and count.
func expand(r config.Repetition, scope *hcl.EvalContext) (expansion, hcl.Diagnostics) {
	switch {
	case r.ForEach != nil:
		return expandForEach(r.ForEach, scope)
	case r.Count != nil:
		return expandCount(r.Count, scope)
	case r.Enabled != nil:
		return expandEnabled(r.Enabled, scope)
	}
	return expansion{instances: []repetition{{}}}, nil
}

// anyInstance represents all instances while they are not known.
func anyInstance(r config.Repetition) repetition {
	if r.ForEach != nil {
		return repetition{name: "each", values: cty.ObjectVal(map[string]cty.Value{
			"key": cty.UnknownVal(cty.String), "value": cty.DynamicVal,
		})}
	}
	if r.Count == nil {
		return repetition{}
	}
	return repetition{name: "count", values: cty.ObjectVal(map[string]cty.Value{"index": cty.UnknownVal(cty.Number)})}
}

func expandForEach(expr hcl.Expression, scope *hcl.EvalContext) (expansion, hcl.Diagnostics) {
	value, diags := funcs.Evaluate(expr, scope)
	if diags.HasErrors() {
		return expansion{unknown: true}, diags
	}
	var e expansion
	value, marks := manifest.UnmarkUnknown(value)
	refuse := func(format string, args ...any) (expansion, hcl.Diagnostics) {
		e.instances, e.unknown = nil, true
		return e, append(diags, source.ProblemIn("Invalid for_each argument", expr, scope, format, args...)...)
	}
	if e.origins.Take(marks) {
		return refuse("The keys of for_each name objects, so they can't be secret, and this value is sensitive. Where only " +
			"the values are secret and not the keys, write nonsensitive(keys(…)) and look the values up in the body.")
	}
	ty := value.Type()
	isMap := ty.IsMapType() || ty.IsObjectType()
	switch {
	case value.IsNull():
		return refuse("for_each is null. For no instance at all give an empty map: {}.")
	case !value.IsKnown() && (isMap || ty.IsSetType() || ty == cty.DynamicPseudoType):
		e.unknown = true
		return e, diags
	case ty.IsListType() || ty.IsTupleType():
		return refuse("for_each is a map or a set of strings, and this is a list, which may hold an element twice. Write toset(…) around it.")
	case !isMap && !ty.IsSetType():
		return refuse("for_each is a map or a set of strings, and this is %s.", manifest.DescribeValue(value))
	}
	for it := value.ElementIterator(); it.Next(); {
		key, element := it.Element()
		if !isMap {
			if !element.IsKnown() {
				e.unknown = true
				return e, diags
			}
			if element.IsNull() || element.Type() != cty.String {
				return refuse("for_each is a map or a set of strings, and this set holds something else.")
			}
			key = element
		}
		key, _ = key.Unmark()
		e.instances = append(e.instances, repetition{
			key: addrs.StringKey(key.AsString()), name: "each",
			values: cty.ObjectVal(map[string]cty.Value{"key": key, "value": element}),
		})
	}
	if len(e.instances) > maxInstances {
		return refuse("for_each makes %d instances; a configuration has at most %d.", len(e.instances), maxInstances)
	}
	slices.SortFunc(e.instances, func(a, b repetition) int { return a.key.Compare(b.key) })
	return e, diags
}

func expandEnabled(expr hcl.Expression, scope *hcl.EvalContext) (expansion, hcl.Diagnostics) {
	value, diags := funcs.Evaluate(expr, scope)
	if diags.HasErrors() {
		return expansion{unknown: true}, diags
	}
	var e expansion
	value, marks := manifest.UnmarkUnknown(value)
	isSecret := e.origins.Take(marks)
	on, err := convert.Convert(value, cty.Bool)
	switch {
	case isSecret:
		diags = append(diags, source.ProblemIn("Invalid enabled argument", expr, scope,
			"Whether there is an object can't be secret, and this value is sensitive.")...)
	case err != nil || on.IsNull():
		diags = append(diags, source.ProblemIn("Invalid enabled argument", expr, scope, "enabled is true or false, and this is %s.",
			manifest.DescribeValue(value))...)
	case !on.IsKnown():
	case on.True():
		e.instances = []repetition{{}}
		return e, diags
	default:
		return e, diags
	}
	e.unknown = true
	return e, diags
}

func expandCount(expr hcl.Expression, scope *hcl.EvalContext) (expansion, hcl.Diagnostics) {
	value, diags := funcs.Evaluate(expr, scope)
	if diags.HasErrors() {
		return expansion{unknown: true}, diags
	}
	var e expansion
	value, marks := manifest.UnmarkUnknown(value)
	refuse := func(format string, args ...any) (expansion, hcl.Diagnostics) {
		e.unknown = true
		return e, append(diags, source.ProblemIn("Invalid count argument", expr, scope, format, args...)...)
	}
	if e.origins.Take(marks) {
		return refuse("How many objects there are can't be secret, and this value is sensitive.")
	}
	if value.IsNull() {
		return refuse("count is null. For no instance at all write 0.")
	}
	if budget.IsHugeNumber(value) {
		return refuse("count is at most %d.", maxInstances)
	}
	number, err := convert.Convert(value, cty.Number)
	switch {
	case err != nil || value.Type() == cty.Bool:
		return refuse("count is a whole number, and this is %s.", manifest.DescribeValue(value))
	case !number.IsKnown():
		e.unknown = true
		return e, diags
	}
	n := number.AsBigFloat()
	if !n.IsInt() || n.Sign() < 0 {
		return refuse("count is a whole number that is not negative.")
	}
	count, _ := n.Int64()
	if count > int64(maxInstances) {
		return refuse("count is at most %d.", maxInstances)
	}
	for i := range int(count) {
		e.instances = append(e.instances, repetition{
			key: addrs.IntKey(i), name: "count",
			values: cty.ObjectVal(map[string]cty.Value{"index": cty.NumberIntVal(int64(i))}),
		})
	}
	return e, diags
}

func unknownRepetition(r config.Repetition, scope *hcl.EvalContext) hcl.Diagnostics {
	if r.Enabled != nil {
		return source.ProblemIn("Unknown enabled", r.Enabled, scope,
			"Whether there is an object must be known before anything is made, and this depends on what only the cluster will decide.")
	}
	if r.Count != nil {
		return source.ProblemIn("Unknown count", r.Count, scope,
			"How many instances there are must be known before anything is made, and this depends on what only the cluster will decide.")
	}
	return source.ProblemIn("Unknown for_each", r.ForEach, scope,
		"The keys of for_each must be known before anything is made, and these depend on what only the cluster will decide. "+
			"Use a map whose keys are written in the configuration, and let only its values depend on the cluster.")
}
