package config

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/funcs"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/internal/option"
	"kplan.dev/kplan/internal/words"
)

// Import is an import block: the object of a resource is adopted if it exists and this stack does
// not manage it. The configuration names it; an id repeats the name, or comes before the configuration.
type Import struct {
	To       addrs.Instance // all instances of a resource where it has no key, all in a module where it is one
	ForEach  hcl.Expression // nil unless set: To has no keys then, and For makes one of each element
	ID       string         // of one element of for_each; otherwise see Config.ImportID
	Managers []string       // whose fields are taken over, besides those of the tools that are known to deploy
	Range    hcl.Range
	ToRange  hcl.Range

	to hclsyntax.Expression // as it is written, where there is a for_each
	id *hcl.Attribute       // nil unless set
}

// Expressions are those of which an import is made for each element: the keys in its address, and the id.
func (i *Import) Expressions() []hcl.Expression {
	keys := i.keys()
	if i.id != nil {
		keys = append(keys, i.id.Expr)
	}
	return keys
}

func (i *Import) keys() []hcl.Expression {
	var keys []hcl.Expression
	_, _ = addressText(i.to, func(key hclsyntax.Expression) (cty.Value, hcl.Diagnostics) {
		keys = append(keys, key)
		return cty.StringVal(""), nil
	})
	return keys
}

// address is the address that is imported to for the element of for_each in the scope; the zero address where a key is not known.
func (i *Import) address(scope *hcl.EvalContext) (addrs.Instance, hcl.Diagnostics) {
	isUnknown := false
	text, diags := addressText(i.to, func(key hclsyntax.Expression) (cty.Value, hcl.Diagnostics) {
		value, diags := funcs.Evaluate(key, scope)
		value, marks := value.UnmarkDeep()
		if _, secret := marks[funcs.Sensitive]; secret {
			return cty.DynamicVal, append(diags, source.ProblemIn("Invalid import", key, scope,
				"An address can't be secret, and this key is sensitive.")...)
		}
		isUnknown = isUnknown || !value.IsKnown()
		if _, ok := instanceKey(value); !ok && value.IsKnown() && !diags.HasErrors() {
			diags = append(diags, source.ProblemIn("Invalid import", key, scope, "The key of an instance is a string or a whole number.")...)
		}
		return value, diags
	})
	if diags.HasErrors() || isUnknown {
		return addrs.Instance{}, diags
	}
	addr, err := addrs.ParseSelection(text)
	if err != nil {
		return addrs.Instance{}, append(diags, source.Problem("Invalid resource address", i.ToRange, "%s is no address of an instance.", text)...)
	}
	return addr, diags
}

// For is the import for the element of for_each in the scope. Its address is the zero address where a part of it is not known.
func (i *Import) For(scope *hcl.EvalContext) (*Import, hcl.Diagnostics) {
	one := *i
	var diags hcl.Diagnostics
	one.To, diags = i.address(scope)
	if i.id == nil {
		return &one, diags
	}
	id, problems := funcs.Evaluate(i.id.Expr, scope)
	id, marks := id.UnmarkDeep()
	_, secret := marks[funcs.Sensitive]
	switch diags = append(diags, problems...); {
	case problems.HasErrors():
	case !id.IsKnown():
		one.To = addrs.Instance{}
	case secret || id.IsNull() || id.Type() != cty.String:
		diags = append(diags, source.ProblemIn("Invalid import", i.id.Expr, scope, "An id is a text that is not sensitive, such as acme/web.")...)
	default:
		one.ID = id.AsString()
	}
	return &one, diags
}

// ImportID is the name that an import block gives to an object in the cluster, namespace/name or name, by the values of the
// variables; "" where it gives none, or one that is not known.
func (c *Config) ImportID(i *Import, v Values) (string, hcl.Diagnostics) {
	if i.id == nil || i.ForEach != nil {
		return i.ID, nil
	}
	var id string
	e := newSettingsEval(c, v, hcl.Attributes{i.id.Name: i.id})
	e.block = "import"
	e.set(i.id.Name, &id)
	return id, e.diags
}

