package hclspec

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/internal/words"
)

// names are the names that a configuration declares.
type names struct {
	byBlock map[Block]*block
	// inOrder are the same blocks in their order, for suggestions.
	inOrder []*block
	// outputs are those of each module, by its path.
	outputs map[string][]Block
	// compared is how many names were compared for suggestions.
	compared int
	files    map[string]*hcl.File
}

// asText is how to write what no reference is, if it is meant as a text.
func (n *names) asText(u use) string {
	if file := n.files[u.at.Filename]; file != nil {
		if hint := source.AsText(file.Bytes, u.at); hint != "" {
			return hint
		}
	}
	return fmt.Sprintf(" To write text, put it in quotes: %q.", u.root)
}

// resolve finds what the block's expressions refer to.
func (n *names) resolve(b *block) hcl.Diagnostics {
	var diags hcl.Diagnostics
	found := &useFinder{inModule: b.call != ""}
	b.node.findUses(found)
	b.keys, b.tails = found.keys, found.tails
	for i, u := range found.uses {
		refs, problems := n.reference(b, u, i < found.repetition)
		diags = append(diags, problems...)
		if problems.HasErrors() {
			b.broken = append(b.broken, u)
			continue
		}
		b.refs = append(b.refs, refs...)
	}
	if b.name.Type == addrs.Manifests {
		b.refs = append(b.refs, reference{to: objectsBlock(b.name), at: b.at})
	}
	for _, r := range b.node.dependsOn() {
		awaited, problems := n.awaited(b, r)
		b.awaits, diags = append(b.awaits, awaited...), append(diags, problems...)
	}
	if b.call != "" {
		n.calledBy(b)
	}
	return diags
}

// awaited are the resources that an entry of depends_on names.
func (n *names) awaited(b *block, r config.Reference) ([]await, hcl.Diagnostics) {
	if r.Call == "" {
		to := Block{Module: n.scopeOf(b), Type: r.Resource.Type, Name: r.Resource.Name}
		if n.byBlock[to] == nil {
			return nil, n.undeclaredResource(to, r.Range)
		}
		return []await{{to, r.Range}}, nil
	}
	call := Block{Module: n.scopeOf(b), Type: "module", Name: r.Call}
	if n.byBlock[call] == nil {
		return nil, n.undeclaredModule(call, r.Range)
	}
	var all []await
	for _, other := range n.inOrder {
		in := other.name.Module
		if _, ok := other.node.(objectNode); ok && (in == call.String() || strings.HasPrefix(in, call.String()+".")) {
			all = append(all, await{other.name, r.Range})
		}
	}
	return all, nil
}

// calledBy has a block of a module come after the call, and its objects wait for what the call waits for.
func (n *names) calledBy(b *block) {
	parent, _ := cutLastCall(b.name.Module)
	call := n.byBlock[Block{Module: parent, Type: "module", Name: b.call}]
	b.refs = append(b.refs, reference{to: call.name, at: call.at})
	if _, ok := b.node.(repeatedNode); ok && !b.isArgument { // an object, or a module that has some
		b.awaits = append(b.awaits, call.awaits...)
	}
}

// cutLastCall cuts the name of the last call off a path of calls without keys.
func cutLastCall(path string) (parent, name string) {
	if at := strings.LastIndex(path, ".module."); at >= 0 {
		return path[:at], path[at+len(".module."):]
	}
	return "", strings.TrimPrefix(path, "module.")
}

// scopeOf is the module whose names the expressions of a block use.
func (n *names) scopeOf(b *block) string {
	if b.isArgument {
		parent, _ := cutLastCall(b.name.Module)
		return parent
	}
	return b.name.Module
}

