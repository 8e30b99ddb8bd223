package config

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/internal/words"
)

// Import is an import block: the object of a resource is adopted if it exists and this stack does
// not manage it. The configuration names it, so there is no id.
type Import struct {
	To       addrs.Instance // all instances of a resource where it has no key
	Managers []string       // whose fields are taken over, besides those of the tools that are known to deploy
	Range    hcl.Range
	ToRange  hcl.Range
}

// Moved is a moved block: the resource of one address now has another. kplan finds moves by itself
// while the object stays the same; a block is needed where its name changes, too.
type Moved struct {
	From, To  addrs.Instance
	Range     hcl.Range
	FromRange hcl.Range
}

// Removed is a removed block: whether the objects of a resource that is no longer in the
// configuration are deleted.
type Removed struct {
	From      addrs.Instance
	Destroy   bool // delete them; otherwise kplan forgets them and they stay in the cluster
	Range     hcl.Range
	FromRange hcl.Range
}

var (
	importSchema  = &hcl.BodySchema{Attributes: []hcl.AttributeSchema{{Name: "to", Required: true}, {Name: "managers"}}}
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
	var ok bool
	if i.To, ok = p.address(content.Attributes["to"]); ok {
		i.ToRange = content.Attributes["to"].Expr.Range()
		return i
	}
	return nil
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
	case from.Resource.Type != to.Resource.Type:
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
		"%s is the address of a resource or of one of its instances, such as Pod.web or Pod.web[\"key\"], without quotes.", attr.Name)
	return addrs.Instance{}, false
}

func traversedInstance(t hcl.Traversal) (addrs.Instance, bool) {
	if len(t) < 2 || len(t) > 3 || !source.IsKindName(t.RootName()) {
		return addrs.Instance{}, false
	}
	name, ok := t[1].(hcl.TraverseAttr)
	if !ok {
		return addrs.Instance{}, false
	}
	resource := addrs.Resource{Type: t.RootName(), Name: name.Name}
	if len(t) == 2 {
		return resource.Instance(addrs.Key{}), true
	}
	index, ok := t[2].(hcl.TraverseIndex)
	if !ok {
		return addrs.Instance{}, false
	}
	key, ok := instanceKey(index.Key)
	return resource.Instance(key), ok
}

func instanceKey(key cty.Value) (addrs.Key, bool) {
	switch {
	case key.Type() == cty.String:
		return addrs.StringKey(key.AsString()), true
	case key.Type() == cty.Number:
		n, accuracy := key.AsBigFloat().Int64()
		return addrs.IntKey(int(n)), accuracy == 0 && n >= 0
	}
	return addrs.Key{}, false
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
	imported := map[addrs.Instance]hcl.Range{}
	for _, i := range c.Imports {
		if first, again := imported[i.To]; again {
			p.problem("Duplicate import", i.Range, "%s is imported at %s already. Remove one of the two blocks.", i.To, first)
		}
		imported[i.To] = i.Range
		if !declared[i.To.Resource] {
			p.problem("Reference to undeclared resource", i.ToRange,
				"There is no resource %s to import into.%s", i.To.Resource, words.Suggest(i.To.Resource.String(), names))
		}
	}
	gone := map[addrs.Instance]hcl.Range{}
	for _, r := range c.Removed {
		if first, again := gone[r.From]; again {
			p.problem("Duplicate removed block", r.Range, "There is a block for %s at %s already. Remove one of the two.", r.From, first)
		}
		gone[r.From] = r.Range
		if declared[r.From.Resource] && r.From.Key.IsZero() {
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
