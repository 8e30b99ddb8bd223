package hclspec

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/manifest"
	"kplan.dev/kplan/hclspec/source"
)

// scope holds what the block's expressions refer to, and nothing else.
func (p *program) scope(b *block, deps map[Block]*result) *hcl.EvalContext {
	byRoot := map[string]map[string]cty.Value{}
	set := func(name Block, value cty.Value) {
		if byRoot[name.Type] == nil {
			byRoot[name.Type] = map[string]cty.Value{}
		}
		byRoot[name.Type][name.Name] = value
	}
	for _, ref := range b.refs {
		if _, done := byRoot[ref.to.Type][ref.to.Name]; !done {
			set(ref.to, deps[ref.to].value)
		}
	}
	loose := map[string]struct{}{}
	for _, u := range b.broken {
		if (u.root == "var" || u.root == "local" || source.IsKindName(u.root)) && len(u.steps) > 0 {
			set(Block{Module: b.name.Module, Type: u.root, Name: u.steps[0].name}, cty.DynamicVal)
		} else {
			loose[u.root] = struct{}{}
		}
	}
	scope := p.base.NewChild()
	scope.Variables = make(map[string]cty.Value, len(byRoot)+1)
	for root, values := range byRoot {
		scope.Variables[root] = cty.ObjectVal(values)
	}
	for root := range loose {
		scope.Variables[root] = cty.DynamicVal
	}
	if _, ok := loose["path"]; !ok {
		scope.Variables["path"] = config.PathValue
	}
	return scope
}

// inScope is the scope of one instance of the block.
func (r repetition) inScope(scope *hcl.EvalContext, b *block) *hcl.EvalContext {
	isBroken := func(u use) bool { return u.root == r.name }
	if r.name == "" || slices.ContainsFunc(b.broken, isBroken) {
		return scope
	}
	inner := scope.NewChild()
	inner.Variables = map[string]cty.Value{r.name: r.values}
	return inner
}

// keyOrigins adds what the keys in the block's brackets came from. Looking
// something up under a key does not pass on the marks of the key.
func (p *program) keyOrigins(b *block, scope *hcl.EvalContext, o *manifest.Origins) {
	if !p.dependsOnResources[b.name] {
		return
	}
	for _, key := range b.keys {
		if value, diags := key.Value(scope); !diags.HasErrors() {
			_, marks := manifest.UnmarkUnknown(value)
			o.Take(marks)
		}
	}
}