// reference reads one use. There is none for what no block declares, such as each.key.
func (n *names) reference(b *block, u use, inRepetition bool) ([]reference, hcl.Diagnostics) {
	if source.IsKindName(u.root) {
		return n.resourceReference(b, u)
	}
	switch u.root {
	case "var", "local":
		return n.valueReference(b, u)
	case "module":
		return n.moduleReference(b, u)
	case addrs.Manifests:
		return n.resourceReference(b, u)
	case "each", "count":
		return nil, repetitionReference(b, u, inRepetition)
	case "path":
		return nil, attributeOf(u, "module", "root", "cwd")
	case "data":
		return n.dataReference(b, u)
	case "output":
		return nil, source.Problem("Unsupported reference", u.at,
			"An output can't be referred to. Put the expression into a local value, and refer to that from both places.")
	case "self":
		if u.self {
			return nil, nil
		}
		return nil, source.Problem("Unsupported reference", u.at,
			"There is self only in a postcondition. An object's values are known only after its whole block is evaluated.")
	case "terraform", "kplan":
		return nil, source.Problem("Unsupported reference", u.at,
			"%s has no values that expressions can refer to. Declare a variable for what differs between runs.", u.root)
	}
	return nil, n.unknownRoot(b, u)
}

// dataReference reads data.Kind.name.
func (n *names) dataReference(from *block, u use) ([]reference, hcl.Diagnostics) {
	if len(u.steps) < 2 || u.steps[0].kind != attrStep || u.steps[1].kind != attrStep {
		return nil, source.Problem("Incomplete reference", u.at, "A reference to a data block looks like data.ConfigMap.name.")
	}
	to := Block{Module: n.scopeOf(from), Type: "data." + u.steps[0].name, Name: u.steps[1].name}
	b, ok := n.byBlock[to]
	if !ok {
		return nil, source.Problem("Undeclared data block", u.at, "There is no data block %q %q.%s", u.steps[0].name, to.Name,
			n.suggest(to.Name, func() []string { return n.declared(to.Type, to.Module) }))
	}
	if check := b.node.(readNode).check(); check != "" && (from.name != Block{Module: to.Module, Type: "check", Name: check}) {
		return nil, source.Problem("Data block of a check", u.at, "data.%s.%s is in the check %q, and only that refers to it: it is read after "+
			"all else. Move the block out of the check to use it elsewhere.", u.steps[0].name, to.Name, check)
	}
	ref := reference{to: to, steps: u.steps[2:], at: u.at, guard: u.guard}
	return []reference{ref}, checkInstanceKey(b.node.(repeatedNode).repetition(), ref)
}

// valueReference reads var.name or local.name.
func (n *names) valueReference(from *block, u use) ([]reference, hcl.Diagnostics) {
	what := map[string]string{"var": "variable", "local": "local value"}[u.root]
	if len(u.steps) == 0 || u.steps[0].kind != attrStep {
		return nil, source.Problem("Incomplete reference", u.at,
			"The name of the %s is missing: a reference looks like %s.name.", what, u.root)
	}
	to := Block{Module: n.scopeOf(from), Type: u.root, Name: u.steps[0].name}
	if _, ok := n.byBlock[to]; ok {
		return []reference{{to: to, steps: u.steps[1:], at: u.at}}, nil
	}
	hint := n.suggest(to.Name, func() []string { return n.declared(u.root, to.Module) })
	other := Block{Module: to.Module, Type: map[string]string{"var": "local", "local": "var"}[u.root], Name: to.Name}
	if _, ok := n.byBlock[other]; ok {
		hint = words.DidYouMean(other.Type + "." + other.Name)
	}
	if hint == "" && u.root == "var" {
		hint = fmt.Sprintf(" Declare it: variable %q {}.", to.Name)
	}
	return nil, source.Problem("Undeclared "+what, u.at, "There is no %s named %q.%s", what, to.Name, hint)
}

// suggest offers the nearest of some names, until too many were compared for that: each of thousands of mistakes with
// each of thousands of names.
func (n *names) suggest(name string, among func() []string) string {
	const most = 1 << 18
	if n.compared > most {
		return ""
	}
	names := among()
	n.compared += len(names)
	return words.Suggest(name, names)
}

