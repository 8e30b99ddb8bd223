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
		attributes := ty.AttributeTypes()
		for name, part := range value.AsValueMap() {
			key, inner := entryOf(expr, name)
			if attribute, ok := attributes[name]; ok {
				u.find(part, attribute, inner, path.Field(name))
			} else {
				u.report(name, ty, key, path)
			}
		}
	case ty.IsMapType() && isMap:
		for name, part := range value.AsValueMap() {
			_, inner := entryOf(expr, name)
			u.find(part, ty.ElementType(), inner, path.Field(name))
		}
	case ty.IsTupleType() && given.IsTupleType() && ty.Length() == given.Length():
		for i, part := range value.AsValueSlice() {
			u.find(part, ty.TupleElementType(i), elementOf(expr, i), path.Index(i))
		}
	case (ty.IsListType() || ty.IsSetType()) && (given.IsTupleType() || given.IsListType() || given.IsSetType()):
		for i, part := range value.AsValueSlice() {
			u.find(part, ty.ElementType(), elementOf(expr, i), path.Index(i))
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

// entryOf is where an object that is written out has the name, and the value under it.
func entryOf(expr hcl.Expression, name string) (*hcl.Range, hcl.Expression) {
	if expr == nil {
		return nil, nil
	}
	pairs, diags := hcl.ExprMap(expr)
	if diags.HasErrors() {
		return nil, nil
	}
	for _, pair := range pairs {
		if key, diags := pair.Key.Value(nil); !diags.HasErrors() {
			if text, ok := source.KeyString(key); ok && text == name {
				at := pair.Key.Range()
				return &at, pair.Value
			}
		}
	}
	return nil, nil
}

func elementOf(expr hcl.Expression, i int) hcl.Expression {
	if expr == nil {
		return nil
	}
	elements, diags := hcl.ExprList(expr)
	if diags.HasErrors() || i >= len(elements) {
		return nil
	}
	return elements[i]
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