// addressText is the address that an expression spells, whose keys are found by a function; "" where it is none.
func addressText(expr hclsyntax.Expression, keyOf func(hclsyntax.Expression) (cty.Value, hcl.Diagnostics)) (string, hcl.Diagnostics) {
	switch e := expr.(type) {
	case *hclsyntax.ScopeTraversalExpr:
		text, _ := traversalText(e.Traversal[1:])
		return e.Traversal.RootName() + text, nil
	case *hclsyntax.RelativeTraversalExpr:
		before, diags := addressText(e.Source, keyOf)
		after, _ := traversalText(e.Traversal)
		return before + after, diags
	case *hclsyntax.IndexExpr:
		before, diags := addressText(e.Collection, keyOf)
		value, problems := keyOf(e.Key)
		diags = append(diags, problems...)
		if key, ok := instanceKey(value); ok {
			return before + key.String(), diags
		}
		return before, diags
	}
	return "", nil
}

// Moved is a moved block: the resource, or all in the module, of one address now has another. kplan finds moves by itself
// while the object stays the same; a block is needed where its name changes, too.
type Moved struct {
	// From and To are addresses within the definition that the block is in, which is called at that path without keys.
	From, To  addrs.Instance
	Within    string
	Range     hcl.Range
	FromRange hcl.Range
}

// Removed is a removed block: whether the objects of a resource that is no longer in the
// configuration are deleted.
type Removed struct {
	From      addrs.Instance // within the definition, as in Moved
	Within    string
	Destroy   bool // delete them; otherwise kplan forgets them and they stay in the cluster
	Range     hcl.Range
	FromRange hcl.Range
}

var (
	importSchema = &hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "to", Required: true}, {Name: "id"}, {Name: "managers"},
		{Name: "for_each"}}}
	movedSchema   = &hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "from", Required: true}, {Name: "to", Required: true}}}
	removedSchema = &hcl.BodySchema{
		Attributes: []hcl.AttributeSchema{{Name: "from", Required: true}},
		Blocks:     []hcl.BlockHeaderSchema{{Type: "lifecycle"}},
	}
	removedLifecycleSchema = &hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "destroy", Required: true}}}
)

// imports reads an import block; nil when it is wrong.
func (p *parser) imports(block *hcl.Block) *Import {
	content, diags := block.Body.Content(importSchema)
	p.report(diags)
	i := &Import{Range: block.DefRange}
	p.constant(content.Attributes["managers"], &i.Managers)
	to, forEach := content.Attributes["to"], content.Attributes["for_each"]
	if to == nil {
		return nil
	}
	i.ToRange = to.Expr.Range()
	var ok bool
	i.id = content.Attributes["id"]
	if forEach == nil {
		i.To, ok = p.address(to)
	} else {
		i.ForEach = forEach.Expr
		i.To, ok = repeatedAddress(p, i, to)
	}
	if !ok {
		return nil
	}
	return i
}

// repeatedAddress reads an address that is made for each element of for_each, and returns it without keys.
func repeatedAddress(p *parser, i *Import, to *hcl.Attribute) (addrs.Instance, bool) {
	i.to, _ = to.Expr.(hclsyntax.Expression)
	text, _ := addressText(i.to, func(hclsyntax.Expression) (cty.Value, hcl.Diagnostics) { return cty.NilVal, nil })
	addr, err := addrs.ParseSelection(text)
	if err != nil || len(i.keys()) == 0 {
		p.problem("Invalid resource address", i.ToRange, "With for_each, to is the address of an instance with each.key or each.value in "+
			"brackets, such as Pod.web[each.key], without quotes.")
		return addrs.Instance{}, false
	}
	return addr, true
}

// moved reads a moved block; nil when it is wrong.
func (p *parser) moved(block *hcl.Block) *Moved {
	content, diags := block.Body.Content(movedSchema)
	p.report(diags)
	from, ok := p.address(content.Attributes["from"])
	to, ok2 := p.address(content.Attributes["to"])
	switch {
	case !ok || !ok2:
	case from == to:
		p.problem("Invalid move", block.DefRange, "%s is moved to itself.", from)
	case from.IsModule() != to.IsModule():
		p.problem("Invalid move", content.Attributes["to"].Expr.Range(),
			"A resource becomes a resource and a module a module: %s can't become %s.", from, to)
	case !from.Resource.MayBecome(to.Resource):
		p.problem("Invalid move", content.Attributes["to"].Expr.Range(),
			"An object of the kind %s can't become one of the kind %s.", from.Resource.Type, to.Resource.Type)
	default:
		return &Moved{From: from, To: to, Range: block.DefRange, FromRange: content.Attributes["from"].Expr.Range()}
	}
	return nil
}