// declared are the names of all blocks of a type in a module.
func (n *names) declared(typ, module string) []string {
	var found []string
	for _, b := range n.inOrder {
		if b.name.Type == typ && b.name.Module == module {
			found = append(found, b.name.Name)
		}
	}
	return found
}

// repetitionReference checks each.key, each.value and count.index.
func repetitionReference(b *block, u use, inRepetition bool) hcl.Diagnostics {
	argument, attrs := "for_each", []string{"key", "value"}
	if u.root == "count" {
		argument, attrs = "count", []string{"index"}
	}
	repeated, ok := b.node.(repeatedNode)
	has := ok && repeated.repetition() == argument
	switch {
	case !has:
		return source.Problem("Reference outside of "+argument, u.at, "%s exists only in a block with %s.", u.root, argument)
	case inRepetition:
		return source.Problem("Reference outside of "+argument, u.at,
			"%s itself can't refer to %s: it sets how many instances there are, each of which has its own.", argument, u.root)
	}
	return attributeOf(u, attrs...)
}

func attributeOf(u use, attrs ...string) hcl.Diagnostics {
	if len(u.steps) > 0 && u.steps[0].kind == attrStep && slices.Contains(attrs, u.steps[0].name) {
		return nil
	}
	var full []string
	for _, a := range attrs {
		full = append(full, u.root+"."+a)
	}
	return source.Problem("Unsupported reference", u.at, "A reference to %s is %s.", u.root, words.Or(full))
}

// resourceReference reads Kind.name and the key of an instance after it.
func (n *names) resourceReference(from *block, u use) ([]reference, hcl.Diagnostics) {
	if len(u.steps) == 0 || u.steps[0].kind != attrStep {
		if len(u.steps) == 0 && u.asKey {
			return nil, source.Problem("Ambiguous key", u.at, "Quote the key if it is meant as text.")
		}
		return nil, source.Problem("Incomplete reference", u.at,
			"The name of the resource is missing: a reference looks like %s.name.%s", u.root, n.asText(u))
	}
	to := Block{Module: n.scopeOf(from), Type: u.root, Name: u.steps[0].name}
	b, ok := n.byBlock[to]
	if !ok {
		return nil, n.undeclaredResource(to, u.at)
	}
	ref := reference{to: to, steps: u.steps[1:], at: u.at, guard: u.guard}
	return []reference{ref}, checkInstanceKey(b.node.(objectNode).repetition(), ref)
}

// moduleReference reads module.name, the key of an instance, and the output that follows it. A reference to
// all that a module gives is one to each of its outputs.
func (n *names) moduleReference(from *block, u use) ([]reference, hcl.Diagnostics) {
	if len(u.steps) == 0 || u.steps[0].kind != attrStep {
		return nil, source.Problem("Incomplete reference", u.at, "The name of the module is missing: a reference looks like module.name.output.")
	}
	call := Block{Module: n.scopeOf(from), Type: "module", Name: u.steps[0].name}
	b, ok := n.byBlock[call]
	if !ok {
		return nil, n.undeclaredModule(call, u.at)
	}
	steps := u.steps[1:]
	whole := reference{to: call, call: call, steps: steps, at: u.at}
	repeated := b.node.(repeatedNode).repetition()
	if diags := checkInstanceKey(repeated, whole); diags.HasErrors() {
		return nil, diags
	}
	if len(steps) > 0 && (repeated != "" || steps[0].isKey()) {
		whole.key = writtenKey(steps[0])
		steps = steps[1:]
	}
	if repeated != "" && len(whole.steps) == 0 {
		steps = nil
	}
	refs := []reference{whole}
	if b.isOpaque {
		return refs, nil
	}
	output := ""
	if len(steps) > 0 && (steps[0].kind == attrStep || steps[0].kind == nameKeyStep) {
		output = steps[0].name
		if n.byBlock[Block{Module: call.String(), Type: "output", Name: output}] == nil {
			return nil, source.Problem("Unsupported reference", u.at, "%s has no output %q.%s", call, output,
				words.Suggest(output, n.declared("output", call.String())))
		}
	}
	for _, o := range n.outputs[call.String()] {
		ref := reference{to: o, call: call, key: whole.key, at: u.at, guard: u.guard}
		switch output {
		case "":
			refs = append(refs, ref)
		case o.Name:
			ref.steps = steps[1:]
			refs = append(refs, ref)
		}
	}
	return refs, nil
}

