package hclspec

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"kplan.dev/kplan/hclspec/budget"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/funcs"
	"kplan.dev/kplan/hclspec/manifest"
	"kplan.dev/kplan/hclspec/source"
)

// Scope is what a preview or a walk has found, for expressions that are no part of the
// configuration.
type Scope struct {
	program *program
	results map[Block]*result
	seen    map[Block][]*Observed // of each instance; missing where nothing was visited
}

// Scope is the scope of what is known before anything is visited.
func (pre *Preview) Scope() *Scope { return &Scope{program: pre.program, results: pre.results} }

// Expression is an expression that is no part of the configuration. It has a budget of its own.
type Expression struct {
	// AsksForType reports whether the expression is type(…), and the value that of its argument.
	AsksForType bool

	block  *block
	budget *budget.Budget
	scope  *Scope
}

// expressionNode makes a block of such an expression.
type expressionNode struct{ expr hclsyntax.Expression }

func (n expressionNode) findUses(f *useFinder) { f.expr(n.expr) }

func (expressionNode) dependsOn() []config.Reference { return nil }

func (expressionNode) evaluate(*program, *block, map[Block]*result) *result {
	return &result{value: cty.DynamicVal}
}

// Parse parses an expression and finds what it refers to. Its evaluation ends with ctx.
func (s *Scope) Parse(ctx context.Context, src []byte, filename string) (*Expression, hcl.Diagnostics) {
	expr, diags := source.ParseExpression(src, filename)
	if diags.HasErrors() {
		return nil, diags
	}
	e := &Expression{budget: budget.New(ctx), scope: s}
	if call, ok := expr.(*hclsyntax.FunctionCallExpr); ok && call.Name == "type" && len(call.Args) == 1 {
		e.AsksForType, expr = true, call.Args[0]
	}
	diags = append(diags, source.ReadTypes(expr)...)
	diags = append(diags, funcs.UnknownCalls(expr, funcs.Names(s.program.base.Functions))...)
	e.block = &block{name: Block{Type: "expression"}, node: expressionNode{e.budget.Expr(expr)}, at: expr.Range()}
	diags = append(diags, s.program.declared.resolve(e.block)...)
	e.block = s.program.instantiate(e.block, s.program.modules[""][0])
	return e, diags
}

// ReadsObjects reports whether the value may depend on objects.
func (e *Expression) ReadsObjects() bool {
	for _, ref := range e.block.refs {
		if ref.to.IsResource() || ref.to.isData() || e.scope.program.dependsOnResources[ref.to] {
			return true
		}
	}
	return false
}

// Value evaluates the expression. Sensitive parts of the value are marked with
// funcs.Sensitive.
func (e *Expression) Value() (cty.Value, hcl.Diagnostics) {
	own, deps := e.scope.forExpression(e)
	diags := own.checkPaths(e.block, deps)
	if diags.HasErrors() {
		return cty.DynamicVal, diags
	}
	scope := own.scope(e.block, deps)
	value := cty.DynamicVal
	expr := e.block.node.(expressionNode).expr
	tooMuch := e.budget.Within(func() { value, diags = funcs.Evaluate(expr, scope) })
	own.nameInstances(e.block, diags, deps)
	diags = forDisplay(append(diags, tooMuch...))
	if diags.HasErrors() {
		return cty.DynamicVal, diags
	}
	_, marks := value.UnmarkDeep()
	var from manifest.Origins
	from.Take(marks)
	if from.Skipped != nil {
		return cty.DynamicVal, append(diags, source.Problem("Object not known", expr.Range(),
			"The value depends on %s, which could not be read: see the error about it.", *from.Skipped)...)
	}
	return withoutOrigins(value), diags
}

