package hclspec

import (
	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/hclspec/funcs"
	"kplan.dev/kplan/hclspec/source"
)

// checkMetaArgument reports a block written as an argument or the other way
// round.
func (r *reader) checkMetaArgument(e *entry) {
	isBlock := e.name == "lifecycle" || e.name == "wait"
	switch {
	case isBlock && e.attr != nil:
		r.problem("Unsuitable argument", e.attr.NameRange, "%s is a block: it is written without an equals sign. If a field of the object is meant, write manifest = { %s = … }.", e.name, e.name)
	case !isBlock && len(e.blocks) > 0:
		r.problem("Unsuitable block", e.blocks[0].TypeRange, "%s is an argument: %s = …. If a field of the object is meant, write manifest = { %s = … }.", e.name, e.name, e.name)
	}
}

func (r *reader) apiVersion(expr hcl.Expression) (string, bool) {
	value, diags := expr.Value(r.scope)
	if diags.HasErrors() {
		r.diags = append(r.diags, diags...)
		return "", false
	}
	apiVersion, ok := source.KeyString(value)
	if !ok || apiVersion == "" || funcs.IsSensitive(value) {
		r.problem("Unsuitable API version", expr.Range(), "apiVersion is a string such as \"apps/v1\" that is the same for all instances and known from the start.")
		return "", false
	}
	return apiVersion, true
}

// checkKind lets a body repeat what the head says.
func (r *reader) checkKind(e *entry, kind string) {
	if e.attr != nil {
		if value, diags := e.attr.Expr.Value(r.scope); !diags.HasErrors() {
			if said, ok := source.KeyString(value); ok && said == kind {
				return
			}
		}
	}
	r.problem("Different kinds", e.nameRange(), "The kind of the object is the block's first label, %s. Remove kind.", kind)
}

// staticAPIVersion reads the API version out of a manifest that is written
// out, or that is the same for all instances.
func (r *reader) staticAPIVersion(expr hcl.Expression) (apiVersion string, at hcl.Range, ok bool) {
	if pairs, isMap := staticMap(expr); isMap {
		for _, pair := range pairs {
			if !r.fixed(pair.Key) {
				return "", at, false
			}
			key, _ := pair.Key.Value(r.scope)
			if name, _ := source.KeyString(key); name == "apiVersion" {
				value, diags := pair.Value.Value(r.scope)
				apiVersion, ok := source.KeyString(value)
				return apiVersion, pair.Value.Range(), ok && !diags.HasErrors() && !funcs.IsSensitive(value)
			}
		}
		return "", expr.Range(), true
	}
	if !r.fixed(expr) {
		return "", at, false
	}
	value, diags := expr.Value(r.scope)
	shallow, _ := value.Unmark()
	if diags.HasErrors() || funcs.IsSensitive(value) || !shallow.IsKnown() || shallow.IsNull() || !shallow.Type().IsObjectType() {
		return "", at, false
	}
	if !shallow.Type().HasAttribute("apiVersion") {
		return "", expr.Range(), true
	}
	apiVersion, ok = source.KeyString(shallow.GetAttr("apiVersion"))
	return apiVersion, expr.Range(), ok
}
