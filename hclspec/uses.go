package hclspec

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/manifest"
	"kplan.dev/kplan/hclspec/source"
)

// use is one part of the source that begins with a name from outside of its expression:
// var.app.name, Pod.web["a"].spec, local.ports[*].
type use struct {
	root  string
	steps []useStep
	at    hcl.Range
	// asKey marks the unquoted key of an object, which may be meant as text.
	asKey bool
	// self means that the expression may refer to the object of its own block.
	self  bool
	guard *guard // the outermost call around it that is one
}

// useStep is what follows the name: an attribute, a key in brackets, or any
// element where the key is not written out.
type useStep struct {
	kind  useStepKind
	name  string // of an attribute or a key that is a string
	index int    // of a key that is a number
	at    hcl.Range
}

type useStepKind byte

const (
	attrStep useStepKind = iota
	nameKeyStep
	indexKeyStep
	anyStep
	splatStep
)

// isKey reports whether the step is in brackets.
func (s useStep) isKey() bool { return s.kind != attrStep }

// useFinder collects the uses in expressions and bodies. Names that an
// expression declares itself, in a for or a dynamic block, are no uses.
type useFinder struct {
	uses []use
	// tails are the steps that follow anything else than the name of an object, which may hand an
	// object on all the same: p.status.podIP in [for p in Pod.p : p.status.podIP], and what follows a
	// local value, each.value, or a call.
	tails []use
	// repetition is how many of the uses are in for_each and count.
	repetition int
	// keys are expressions in brackets, and others whose marks cty drops.
	keys []hcl.Expression
	// inModule means that a variable may hand an object on, too.
	inModule bool
	// self is that of the uses that follow.
	self   bool
	hidden []map[string]struct{}
	guard  *guard                      // the outermost call around what is being walked
	inside map[hclsyntax.Node]struct{} // part of a longer use that was collected
}

func (f *useFinder) checks(checks []*config.Check) {
	for _, c := range checks {
		f.expr(c.Condition)
		f.expr(c.ErrorMessage)
	}
}

func (f *useFinder) lifecycle(l *config.Lifecycle) {
	f.expr(l.ProtectIf)
	for _, trigger := range l.Triggers {
		f.expr(trigger)
	}
	f.checks(l.Preconditions)
	f.self = true
	f.checks(l.Postconditions)
}

func (f *useFinder) expr(expr hcl.Expression) {
	if expr != nil {
		_ = hclsyntax.Walk(source.SyntaxOf(expr), f) // it finds, and reports nothing
	}
}

// manifest collects the uses in a resource's body without its meta-arguments.
func (f *useFinder) manifest(body hcl.Body) {
	f.body(body, source.IsMetaArgument)
}

func (f *useFinder) body(body hcl.Body, skip func(string) bool) {
	native, ok := body.(*hclsyntax.Body)
	if !ok {
		attrs, _ := body.JustAttributes() // what is wrong with them is reported when they are decoded
		for _, attr := range source.SortedAttributes(attrs) {
			f.expr(attr.Expr)
		}
		return
	}
	for _, attr := range source.NativeAttributes(native) {
		if skip == nil || !skip(attr.Name) {
			f.expr(attr.Expr)
		}
	}
	for _, b := range native.Blocks {
		if skip == nil || !skip(b.Type) {
			f.block(b)
		}
	}
}

func (f *useFinder) block(b *hclsyntax.Block) {
	if !source.IsDynamic(b) {
		f.body(b.Body, nil)
		return
	}
	for _, attr := range source.NativeAttributes(b.Body) {
		if attr.Name != "iterator" {
			f.expr(attr.Expr)
		}
	}
	f.hidden = append(f.hidden, map[string]struct{}{source.IteratorName(b): {}})
	for _, content := range b.Body.Blocks {
		f.body(content.Body, nil)
	}
	f.hidden = f.hidden[:len(f.hidden)-1]
}

// Enter is called by hclsyntax.Walk.
func (f *useFinder) Enter(node hclsyntax.Node) hcl.Diagnostics {
	if !source.IsBare(node) {
		return nil
	}
	if f.guard == nil {
		f.guard = guardOf(node)
	}
	switch n := node.(type) {
	case hclsyntax.ChildScope:
		f.hidden = append(f.hidden, n.LocalNames)
	case *hclsyntax.ObjectConsKeyExpr:
		f.objectKey(n)
	case hclsyntax.Expression:
		if _, seen := f.inside[node]; !seen {
			f.chain(n)
		}
		f.key(n)
	}
	return nil
}

// key records an expression whose marks do not reach the value of the enclosing one.
func (f *useFinder) key(expr hclsyntax.Expression) {
	switch e := expr.(type) {
	case *hclsyntax.IndexExpr:
		f.keys = append(f.keys, e.Key)
	case *hclsyntax.FunctionCallExpr:
		if manifest.TakesExpressions(e.Name) {
			for _, arg := range e.Args {
				f.keys = append(f.keys, arg)
			}
		}
	}
}

// Exit is called by hclsyntax.Walk.
func (f *useFinder) Exit(node hclsyntax.Node) hcl.Diagnostics {
	if f.guard != nil && f.guard.call == node {
		f.guard = nil
	}
	if _, ok := node.(hclsyntax.ChildScope); ok {
		f.hidden = f.hidden[:len(f.hidden)-1]
	}
	return nil
}

// objectKey records a key such as app.kubernetes.io/name = …, which the language reads as
// references but the user may mean as text.
func (f *useFinder) objectKey(key *hclsyntax.ObjectConsKeyExpr) {
	if key.ForceNonLiteral || hcl.ExprAsKeyword(key.Wrapped) != "" {
		return
	}
	before := len(f.uses)
	hclsyntax.Walk(key.Wrapped, f)
	for i := range f.uses[before:] {
		f.uses[before+i].asKey = true
	}
	f.consume(key.Wrapped)
}