// forExpression is the program in which the functions spend from the expression's own budget,
// and the values that it refers to: of each object what it asks for.
func (s *Scope) forExpression(e *Expression) (*program, map[Block]*result) {
	own := *s.program
	own.budget = e.budget
	root := *own.modules[""][0]
	root.base = &hcl.EvalContext{Functions: manifest.KeepingOrigins(funcs.Table(own.dir, e.budget))}
	e.block.of, e.block.scope = &root, &root
	demands := map[Block]*demand{}
	deps := map[Block]*result{}
	for _, ref := range e.block.refs {
		deps[ref.to] = s.results[ref.to]
		if target, ok := own.names.byBlock[ref.to].node.(objectNode); ok {
			if demands[ref.to] == nil {
				demands[ref.to] = &demand{}
			}
			demands[ref.to].add(ref.objectSteps(target))
		}
	}
	own.demands = demands
	for name, res := range deps {
		switch b := own.names.byBlock[name]; {
		case res == nil: // the evaluation of the configuration did not get here
			deps[name] = &result{value: cty.DynamicVal}
		case demands[name] != nil && res.hasInstances():
			now := *res
			now.value = own.resourceValue(b, res, s.seen[name])
			deps[name] = &now
		}
	}
	return &own, deps
}

// hasInstances reports whether the instances are known, though there may be none.
func (r *result) hasInstances() bool {
	return !r.unexpanded && (len(r.instances) > 0 || r.kind != nil && len(r.failed) == 0)
}

// Output is a value as an output of the configuration would have it, or the error that it
// can't be one.
func (e *Expression) Output(value cty.Value) (*OutputValue, hcl.Diagnostics) {
	isSecret := funcs.IsSensitive(value)
	value, _ = value.UnmarkDeep()
	if !keepsNumbers(value) {
		return nil, source.Problem("Number too large", e.block.at,
			"JSON keeps whole numbers of 64 bits. Convert a longer one to text with tostring().")
	}
	return outputValue(&config.Output{Sensitive: isSecret}, value), nil
}

// Secrets are the texts in the expression that it calls sensitive.
func (e *Expression) Secrets() []string {
	var secrets []string
	source.VisitAll(e.block.node.(expressionNode).expr, func(n hclsyntax.Node) {
		if call, ok := n.(*hclsyntax.FunctionCallExpr); ok && call.Name == "sensitive" {
			source.VisitAll(call, func(n hclsyntax.Node) {
				if literal, ok := n.(*hclsyntax.LiteralValueExpr); ok && literal.Val.Type() == cty.String {
					secrets = append(secrets, literal.Val.AsString())
				}
			})
		}
	})
	return secrets
}

// Reveals reports whether the expression itself says that something sensitive is to be shown.
func (e *Expression) Reveals() bool {
	return funcs.Calls(e.block.node.(expressionNode).expr, "nonsensitive")
}

// Complete returns the word that a text ends with, and what it may become: names of functions, of
// blocks and, as far as they are known, of what is in a value.
func (s *Scope) Complete(ctx context.Context, text string) (word string, candidates []string) {
	at := unfinished.FindStringIndex(text)
	if at == nil {
		return "", s.roots()
	}
	reference := text[at[0]:at[1]]
	open, dot := strings.LastIndex(reference, `["`), strings.LastIndexByte(reference, '.')
	switch {
	case open >= 0 && !strings.Contains(reference[open:], "]"):
		word = reference[open+2:]
		for _, key := range s.entries(ctx, reference[:open]) {
			candidates = append(candidates, key+`"]`)
		}
	case dot >= 0:
		word, candidates = reference[dot+1:], s.within(ctx, reference[:dot])
	default:
		word, candidates = reference, slices.Concat(s.roots(), s.calls())
	}
	return word, slices.DeleteFunc(candidates, func(c string) bool { return !strings.HasPrefix(c, word) })
}

// unfinished is the reference that a text ends with: its last step may be missing, or a key be open.
var unfinished = regexp.MustCompile(`[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*|\[(?:\d+|"[^"\]]*")\])*(?:\.|\["[^"\]]*)?$`)

