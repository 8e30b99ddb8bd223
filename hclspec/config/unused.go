package config

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/internal/words"
)

// unused finds the attributes of a value that its type does not have: conversion would drop them
// without a word, so that a misspelled one has no effect.
type unused struct {
	of       string // whose value it is: "var.app from -var"
	at       *hcl.Range
	isSecret bool
	diags    hcl.Diagnostics
}

// find looks into a value. expr is its source, nil where that is not known.
func (u *unused) find(value cty.Value, ty cty.Type, expr hcl.Expression, path addrs.Path) {
	value, _ = value.Unmark()
	if value == cty.NilVal || !value.IsKnown() || value.IsNull() {
		return
	}
	given := value.Type()
	switch isMap := given.IsObjectType() || given.IsMapType(); {
	case ty.IsObjectType() && isMap:
		attributes, entries := ty.AttributeTypes(), entriesOf(expr)
		for name, part := range value.AsValueMap() {
			if attribute, ok := attributes[name]; ok {
				u.find(part, attribute, entries[name].value, path.Field(name))
			} else {
				u.report(name, ty, entries[name].key, path)
			}
		}
	case ty.IsMapType() && isMap:
		entries := entriesOf(expr)
		for name, part := range value.AsValueMap() {
			u.find(part, ty.ElementType(), entries[name].value, path.Field(name))
		}
	case ty.IsTupleType() && given.IsTupleType() && ty.Length() == given.Length():
		elements := elementsOf(expr, value)
		for i, part := range value.AsValueSlice() {
			u.find(part, ty.TupleElementType(i), elements[i], path.Index(i))
		}
	case (ty.IsListType() || ty.IsSetType()) && (given.IsTupleType() || given.IsListType() || given.IsSetType()):
		elements := elementsOf(expr, value)
		for i, part := range value.AsValueSlice() {
			u.find(part, ty.ElementType(), elements[i], path.Index(i))
		}
	}
}

func (u *unused) report(name string, ty cty.Type, key *hcl.Range, path addrs.Path) {
	detail := "It is sensitive, so its name is not shown."
	where := ""
	if !u.isSecret {
		var names []string
		for known := range ty.AttributeTypes() {
			names = append(names, known)
		}
		slices.Sort(names)
		if !path.IsZero() {
			where = " at " + path.String()
		}
		detail = fmt.Sprintf("It is called %q.%s", name, words.Suggest(name, names))
	}
	if key == nil {
		key = u.at
	}
	u.diags = append(u.diags, &hcl.Diagnostic{
		Severity: hcl.DiagWarning,
		Summary:  "Unused attribute",
		Detail:   fmt.Sprintf("The value of %s has an attribute%s that its type does not have, so it is not used. %s", u.of, where, detail),
		Subject:  key,
	})
}

// entry is an entry of an object that is written out.
type entry struct {
	key   *hcl.Range
	value hcl.Expression
}

// entriesOf are the entries of an object that is written out, none where it is not.
func entriesOf(expr hcl.Expression) map[string]entry {
	if expr == nil {
		return nil
	}
	pairs, diags := hcl.ExprMap(expr)
	if diags.HasErrors() {
		return nil
	}
	entries := make(map[string]entry, len(pairs))
	for _, pair := range pairs {
		key, diags := pair.Key.Value(nil)
		if name, ok := source.KeyString(key); ok && !diags.HasErrors() {
			entries[name] = entry{pair.Key.Range().Ptr(), pair.Value}
		}
	}
	return entries
}

// elementsOf are where the elements of a list are written out, nil for each where they
// are not.
func elementsOf(expr hcl.Expression, list cty.Value) []hcl.Expression {
	if expr != nil {
		if elements, diags := hcl.ExprList(expr); !diags.HasErrors() && len(elements) == list.LengthInt() {
			return elements
		}
	}
	return make([]hcl.Expression, list.LengthInt())
}

// unusedInType are the unused attributes of the defaults that optional() gives in a type.
func unusedInType(of string, expr hcl.Expression) hcl.Diagnostics {
	native, ok := expr.(hclsyntax.Node)
	if !ok {
		return nil
	}
	u := unused{of: of}
	_ = hclsyntax.VisitAll(native, func(n hclsyntax.Node) hcl.Diagnostics {
		call, ok := n.(*hclsyntax.FunctionCallExpr)
		if !ok || call.Name != "optional" || len(call.Args) != 2 {
			return nil
		}
		ty, _, problems := typeexpr.TypeConstraintWithDefaults(call.Args[0])
		if value, diags := call.Args[1].Value(nil); !problems.HasErrors() && !diags.HasErrors() {
			at := call.Args[1].Range()
			u.at = &at
			u.find(value, ty, call.Args[1], addrs.Path{})
		}
		return nil
	})
	source.SortDiagnostics(u.diags)
	return u.diags
}
