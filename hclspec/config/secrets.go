package config

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/kinds"
)

// Secrets are the parts of a configuration's source that must not be quoted.
type Secrets struct {
	// Ranges hold secret values as they are written.
	Ranges []hcl.Range
	// Names are the references whose values are secret, such as local.password.
	Names map[string]bool
}

// Kinds finds the description of a kind. An empty apiVersion asks for the
// preferred version.
type Kinds interface {
	Lookup(kind, apiVersion string) (*kinds.Kind, error)
}

// Secrets finds the secrets that are written into the files: values of fields that the kind
// declares as secret, of sensitive variables and outputs, arguments of sensitive(), and the locals
// and variables that these refer to. It evaluates nothing, since most diagnostics that quote the
// source are reported before evaluation. In a file with a syntax error it prefers to find too much.
func (c *Config) Secrets(known Kinds) Secrets {
	f := &secretFinder{config: c, kinds: known, seen: map[hcl.Range]bool{}}
	f.found.Names = map[string]bool{}
	for _, r := range c.Resources {
		f.resource(r)
	}
	for _, v := range c.Variables {
		if v.Sensitive {
			f.secret(v.defaultExpr)
		}
	}
	for _, o := range c.Outputs {
		if o.Sensitive {
			f.secret(o.Expr)
		}
	}
	for name, file := range c.Files {
		f.file(name, file)
	}
	return f.found
}

type secretFinder struct {
	config *Config
	kinds  Kinds
	found  Secrets
	seen   map[hcl.Range]bool // expressions that were looked at
	// forEach is that of the resource being looked at.
	forEach hcl.Expression
}

func (f *secretFinder) resource(r *Resource) {
	if r.Body == nil {
		return
	}
	version := writtenVersion(r.Body)
	kind, err := f.kinds.Lookup(r.Addr.Type, version)
	if err != nil { // a cluster that does not answer
		kind, err = kinds.Builtin().Lookup(r.Addr.Type, version)
	}
	if err != nil {
		return
	}
	f.forEach = r.ForEach
	f.body(r.Body, kind.Root)
	f.forEach = nil
}

// writtenVersion is the apiVersion of a resource where it is written out.
func writtenVersion(body hcl.Body) string {
	attrs, _ := body.JustAttributes()
	if attr := attrs["apiVersion"]; attr != nil {
		if text, ok := source.QuotedWord(attr.Expr); ok {
			return text
		}
	}
	return ""
}

// body looks at the content of a block that field describes.
func (f *secretFinder) body(body hcl.Body, field *kinds.Field) {
	attrs, _ := body.JustAttributes()
	for name, attr := range attrs {
		f.within(attr.Expr, below(field, name))
	}
	native, ok := body.(*hclsyntax.Body)
	if !ok {
		return
	}
	for _, block := range native.Blocks {
		name, inner := block.Type, block.Body
		if name == "dynamic" && len(block.Labels) == 1 {
			name, inner = block.Labels[0], contentOf(inner)
		}
		if under := below(field, name); under != nil && under.Type == kinds.List {
			f.body(inner, under.Elem)
		} else {
			f.body(inner, under)
		}
	}
}

func contentOf(dynamic *hclsyntax.Body) *hclsyntax.Body {
	for _, block := range dynamic.Blocks {
		if block.Type == "content" {
			return block.Body
		}
	}
	return dynamic
}

func below(field *kinds.Field, name string) *kinds.Field {
	switch {
	case field == nil:
		return nil
	case name == "manifest" && field.Field(name) == nil: // the whole object as one value
		return field
	}
	return field.Field(name)
}