// removed reads a removed block; nil when it is wrong.
func (p *parser) removed(block *hcl.Block) *Removed {
	content, diags := block.Body.Content(removedSchema)
	p.report(diags)
	r := &Removed{Destroy: true, Range: block.DefRange}
	for i, b := range content.Blocks {
		if i > 0 {
			p.problem("Duplicate lifecycle block", b.DefRange, "A removed block has one lifecycle block.")
			continue
		}
		lifecycle, diags := b.Body.Content(removedLifecycleSchema)
		p.report(diags)
		p.constant(lifecycle.Attributes["destroy"], &r.Destroy)
	}
	var ok bool
	if r.From, ok = p.address(content.Attributes["from"]); ok {
		r.FromRange = content.Attributes["from"].Expr.Range()
		return r
	}
	return nil
}

// address reads the address of a resource or of one of its instances, written
// as a reference.
func (p *parser) address(attr *hcl.Attribute) (addrs.Instance, bool) {
	if attr == nil {
		return addrs.Instance{}, false
	}
	traversal, diags := hcl.AbsTraversalForExpr(attr.Expr)
	if !diags.HasErrors() {
		if addr, ok := traversedInstance(traversal); ok {
			return addr, true
		}
	}
	p.problem("Invalid resource address", attr.Expr.Range(),
		"%s is the address of a resource or of one of its instances, such as Pod.web or Pod.web[\"key\"], or that of a module, such as "+
			"module.app, without quotes.", attr.Name)
	return addrs.Instance{}, false
}

func traversedInstance(t hcl.Traversal) (addrs.Instance, bool) {
	text, ok := traversalText(t[1:])
	addr, err := addrs.ParseSelection(t.RootName() + text)
	return addr, ok && err == nil
}

// traversalText is a part of an address as it is written, as far as it is one.
func traversalText(t hcl.Traversal) (text string, ok bool) {
	for _, step := range t {
		switch step := step.(type) {
		case hcl.TraverseAttr:
			text += "." + step.Name
		case hcl.TraverseIndex:
			key, ok := instanceKey(step.Key)
			if !ok {
				return text, false
			}
			text += key.String()
		default:
			return text, false
		}
	}
	return text, true
}

// AllMoved are the moved blocks of the configuration and of the definitions that it calls.
func (c *Config) AllMoved() []*Moved {
	return everywhere(c, func(c *Config) []*Moved { return c.Moved }, func(m *Moved) *string { return &m.Within })
}

// AllRemoved are the removed blocks of the configuration and of the definitions that it calls.
func (c *Config) AllRemoved() []*Removed {
	return everywhere(c, func(c *Config) []*Removed { return c.Removed }, func(r *Removed) *string { return &r.Within })
}

// everywhere are the blocks of a kind in a configuration and in the definitions that it calls; each of these says within
// which call it is.
func everywhere[T any](c *Config, blocks func(*Config) []*T, within func(*T) *string) []*T {
	all := slices.Clone(blocks(c))
	for path, definition := range c.definitions("") {
		for _, b := range blocks(definition) {
			called := *b
			*within(&called) = path
			all = append(all, &called)
		}
	}
	return all
}

// Means reports whether the block is about an object with that address.
func (r *Removed) Means(addr addrs.Instance) bool {
	_, rest, ok := addrs.CutDeclared(addr.Resource.Module, r.Within)
	addr.Resource.Module = rest
	return ok && r.From.Means(addr)
}

// Destination is where the block moves an address to, if it does. Between addresses without keys whole
// resources and modules move, all their instances.
func (m *Moved) Destination(addr addrs.Instance) (addrs.Instance, bool) {
	module, rest, ok := addrs.CutDeclared(addr.Resource.Module, m.Within)
	if !ok {
		return addrs.Instance{}, false
	}
	addr.Resource.Module = rest
	to, ok := m.destination(addr)
	to.Resource = to.Resource.Within(module)
	return to, ok
}

func (m *Moved) destination(addr addrs.Instance) (addrs.Instance, bool) {
	switch {
	case m.From.IsModule():
		rest, ok := strings.CutPrefix(addr.Resource.Module, m.From.Resource.Module)
		if !ok || rest != "" && rest[0] != '.' && (rest[0] != '[' || strings.HasSuffix(m.To.Resource.Module, "]")) {
			return addrs.Instance{}, false
		}
		addr.Resource.Module = m.To.Resource.Module + rest
		return addr, true
	case m.From == addr:
		return m.To, true
	case m.From.Key.IsZero() && m.To.Key.IsZero() && m.From.Resource == addr.Resource:
		return m.To.Resource.Instance(addr.Key), true
	}
	return addrs.Instance{}, false
}

