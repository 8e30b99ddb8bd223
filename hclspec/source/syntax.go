package source

import (
	"errors"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"kplan.dev/kplan/addrs"
)

// QuotedWord returns the text of a quoted string in native syntax. In JSON
// every expression is a string.
func QuotedWord(expr hcl.Expression) (string, bool) {
	if tmpl, ok := Bare(expr).(*hclsyntax.TemplateExpr); !ok || !tmpl.IsStringLiteral() {
		return "", false
	}
	text, ok := Written(expr)
	return text.AsString(), ok
}

// RootAttr returns the name behind the dot of a reference such as var.name.
func RootAttr(ref hcl.Traversal, root string) (string, bool) {
	if ref.IsRelative() || ref.RootName() != root || len(ref) < 2 {
		return "", false
	}
	return StepName(ref[1])
}

// StepName is the name that a step of a reference picks.
func StepName(step hcl.Traverser) (string, bool) {
	switch step := step.(type) {
	case hcl.TraverseAttr:
		return step.Name, true
	case hcl.TraverseIndex:
		if step.Key.Type() == cty.String && step.Key.IsKnown() && !step.Key.IsNull() {
			return step.Key.AsString(), true
		}
	}
	return "", false
}

// TraversalPath reads a reference whose root is a field of the object.
func TraversalPath(t hcl.Traversal) (addrs.Path, error) {
	var path addrs.Path
	for _, step := range t {
		switch s := step.(type) {
		case hcl.TraverseRoot:
			path = path.Field(s.Name)
		case hcl.TraverseAttr:
			path = path.Field(s.Name)
		case hcl.TraverseIndex:
			next := AppendKey(path, s.Key)
			if next == path {
				return addrs.Path{}, errors.New("a key in brackets is a string or a whole number")
			}
			path = next
		default:
			return addrs.Path{}, errors.New("only names, dots and keys in brackets are allowed")
		}
	}
	return path, nil
}

func AppendKey(path addrs.Path, key cty.Value) addrs.Path {
	switch {
	case !key.IsKnown() || key.IsNull() || key.IsMarked():
	case key.Type() == cty.String:
		return path.Field(key.AsString())
	case key.Type() == cty.Number:
		if i, accuracy := key.AsBigFloat().Int64(); accuracy == 0 && i >= 0 {
			return path.Index(int(i))
		}
	}
	return path
}

// DescribeReference names what an expression refers to, in the spelling of the
// source: var.app, Pod.web.
func DescribeReference(ref hcl.Traversal) string {
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

// FunctionCall is the range of an expression's first call. A string in JSON that could be a
// template is literal where there is no context, so that it has no call.
func FunctionCall(expr hcl.Expression) (at hcl.Range, calls bool) {
	node, ok := expr.(hclsyntax.Node)
	if !ok {
		return hcl.Range{}, false
	}
	VisitAll(node, func(n hclsyntax.Node) {
		if call, ok := n.(*hclsyntax.FunctionCallExpr); ok && !calls {
			at, calls = call.NameRange, true
		}
	})
	return at, calls
}

// SortedAttributes are the arguments of a body in the order of the source.
func SortedAttributes(attrs hcl.Attributes) []*hcl.Attribute {
	sorted := make([]*hcl.Attribute, 0, len(attrs))
	for _, attr := range attrs {
		sorted = append(sorted, attr)
	}
	slices.SortFunc(sorted, func(a, b *hcl.Attribute) int { return a.NameRange.Start.Byte - b.NameRange.Start.Byte })
	return sorted
}

// DuplicateKeys reports the keys that are written out twice in one object.
func DuplicateKeys(node hclsyntax.Node) hcl.Diagnostics {
	var diags hcl.Diagnostics
	VisitAll(node, func(n hclsyntax.Node) {
		object, ok := n.(*hclsyntax.ObjectConsExpr)
		if !ok {
			return
		}
		seen := map[string]hcl.Range{}
		for _, item := range object.Items {
			key, known := writtenKey(item.KeyExpr)
			if first, again := seen[key]; known && again {
				diags = append(diags, Problem("Duplicate key", item.KeyExpr.Range(),
					"This object has the key %q already, in line %d. Only one of the two values would count: take one away.", key,
					first.Start.Line)...)
			} else if known {
				seen[key] = item.KeyExpr.Range()
			}
		}
	})
	return diags
}

// writtenKey is a key that is written out, not computed.
func writtenKey(expr hclsyntax.Expression) (key string, ok bool) {
	value, ok := Written(expr)
	if !ok {
		return "", false
	}
	return KeyString(value)
}

// KeyString is a value that names a field or an entry of a map.
func KeyString(v cty.Value) (string, bool) {
	v, _ = v.Unmark()
	if !v.IsKnown() || v.IsNull() || !v.Type().IsPrimitiveType() {
		return "", false
	}
	return Text(v), true
}

// Text is a primitive value as a string, as HCL converts it. A number that
// would fill the memory with zeros is written with an exponent.
func Text(v cty.Value) string {
	if v.Type() == cty.Number {
		n := v.AsBigFloat()
		if n.MantExp(nil) > 4096 || n.MantExp(nil) < -4096 {
			return n.Text('g', -1)
		}
		if whole, exact := n.Int64(); exact == big.Exact && whole != 0 { // the usual case, many times as fast
			return strconv.FormatInt(whole, 10)
		}
	}
	s, err := convert.Convert(v, cty.String)
	if err != nil {
		panic("hclspec: a primitive value has no string form: " + err.Error())
	}
	return s.AsString()
}

// NativeAttributes are the arguments of a body in the order of the source.
func NativeAttributes(body *hclsyntax.Body) []*hclsyntax.Attribute {
	attrs := make([]*hclsyntax.Attribute, 0, len(body.Attributes))
	for _, attr := range body.Attributes {
		attrs = append(attrs, attr)
	}
	slices.SortFunc(attrs, func(a, b *hclsyntax.Attribute) int { return a.NameRange.Start.Byte - b.NameRange.Start.Byte })
	return attrs
}

// IsDynamic reports whether the block repeats a block of another type.
func IsDynamic(b *hclsyntax.Block) bool { return b.Type == "dynamic" && len(b.Labels) == 1 }

// IteratorName is the name of the variable that a dynamic block declares.
func IteratorName(b *hclsyntax.Block) string {
	if attr := b.Body.Attributes["iterator"]; attr != nil {
		if name := hcl.ExprAsKeyword(attr.Expr); name != "" {
			return name
		}
	}
	return b.Labels[0]
}