// within looks for secret fields in the value of a field.
func (f *secretFinder) within(expr hcl.Expression, field *kinds.Field) {
	if field == nil {
		return
	}
	if field.Sensitive {
		f.secret(expr)
		return
	}
	if pairs, diags := hcl.ExprMap(expr); !diags.HasErrors() {
		for _, pair := range pairs {
			if name, ok := keyOf(pair); ok {
				f.within(pair.Value, field.Field(name))
			}
		}
	} else if elements, diags := hcl.ExprList(expr); !diags.HasErrors() && field.Elem != nil {
		for _, element := range elements {
			f.within(element, field.Elem)
		}
	}
}

func keyOf(pair hcl.KeyValuePair) (string, bool) {
	key, diags := pair.Key.Value(nil)
	if diags.HasErrors() || !key.IsKnown() || key.IsNull() || key.Type() != cty.String {
		return "", false
	}
	return key.AsString(), true
}

// secret records all that is written in an expression, and follows its references.
func (f *secretFinder) secret(expr hcl.Expression) {
	if expr == nil || f.seen[expr.Range()] {
		return
	}
	f.seen[expr.Range()] = true
	if node, native := expr.(hclsyntax.Node); native {
		f.literals(node)
	} else {
		f.leaves(expr)
	}
	for _, reference := range expr.Variables() {
		f.follow(reference)
	}
}

// literals records the strings and numbers of an expression, but not the keys of its objects nor
// the names of the files that it reads.
func (f *secretFinder) literals(node hclsyntax.Node) {
	var spared []hcl.Range
	_ = hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics {
		switch n := n.(type) {
		case *hclsyntax.ObjectConsKeyExpr:
			spared = append(spared, n.Range())
		case *hclsyntax.FunctionCallExpr:
			if strings.Contains(n.Name, "file") && len(n.Args) > 0 {
				spared = append(spared, n.Args[0].Range())
			}
		}
		return nil
	})
	_ = hclsyntax.VisitAll(node, func(n hclsyntax.Node) hcl.Diagnostics {
		literal, ok := n.(*hclsyntax.LiteralValueExpr)
		if ok && holdsText(literal.Val) && !slices.ContainsFunc(spared, func(r hcl.Range) bool { return r.Overlaps(literal.SrcRange) }) {
			f.found.Ranges = append(f.found.Ranges, literal.SrcRange)
		}
		return nil
	})
}

func holdsText(value cty.Value) bool {
	return value.Type() == cty.String || value.Type() == cty.Number
}

// leaves records the values of an expression in JSON.
func (f *secretFinder) leaves(expr hcl.Expression) {
	if pairs, diags := hcl.ExprMap(expr); !diags.HasErrors() {
		for _, pair := range pairs {
			f.leaves(pair.Value)
		}
	} else if elements, diags := hcl.ExprList(expr); !diags.HasErrors() {
		for _, element := range elements {
			f.leaves(element)
		}
	} else {
		f.found.Ranges = append(f.found.Ranges, expr.Range())
	}
}

// follow looks at the declaration that a secret value comes from.
func (f *secretFinder) follow(reference hcl.Traversal) {
	if len(reference) == 1 { // a value whose quotes were forgotten
		f.found.Ranges = append(f.found.Ranges, reference.SourceRange())
		return
	}
	if name, ok := source.RootAttr(reference, "local"); ok {
		for _, l := range f.config.Locals {
			if l.Name == name {
				f.part(l.Expr, reference, 2)
			}
		}
	} else if name, ok := source.RootAttr(reference, "var"); ok {
		for _, v := range f.config.Variables {
			if v.Name == name {
				f.part(v.defaultExpr, reference, 2)
			}
		}
	} else if reference.RootName() == "each" {
		f.secret(f.forEach)
	}
}

// part records the part of an expression that a reference picks from the step on.
func (f *secretFinder) part(expr hcl.Expression, reference hcl.Traversal, step int) {
	if path, err := source.TraversalPath(reference); err == nil {
		f.found.Names[path.String()] = true
	}
	for ; expr != nil && step < len(reference); step++ {
		pairs, diags := hcl.ExprMap(expr)
		want, ok := source.StepName(reference[step])
		if diags.HasErrors() || !ok {
			break
		}
		at := slices.IndexFunc(pairs, func(pair hcl.KeyValuePair) bool { name, ok := keyOf(pair); return ok && name == want })
		if at < 0 {
			break
		}
		expr = pairs[at].Value
	}
	f.secret(expr)
}