func (n *names) undeclaredModule(to Block, at hcl.Range) hcl.Diagnostics {
	return source.Problem("Undeclared module", at, "There is no module %q.%s", to.Name,
		n.suggest(to.Name, func() []string { return n.declared("module", to.Module) }))
}

func (n *names) undeclaredResource(to Block, at hcl.Range) hcl.Diagnostics {
	if to.Type == addrs.Manifests {
		return source.Problem("Undeclared manifests block", at, "There is no manifests block %q.%s", to.Name,
			n.suggest(to.Name, func() []string { return n.declared(to.Type, to.Module) }))
	}
	return source.Problem("Undeclared resource", at, "There is no resource %q %q.%s", to.Type, to.Name, n.suggestResource(to))
}

// suggestResource offers the resource of the same kind with the nearest name,
// or else of the nearest kind with the same name, or else the nearest of all.
func (n *names) suggestResource(to Block) string {
	if hint := n.suggest(to.Name, func() []string { return n.declared(to.Type, to.Module) }); hint != "" {
		return hint
	}
	onlyOne := ""
	near := n.suggest(to.local(), func() []string {
		var sameName, all []string
		for _, b := range n.inOrder {
			if b.name.IsResource() && b.name.Module == to.Module {
				all = append(all, b.name.local())
				if b.name.Name == to.Name {
					sameName = append(sameName, b.name.local())
				}
			}
		}
		if len(sameName) == 1 {
			onlyOne = words.DidYouMean(sameName[0])
			return nil
		}
		return all
	})
	return cmp.Or(onlyOne, near)
}

// checkInstanceKey compares a reference with the way the resource repeats.
func checkInstanceKey(repeated string, ref reference) hcl.Diagnostics {
	if len(ref.steps) == 0 {
		return nil
	}
	first := ref.steps[0]
	switch {
	case repeated == "" && first.isKey() && first.kind != splatStep:
		return source.Problem("Unexpected instance key", first.at,
			"%s has neither for_each nor count, so it is a single object. Leave out the brackets.", ref.to)
	case repeated == "for_each" && first.kind == splatStep:
		return source.Problem("Invalid splat", first.at,
			"%s has for_each, so it is a map and not a list. Write values(%s)[*] for all its instances.", ref.to, ref.to)
	case repeated == "for_each" && first.kind == indexKeyStep:
		return source.Problem("Invalid instance key", first.at,
			"%s has for_each, so the keys of its instances are strings, as in %s[\"key\"].", ref.to, ref.to)
	case repeated == "count" && first.kind == nameKeyStep:
		return source.Problem("Invalid instance key", first.at,
			"%s has count, so the keys of its instances are numbers, as in %s[0].", ref.to, ref.to)
	case repeated != "" && !first.isKey():
		example := map[string]string{"for_each": `["key"]`, "count": "[0]"}[repeated]
		return source.Problem("Missing instance key", ref.at,
			"%s has %s, so it refers to several objects. Add the key of one, as in %s%s.%s.", ref.to, repeated, ref.to,
			example, first.name)
	}
	return nil
}

// unknownRoot reports a name that begins no reference.
func (n *names) unknownRoot(from *block, u use) hcl.Diagnostics {
	if u.asKey {
		return source.Problem("Ambiguous key", u.at,
			"Put a key that is not a plain word in quotes: \"app.kubernetes.io/name\" = …. To use a value as the key, put it "+
				"in parentheses.")
	}
	if len(u.steps) == 0 {
		return source.Problem("Unknown name", u.at, "There is nothing named %s.%s", u.root, n.asText(u))
	}
	return source.Problem("Unknown name", u.at, "No reference begins with %q.%s", u.root, n.suggestRoot(n.scopeOf(from), u))
}

