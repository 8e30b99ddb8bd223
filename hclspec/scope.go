package hclspec

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"kplan.dev/kplan/addrs"
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
		if ref.to.Type == "module" {
			if _, done := byRoot["module"][ref.to.Name]; !done && ref.call != (Block{}) {
				set(ref.to, p.moduleValue(b, ref.to, deps))
			}
			continue
		}
		if ref.to.Type == "output" || ref.to.Type == objectsType {
			continue // part of the module's, of the manifests block's
		}
		if ref.to.Type == addrs.Manifests {
			if _, done := byRoot[addrs.Manifests][ref.to.Name]; !done {
				set(ref.to, manifestsValue(b, ref.to, deps))
			}
			continue
		}
		if _, done := byRoot[ref.to.Type][ref.to.Name]; !done {
			set(ref.to, deps[ref.to].value)
		}
	}
	data := map[string]cty.Value{}
	for root, values := range byRoot {
		if kind, ok := strings.CutPrefix(root, "data."); ok {
			data[kind] = cty.ObjectVal(values)
			delete(byRoot, root)
		}
	}
	loose := map[string]struct{}{}
	for _, u := range b.broken {
		if (slices.Contains(blockRoots, u.root) || source.IsKindName(u.root)) && len(u.steps) > 0 {
			set(Block{Module: b.name.Module, Type: u.root, Name: u.steps[0].name}, cty.DynamicVal)
		} else {
			loose[u.root] = struct{}{}
		}
	}
	scope := b.scope.base.NewChild()
	scope.Variables = make(map[string]cty.Value, len(byRoot)+1)
	for root, values := range byRoot {
		scope.Variables[root] = cty.ObjectVal(values)
	}
	if len(data) > 0 {
		scope.Variables["data"] = cty.ObjectVal(data)
	}
	for root := range loose {
		scope.Variables[root] = cty.DynamicVal
	}
	if _, ok := loose["path"]; !ok {
		scope.Variables["path"] = config.PathValue
	}
	return scope
}

// blockRoots are what references to blocks begin with, besides kinds.
var blockRoots = []string{"var", "local", "module", addrs.Manifests}

// moduleValue is what references to a module see: of each instance the outputs that the block refers to.
func (p *program) moduleValue(b *block, call Block, deps map[Block]*result) cty.Value {
	if res := deps[call]; res == nil || res.unexpanded || res.expansion == nil || res.expansion.unknown {
		if res != nil && res.unexpanded {
			return res.value
		}
		return cty.DynamicVal
	}
	if p.names.byBlock[call].isOpaque {
		return cty.DynamicVal
	}
	outputs := map[string]map[string]cty.Value{} // by path of the module
	for _, ref := range b.refs {
		if ref.to.Type == "output" {
			if outputs[ref.to.Module] == nil {
				outputs[ref.to.Module] = map[string]cty.Value{}
			}
			outputs[ref.to.Module][ref.to.Name] = deps[ref.to].value
		}
	}
	var all []cty.Value
	byKey := map[string]cty.Value{}
	for _, m := range b.scope.children[call.Name] {
		value := cty.ObjectVal(outputs[m.path])
		all = append(all, value)
		if name, ok := m.key.Name(); ok {
			byKey[name] = value
		}
	}
	switch p.names.byBlock[call].node.(repeatedNode).repetition() {
	case "for_each":
		return cty.ObjectVal(byKey)
	case "count":
		return cty.TupleVal(all)
	}
	if len(all) == 0 && len(deps[call].expansion.instances) == 0 { // it is not enabled
		return cty.NullVal(cty.DynamicPseudoType)
	}
	if len(all) == 0 { // evaluation was cut off before the module was made
		return cty.DynamicVal
	}
	return all[0]
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
	if !p.dependsOnResources[b.declared()] {
		return
	}
	for _, key := range b.keys {
		if value, diags := key.Value(scope); !diags.HasErrors() {
			_, marks := manifest.UnmarkUnknown(value)
			o.Take(marks)
		}
	}
}

// manifestsValue is what the references of a block to a manifests block see.
func manifestsValue(b *block, to Block, deps map[Block]*result) cty.Value {
	whole := to
	whole.Key = addrs.Key{}
	values := map[string]cty.Value{}
	for _, ref := range b.refs {
		switch {
		case ref.to == whole:
			return deps[whole].value
		case ref.to.Type == addrs.Manifests && ref.to.Name == to.Name && ref.to.Module == to.Module:
			name, _ := ref.to.Key.Name()
			values[name] = deps[ref.to].value
		}
	}
	return cty.ObjectVal(values)
}