// consume keeps everything below node from being collected a second time.
func (f *useFinder) consume(node hclsyntax.Node) {
	source.VisitAll(node, func(n hclsyntax.Node) {
		if expr, ok := n.(hclsyntax.Expression); ok {
			f.mark(expr)
		}
	})
}

func (f *useFinder) mark(expr hclsyntax.Expression) {
	if f.inside == nil {
		f.inside = map[hclsyntax.Node]struct{}{}
	}
	f.inside[source.Bare(expr).(hclsyntax.Node)] = struct{}{}
}

// chain collects the use whose end is expr, if it is one.
func (f *useFinder) chain(expr hclsyntax.Expression) {
	root, steps := f.follow(expr)
	u := use{root: root, steps: steps, at: expr.Range(), guard: f.guard, self: f.self}
	isHidden := f.isHidden(root)
	if root != "" && !isHidden {
		f.uses = append(f.uses, u)
	}
	if len(steps) > 0 && (isHidden || f.mayHandOn(root)) {
		f.tails = append(f.tails, u)
	}
}

// mayHandOn reports whether what a name stands for may be an object that another block refers to.
func (f *useFinder) mayHandOn(root string) bool {
	switch root {
	case "", "local", "each", "module":
		return true
	}
	return f.inModule && root == "var"
}

func (f *useFinder) isHidden(name string) bool {
	return slices.ContainsFunc(f.hidden, func(names map[string]struct{}) bool {
		_, ok := names[name]
		return ok
	})
}

// follow reads an expression that begins with a name and takes steps from
// there, and records its inner nodes as part of it.
func (f *useFinder) follow(expr hclsyntax.Expression) (root string, steps []useStep) {
	inner := func(e hclsyntax.Expression) {
		f.mark(e)
		root, steps = f.follow(e)
	}
	switch e := source.Bare(expr).(type) {
	case *hclsyntax.ScopeTraversalExpr:
		return e.Traversal.RootName(), traversalSteps(e.Traversal[1:])
	case *hclsyntax.RelativeTraversalExpr:
		inner(e.Source)
		steps = append(steps, traversalSteps(e.Traversal)...)
	case *hclsyntax.IndexExpr:
		inner(e.Collection)
		steps = append(steps, keyStep(e.Key, e.BracketRange))
	case *hclsyntax.SplatExpr:
		inner(e.Source)
		each, below := f.splatSteps(e.Each)
		if each {
			steps = append(append(steps, useStep{kind: splatStep, at: e.MarkerRange}), below...)
		} else {
			steps = append(steps, useStep{kind: splatStep, at: e.MarkerRange})
		}
	case *hclsyntax.ParenthesesExpr:
		inner(e.Expression)
	}
	return root, steps
}

// splatSteps reads what a splat selects from each element.
func (f *useFinder) splatSteps(expr hclsyntax.Expression) (ok bool, steps []useStep) {
	f.mark(expr)
	switch e := source.Bare(expr).(type) {
	case *hclsyntax.AnonSymbolExpr:
		return true, nil
	case *hclsyntax.RelativeTraversalExpr:
		ok, steps = f.splatSteps(e.Source)
		return ok, append(steps, traversalSteps(e.Traversal)...)
	case *hclsyntax.IndexExpr:
		ok, steps = f.splatSteps(e.Collection)
		return ok, append(steps, keyStep(e.Key, e.BracketRange))
	}
	return false, nil
}

func traversalSteps(t hcl.Traversal) []useStep {
	var steps []useStep
	for _, step := range t {
		switch s := step.(type) {
		case hcl.TraverseAttr:
			steps = append(steps, useStep{kind: attrStep, name: s.Name, at: s.SrcRange})
		case hcl.TraverseIndex:
			steps = append(steps, literalKey(s.Key, s.SrcRange))
		default:
			steps = append(steps, useStep{kind: splatStep, at: step.SourceRange()})
		}
	}
	return steps
}

func keyStep(key hclsyntax.Expression, at hcl.Range) useStep {
	value, ok := source.Written(key)
	if !ok {
		return useStep{kind: anyStep, at: at}
	}
	return literalKey(value, at)
}

func literalKey(key cty.Value, at hcl.Range) useStep {
	key, _ = key.Unmark()
	switch {
	case key.IsNull() || !key.IsKnown():
	case key.Type() == cty.String:
		return useStep{kind: nameKeyStep, name: key.AsString(), at: at}
	case key.Type() == cty.Number:
		if i, _ := key.AsBigFloat().Int64(); i >= 0 && key.AsBigFloat().IsInt() {
			return useStep{kind: indexKeyStep, index: int(i), at: at}
		}
	}
	return useStep{kind: anyStep, at: at}
}

// guard is a call that has an answer also where a reference in it leads nowhere.
type guard struct {
	call     hclsyntax.Node
	fallback bool // one of the arguments refers to nothing
}

// guardOf is the guard that a node is, nil for any other.
func guardOf(node hclsyntax.Node) *guard {
	call, ok := node.(*hclsyntax.FunctionCallExpr)
	if !ok {
		return nil
	}
	switch call.Name {
	case "can":
		return &guard{call: call, fallback: true}
	case "try", "coalesce", "coalescelist":
		return &guard{call: call, fallback: slices.ContainsFunc(call.Args, func(arg hclsyntax.Expression) bool {
			return len(arg.Variables()) == 0
		})}
	}
	return nil
}