var misspelledRoots = map[string]string{
	"vars": "var", "variable": "var", "variables": "var", "locals": "local", "loop": "each",
}

func (n *names) suggestRoot(module string, u use) string {
	if right, ok := misspelledRoots[u.root]; ok {
		return words.DidYouMean(right)
	}
	if first := u.steps[0]; u.root == "resource" && first.kind == attrStep && source.IsKindName(first.name) {
		return fmt.Sprintf(" A resource is referred to by its kind: leave out %q.", u.root)
	}
	for _, b := range n.inOrder {
		if b.name.IsResource() && b.name.Name == u.root && b.name.Module == module {
			return fmt.Sprintf(" A resource is referred to by its kind: %s.", b.name.local())
		}
	}
	if kind := n.similarKind(module, u.root); kind != "" {
		hint := fmt.Sprintf(" A resource is referred to by its kind: %s.%s.", kind, u.steps[0].name)
		if u.steps[0].kind != attrStep {
			hint = fmt.Sprintf(" A resource is referred to by its kind: %s.name.", kind)
		}
		return hint
	}
	return words.Suggest(u.root, source.ReferenceRoots)
}

// similarKind is the kind that a lower-case word most likely means, with the declared ones first.
func (n *names) similarKind(module, word string) string {
	for _, b := range n.inOrder {
		if b.name.IsResource() && b.name.Module == module && strings.EqualFold(b.name.Type, word) {
			return b.name.Type
		}
	}
	if words.Nearest(word, source.ReferenceRoots) != "" {
		return ""
	}
	return config.NearestKind(word)
}

// findDemands collects what the configuration asks of each resource.
func (n *names) findDemands() map[Block]*demand {
	demands := map[Block]*demand{}
	for _, b := range n.inOrder {
		for _, ref := range b.refs {
			target, ok := n.byBlock[ref.to].node.(objectNode)
			if !ok {
				continue
			}
			if demands[ref.to] == nil {
				demands[ref.to] = &demand{}
			}
			demands[ref.to].add(ref.objectSteps(target))
		}
	}
	return demands
}

// objectSteps are the steps of a reference that lead into an object, without
// the key that picks the instance.
func (ref reference) objectSteps(target objectNode) []useStep {
	if len(ref.steps) > 0 && (target.repetition() != "" || ref.steps[0].isKey()) {
		return ref.steps[1:]
	}
	return ref.steps
}

// referrers finds the references to each resource.
type referrers struct {
	names *names
	// reached are the references to resources that go into a local value, also through others.
	reached map[Block][]reference
}

func newReferrers(n *names) *referrers { return &referrers{n, map[Block][]reference{}} }

func (r *referrers) find() map[Block][]reference {
	found := map[Block][]reference{}
	for _, b := range r.names.inOrder {
		for _, ref := range b.refs {
			if _, ok := r.names.byBlock[ref.to].node.(objectNode); ok {
				found[ref.to] = append(found[ref.to], ref)
			}
		}
		if len(b.tails) == 0 {
			continue
		}
		for _, ref := range r.from(b) {
			for _, tail := range b.tails {
				found[ref.to] = append(found[ref.to], reference{to: ref.to, steps: ref.steps, tail: tail.steps, at: tail.at, guard: tail.guard})
			}
		}
	}
	return found
}

// from are the references to resources that a block's values may come from, each once.
func (r *referrers) from(b *block) []reference {
	if known, ok := r.reached[b.name]; ok {
		return known
	}
	r.reached[b.name] = nil // where locals refer to one another
	var all []reference
	for _, ref := range b.refs {
		next := r.names.byBlock[ref.to]
		switch next.node.(type) {
		case objectNode:
			all = append(all, ref)
		case handingNode:
			all = append(all, r.from(next)...)
		}
	}
	all = withoutRepeats(all)
	r.reached[b.name] = all
	return all
}

