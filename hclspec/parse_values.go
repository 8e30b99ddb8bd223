package hclspec

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/gocty"
)

// checkName refuses a name that could not be written in a reference.
func (p *parser) checkName(what, name string, at hcl.Range) bool {
	if hclsyntax.ValidIdentifier(name) && cty.NormalizeString(name) == name {
		return true
	}
	hint := ""
	if fixed := toIdentifier(name); fixed != "" {
		hint = fmt.Sprintf(" For example %q.", fixed)
	}
	p.problem("Invalid name", at, "The name of %s starts with a letter or an underscore and holds only letters, digits, underscores and dashes.%s", what, hint)
	return false
}

// toIdentifier is the nearest valid name, "" when there is none.
func toIdentifier(name string) string {
	fixed := strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, name)
	if fixed != "" && (fixed[0] == '-' || fixed[0] >= '0' && fixed[0] <= '9') {
		fixed = "_" + fixed
	}
	if strings.Trim(fixed, "_") == "" || !hclsyntax.ValidIdentifier(fixed) {
		return ""
	}
	return fixed
}

// constant evaluates an argument that may not depend on anything and stores it
// in target, a pointer to a Go value. It says whether there was a value.
func (p *parser) constant(attr *hcl.Attribute, target any) bool {
	if attr == nil {
		return false
	}
	value, ok := p.constantValue(attr.Name, attr.Expr)
	if !ok {
		return false
	}
	want, err := gocty.ImpliedType(target)
	if err != nil {
		panic("hclspec: an argument decoded into a Go type that cty has no type for: " + err.Error())
	}
	if value.IsNull() {
		p.problem("Unsuitable value", attr.Expr.Range(), "%s must not be null. Leave the argument out instead.", attr.Name)
		return false
	}
	converted, err := convert.Convert(value, want)
	if err == nil {
		err = gocty.FromCtyValue(converted, target)
	}
	if err != nil {
		p.problem("Unsuitable value", attr.Expr.Range(), "%s must be %s.", attr.Name, typeArticle(want))
		return false
	}
	return true
}

// constantValue evaluates an expression that may not depend on anything.
func (p *parser) constantValue(name string, expr hcl.Expression) (cty.Value, bool) {
	if refs := expr.Variables(); len(refs) > 0 {
		p.problem("Constant value required", refs[0].SourceRange(), "%s is read before anything is evaluated, so its value must be written out: it can't refer to %s.", name, describeReference(refs[0]))
		return cty.NilVal, false
	}
	if at, calls := functionCall(expr); calls {
		p.problem("Constant value required", at, "%s is read before anything is evaluated, so its value must be written out: it can't call functions.", name)
		return cty.NilVal, false
	}
	value, diags := expr.Value(nil)
	if diags.HasErrors() {
		p.report(diags)
		return cty.NilVal, false
	}
	return value, true
}

// functionCall is the place of an expression's first call. A string in JSON
// that could be a template is taken as it stands where there is no context, so
// that it has none.
func functionCall(expr hcl.Expression) (at hcl.Range, calls bool) {
	node, ok := expr.(hclsyntax.Node)
	if !ok {
		return hcl.Range{}, false
	}
	_ = hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics {
		if call, ok := n.(*hclsyntax.FunctionCallExpr); ok && !calls {
			at, calls = call.NameRange, true
		}
		return nil
	})
	return at, calls
}

// describeReference names what an expression refers to, in the spelling of the
// source: var.app, Pod.web.
func describeReference(ref hcl.Traversal) string {
	var b strings.Builder
	for _, step := range ref {
		switch s := step.(type) {
		case hcl.TraverseRoot:
			b.WriteString(s.Name)
		case hcl.TraverseAttr:
			if b.Len() > 0 && strings.Contains(b.String(), ".") {
				return b.String() + "." + s.Name
			}
			b.WriteString("." + s.Name)
		default:
			return b.String()
		}
	}
	return b.String()
}

// typeArticle names a type as it stands in a sentence.
func typeArticle(ty cty.Type) string {
	switch name := ty.FriendlyNameForConstraint(); {
	case ty == cty.Bool:
		return "true or false"
	case ty.Equals(cty.List(cty.String)), ty.Equals(cty.Map(cty.String)):
		return "a " + name + "s"
	case strings.HasPrefix(name, "object"), strings.HasPrefix(name, "any"):
		return "an " + name
	default:
		return "a " + name
	}
}

// sortedAttributes are the arguments of a body in the order of the source.
func sortedAttributes(attrs hcl.Attributes) []*hcl.Attribute {
	sorted := make([]*hcl.Attribute, 0, len(attrs))
	for _, attr := range attrs {
		sorted = append(sorted, attr)
	}
	slices.SortFunc(sorted, func(a, b *hcl.Attribute) int { return a.NameRange.Start.Byte - b.NameRange.Start.Byte })
	return sorted
}