// longestCompletion bounds how long a value is evaluated to find the names in it.
const longestCompletion = 300 * time.Millisecond

// roots are what references begin with.
func (s *Scope) roots() []string {
	found := map[string]bool{"path.": true}
	for _, b := range s.program.names.inOrder {
		if root, _, _ := strings.Cut(b.name.Type, "."); b.name.Module == "" && isRoot(root) {
			found[root+"."] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// isRoot reports whether references begin with the type of a block.
func isRoot(typ string) bool {
	return slices.Contains([]string{"var", "local", "module", "data", "manifests"}, typ) || source.IsKindName(typ)
}

func (s *Scope) calls() []string {
	names := funcs.Names(s.program.base.Functions)
	for i := range names {
		names[i] += "("
	}
	return names
}

// within are the names that may follow a reference and a dot.
func (s *Scope) within(ctx context.Context, reference string) []string {
	if reference == "path" {
		return []string{"cwd", "module", "root"}
	}
	if reference == "data" {
		return s.kindsRead()
	}
	typ, name, isBelow := strings.Cut(reference, ".")
	if kind, below, ok := strings.Cut(name, "."); typ == "data" {
		typ, name, isBelow = "data."+kind, below, ok
	}
	if !isBelow {
		return s.blocks(typ)
	}
	if b := s.program.names.byBlock[Block{Type: typ, Name: name}]; b != nil {
		if repeated, ok := b.node.(repeatedNode); ok && repeated.repetition() != "" {
			return nil // a key in brackets comes first
		}
	}
	return slices.DeleteFunc(s.entries(ctx, reference), func(name string) bool { return !hclsyntax.ValidIdentifier(name) })
}

// blocks are the names of the blocks of a type, with the beginning of a key where they have
// several instances.
func (s *Scope) blocks(typ string) []string {
	var names []string
	for _, b := range s.program.names.inOrder {
		if b.name.Type != typ || b.name.Module != "" || typ == "output" || !b.name.Key.IsZero() {
			continue
		}
		name := b.name.Name
		if repeated, ok := b.node.(repeatedNode); ok {
			name += map[string]string{"for_each": `["`, "count": "["}[repeated.repetition()]
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// kindsRead are the kinds of the data blocks.
func (s *Scope) kindsRead() []string {
	found := map[string]bool{}
	for _, b := range s.program.names.inOrder {
		if kind, ok := strings.CutPrefix(b.name.Type, "data."); ok && b.name.Module == "" {
			found[kind+"."] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// entries are the names in the value that a reference leads to: those that it has, and those
// that its kind declares.
func (s *Scope) entries(ctx context.Context, reference string) []string {
	ctx, cancel := context.WithTimeout(ctx, longestCompletion)
	defer cancel()
	e, diags := s.Parse(ctx, []byte(reference), "")
	if diags.HasErrors() {
		return nil
	}
	value, diags := e.Value()
	if diags.HasErrors() {
		return nil
	}
	found := map[string]bool{}
	for _, name := range namesIn(value) {
		found[name] = true
	}
	for _, ref := range e.block.refs {
		field := e.block.fields[ref.at]
		target, isObject := s.program.names.byBlock[ref.to].node.(objectNode)
		if field == nil || !isObject || len(ref.steps) == 0 && target.repetition() != "" { // all instances
			continue
		}
		for _, below := range field.Fields() {
			found[below.Name] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// namesIn are the names in an object or a map. Those of a sensitive one may be as secret as its
// values.
func namesIn(value cty.Value) []string {
	switch ty := value.Type(); {
	case value.IsMarked():
	case ty.IsObjectType():
		return slices.Collect(maps.Keys(ty.AttributeTypes()))
	case ty.IsMapType() && value.IsKnown() && !value.IsNull():
		return slices.Collect(maps.Keys(value.AsValueMap()))
	}
	return nil
}