// withoutRepeats leaves out references that lead where others of them do.
func withoutRepeats(refs []reference) []reference {
	type destination struct {
		to    Block
		steps string
	}
	seen := map[destination]bool{}
	return slices.DeleteFunc(refs, func(ref reference) bool {
		d := destination{to: ref.to}
		for _, s := range ref.steps {
			d.steps += fmt.Sprintf("%d %q %d/", s.kind, s.name, s.index)
		}
		repeated := seen[d]
		seen[d] = true
		return repeated
	})
}

// mayMean reports whether a reference may lead to the instance with that key.
func (ref reference) mayMean(key addrs.Key, target objectNode) bool {
	if target.repetition() == "" || len(ref.steps) == 0 {
		return true
	}
	switch first := ref.steps[0]; first.kind {
	case nameKeyStep:
		return key == addrs.StringKey(first.name)
	case indexKeyStep:
		return key == addrs.IntKey(first.index)
	}
	return true
}

// pathOf is the field that steps lead to or, from a step on that may pick any
// element, the field that holds these.
func pathOf(steps []useStep) addrs.Path {
	var path addrs.Path
	for _, s := range steps {
		switch s.kind {
		case attrStep, nameKeyStep:
			path = path.Field(s.name)
		case indexKeyStep:
			path = path.Index(s.index)
		default:
			return path
		}
	}
	return path
}

// Read is a part of objects that the expressions of a block lead to.
type Read struct {
	Path addrs.Path // in the objects; the zero Path for all of them

	ref    reference
	target objectNode
}

// May reports whether the read may be of that instance.
func (r Read) May(be addrs.Instance) bool {
	return (r.ref.to == objectBlock(be) || r.ref.to == resourceBlock(be.Resource)) && r.ref.mayMean(be.Key, r.target)
}

// Resource is the block of the objects that are read.
func (r Read) Resource() addrs.Resource { return r.ref.to.resource() }

// readFinder finds the references to resources of a block and of the local values that it
// refers to.
type readFinder struct {
	*names
	known map[Block][]reference
}

func (f readFinder) find(b *block) []reference {
	if known, ok := f.known[b.name]; ok {
		return known
	}
	f.known[b.name] = nil // where locals refer to one another
	var all []reference
	for _, ref := range b.refs {
		switch to := f.byBlock[ref.to]; node := to.node.(type) {
		case objectNode:
			all = append(all, f.handedOn(b, ref)...)
		case handingNode:
			isAlias := isAlias(to, node)
			for _, below := range f.find(to) {
				if isAlias {
					below.steps = slices.Concat(below.steps, ref.steps)
				}
				all = append(all, f.handedOn(b, below)...)
			}
		}
	}
	all = withoutRepeats(all)
	f.known[b.name] = all
	return all
}

// isAlias reports whether a block hands on what one reference leads to, and nothing else.
func isAlias(b *block, node handingNode) bool {
	expr, to := node.handsOn(), 0
	for _, ref := range b.refs {
		switch {
		case ref.to.Type == "module":
		case expr == nil || ref.at != expr.Range():
			return false
		default:
			to++
		}
	}
	return to == 1
}

// handedOn are the references that a block makes of one that leads to whole objects, where a
// loop, a local value or a call in it hands these on: see block.tails.
func (f readFinder) handedOn(b *block, ref reference) []reference {
	target := f.byBlock[ref.to].node.(objectNode)
	if len(b.tails) == 0 || ref.tail != nil || !pathOf(ref.objectSteps(target)).IsZero() {
		return []reference{ref}
	}
	steps := ref.steps
	if len(steps) == 0 && target.repetition() != "" {
		steps = []useStep{{kind: anyStep, at: ref.at}}
	}
	var all []reference
	for _, tail := range b.tails {
		for first, step := range tail.steps {
			if step.isKey() && step.kind != nameKeyStep {
				continue
			}
			further := ref
			further.tail, further.steps = tail.steps, slices.Concat(steps, tail.steps[first:])
			all = append(all, further)
		}
	}
	if len(all) == 0 {
		return []reference{ref}
	}
	return all
}