// file looks for secrets outside of any field: calls of sensitive(). Where a file has a syntax
// error it looks at the lines.
func (f *secretFinder) file(name string, file *hcl.File) {
	if _, diags := source.Parse(file.Bytes, name); diags.HasErrors() {
		f.lines(name, file.Bytes)
		return
	}
	body, ok := file.Body.(*hclsyntax.Body)
	if !ok {
		for _, at := range sensitiveInJSON.FindAllIndex(file.Bytes, -1) {
			f.addRange(name, file.Bytes, at[0], at[1])
		}
		return
	}
	_ = hclsyntax.VisitAll(body, func(n hclsyntax.Node) hcl.Diagnostics {
		if call, ok := n.(*hclsyntax.FunctionCallExpr); ok && call.Name == "sensitive" {
			for _, arg := range call.Args {
				f.secret(arg)
			}
		}
		return nil
	})
}

var (
	sensitiveInJSON = regexp.MustCompile(`"(?:[^"\\]|\\.)*sensitive\((?:[^"\\]|\\.)*"`)
	topLevel        = regexp.MustCompile(`^(?:resource|data|variable|output|locals|kplan|import|moved|removed|module|provider|terraform)\b`)
	headOfResource  = regexp.MustCompile(`^resource\s+"?([A-Za-z0-9]+)`)
	assignment      = regexp.MustCompile(`^\s*(?:"[^"]*"|[\w.-]+)?\s*[=:]\s*`)
	frame           = regexp.MustCompile(`^\s*(?:[\w-]+(?:\s+"[^"]*")*\s*\{|(?:(?:"[^"]*"|[\w.-]+)\s*[=:]\s*)?[{}()\[\],]*)\s*$`)
)

// lines treats all values as secret in each block that may hold secrets, of a file with a syntax
// error.
func (f *secretFinder) lines(name string, src []byte) {
	secret := strings.HasSuffix(name, ".json")
	at := 0
	for line := range bytes.Lines(src) {
		if topLevel.Match(line) {
			secret = f.mayHoldSecrets(src[at:])
		}
		if text := bytes.TrimRight(line, "\r\n"); secret && !frame.Match(text) || bytes.Contains(text, []byte("sensitive(")) {
			indent := len(text) - len(bytes.TrimLeft(text, " \t"))
			if m := assignment.FindIndex(text); m != nil {
				indent = m[1]
			}
			f.addRange(name, src, at+indent, at+len(text))
		}
		at += len(line)
	}
}

// mayHoldSecrets reports whether the block that src begins with has secret fields or is declared as
// sensitive.
func (f *secretFinder) mayHoldSecrets(src []byte) bool {
	if m := headOfResource.FindSubmatch(src); m != nil {
		kind, err := kinds.Builtin().Lookup(string(m[1]), "")
		return err == nil && slices.ContainsFunc(kind.Root.Fields(), func(field *kinds.Field) bool { return field.Sensitive })
	}
	first := true
	for line := range bytes.Lines(src) {
		if !first && topLevel.Match(line) {
			break
		}
		if first = false; bytes.Contains(line, []byte("sensitive")) {
			return true
		}
	}
	return false
}

// addRange records a range of bytes of a file.
func (f *secretFinder) addRange(name string, src []byte, from, to int) {
	pos := func(at int) hcl.Pos {
		return hcl.Pos{Line: 1 + bytes.Count(src[:at], []byte("\n")), Column: at - bytes.LastIndexByte(src[:at], '\n'), Byte: at}
	}
	f.found.Ranges = append(f.found.Ranges, hcl.Range{Filename: name, Start: pos(from), End: pos(to)})
}