func instanceKey(key cty.Value) (addrs.Key, bool) {
	switch {
	case key == cty.NilVal || key.IsNull() || !key.IsKnown():
	case key.Type() == cty.String:
		return addrs.StringKey(key.AsString()), true
	case key.Type() == cty.Number:
		n, accuracy := key.AsBigFloat().Int64()
		return addrs.IntKey(int(n)), accuracy == 0 && n >= 0
	}
	return addrs.Key{}, false
}

// undeclaredImport is the error of an import block of a resource that has no block. Where kplan can write that, the
// extra of the error is the import.
func undeclaredImport(i *Import, names []string) hcl.Diagnostics {
	hint := words.Suggest(i.To.Resource.String(), names)
	canWrite := i.id != nil && i.ForEach == nil && i.To.Key.IsZero() && !i.To.IsModule()
	if canWrite && hint == "" {
		hint = " To have its block written: kplan plan " + option.GenerateConfig.With("imported.kplan.hcl")
	}
	diags := source.Problem("Reference to undeclared resource", i.ToRange, "There is no resource %s to import into.%s", i.To.Resource, hint)
	if canWrite {
		diags[0].Extra = i
	}
	return diags
}

// checkRefactoring reports import blocks of undeclared resources, and moved and removed blocks of
// declared ones. Whether an instance exists is known when the configuration is evaluated.
func checkRefactoring(p *parser, c *Config) {
	declared := map[addrs.Resource]bool{}
	var names []string
	for _, r := range c.Resources {
		declared[r.Addr] = true
		names = append(names, r.Addr.String())
	}
	calls := map[string]bool{}
	for _, call := range c.Calls {
		calls["module."+call.Name] = true
	}
	imported := map[addrs.Instance]hcl.Range{}
	for _, i := range c.Imports {
		if first, again := imported[i.To]; again && i.ForEach == nil {
			p.problem("Duplicate import", i.Range, "%s is imported at %s already. Remove one of the two blocks.", i.To, first)
		}
		if i.ForEach == nil {
			imported[i.To] = i.Range
		}
		if i.To.Resource.Module == "" && !declared[i.To.Resource] { // what is in a module is known later
			p.report(undeclaredImport(i, names))
		}
	}
	gone := map[addrs.Instance]hcl.Range{}
	for _, r := range c.Removed {
		if first, again := gone[r.From]; again {
			p.problem("Duplicate removed block", r.Range, "There is a block for %s at %s already. Remove one of the two.", r.From, first)
		}
		gone[r.From] = r.Range
		if declared[r.From.Resource] && r.From.Key.IsZero() || calls[r.From.Resource.Module] && r.From.IsModule() {
			p.problem("Removed resource still exists", r.FromRange, "The configuration still declares %s. Delete its block, or this one.", r.From)
		}
	}
	targets, sources := map[addrs.Instance]*Moved{}, map[addrs.Instance]*Moved{}
	for _, m := range c.Moved {
		if other := sources[m.From]; other != nil {
			p.problem("Ambiguous move", m.Range, "%s is moved to %s already, at %s.", m.From, other.To, other.Range)
			continue
		}
		sources[m.From] = m
		if movesInCircle(m, sources) {
			p.problem("Moves in a circle", m.Range, "The moved blocks lead from %s back to it, so no address is the last. Remove one of them.",
				m.From)
		}
		if other := targets[m.To]; other != nil {
			p.problem("Ambiguous move", m.Range, "%s is already what %s was moved to, at %s.", m.To, other.From, other.Range)
		}
		targets[m.To] = m
		if declared[m.From.Resource] && m.From.Key.IsZero() && m.To.Key.IsZero() {
			what := "Delete its block"
			if !declared[m.To.Resource] {
				what = "Rename its block to " + m.To.Resource.Name
			}
			p.problem("Moved object still exists", m.FromRange, "The configuration still declares %s. %s, or delete this one.", m.From, what)
		}
	}
}

// movesInCircle reports whether the moves after m lead back to where it begins.
func movesInCircle(m *Moved, from map[addrs.Instance]*Moved) bool {
	for next, steps := from[m.To], 0; next != nil && steps <= len(from); next, steps = from[next.To], steps+1 {
		if next.To == m.From {
			return true
		}
	}
	return false
}
