package manifest

import (
	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/hclspec/funcs"
	"kplan.dev/kplan/hclspec/source"
)

// CheckMetaArgument reports a block written as an argument or the other way
// round.
func (r *Reader) CheckMetaArgument(e *Entry) {
	isBlock := e.Name == "lifecycle" || e.Name == "wait"
	switch at, dynamic := e.dynamicBlock(); {
	case dynamic:
		r.Problem("Invalid dynamic block", at, "%s belongs to kplan and not to the object, so it is read before anything is repeated: "+
			"write it out, without dynamic. If a field of the object is meant, write manifest = { %s = … }.", e.Name, e.Name)
	case isBlock && e.Attr != nil:
		r.Problem("Invalid argument", e.Attr.NameRange,
			"%s is a block: it is written without an equals sign. If a field of the object is meant, "+
				"write manifest = { %s = … }.", e.Name, e.Name)
	case !isBlock && len(e.blocks) > 0:
		r.Problem("Invalid block", e.blocks[0].TypeRange,
			"%s is an argument: %s = …. If a field of the object is meant, write manifest = { %s = … }.", e.Name, e.Name, e.Name)
	}
}

// dynamicBlock is where the name is in a dynamic block.
func (e *Entry) dynamicBlock() (at hcl.Range, found bool) {
	for _, b := range e.blocks {
		if source.IsDynamic(b) {
			return b.LabelRanges[0], true
		}
	}
	return hcl.Range{}, false
}

func (r *Reader) APIVersion(expr hcl.Expression) (string, bool) {
	value, diags := expr.Value(r.Scope)
	if diags.HasErrors() {
		r.Diags = append(r.Diags, diags...)
		return "", false
	}
	apiVersion, ok := source.KeyString(value)
	if !ok || apiVersion == "" || funcs.IsSensitive(value) {
		r.Problem("Invalid API version", expr.Range(),
			"apiVersion is a string such as \"apps/v1\" that is the same for all instances and known from the start.")
		return "", false
	}
	return apiVersion, true
}

// CheckKind accepts a body that repeats the kind of the head.
func (r *Reader) CheckKind(e *Entry, kind string) {
	if e.Attr != nil {
		if value, diags := e.Attr.Expr.Value(r.Scope); !diags.HasErrors() {
			if said, ok := source.KeyString(value); ok && said == kind {
				return
			}
		}
	}
	r.Problem("Different kinds", e.NameRange(), "The kind of the object is the block's first label, %s. Remove kind.", kind)
}

// StaticAPIVersion reads the API version out of a manifest that is written
// out, or that is the same for all instances.
func (r *Reader) StaticAPIVersion(expr hcl.Expression) (apiVersion string, at hcl.Range, ok bool) {
	if pairs, isMap := staticMap(expr); isMap {
		for _, pair := range pairs {
			if !r.Fixed(pair.Key) {
				return "", at, false
			}
			key, _ := pair.Key.Value(r.Scope)
			if name, _ := source.KeyString(key); name == "apiVersion" {
				value, diags := pair.Value.Value(r.Scope)
				apiVersion, ok := source.KeyString(value)
				return apiVersion, pair.Value.Range(), ok && !diags.HasErrors() && !funcs.IsSensitive(value)
			}
		}
		return "", expr.Range(), true
	}
	if !r.Fixed(expr) {
		return "", at, false
	}
	value, diags := expr.Value(r.Scope)
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
