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
	// compared is how many names were compared for suggestions.
	compared int
}

// resolve finds what the block's expressions refer to.
func (n *names) resolve(b *block) hcl.Diagnostics {
	var diags hcl.Diagnostics
	found := &useFinder{}
	b.node.findUses(found)
	b.keys, b.tails = found.keys, found.tails
	for i, u := range found.uses {
		ref, problems := n.reference(b, u, i < found.repetition)
		diags = append(diags, problems...)
		switch {
		case problems.HasErrors():
			b.broken = append(b.broken, u)
		case ref.to != Block{}:
			b.refs = append(b.refs, ref)
		}
	}
	for _, r := range b.node.dependsOn() {
		if _, ok := n.byBlock[resourceBlock(r.Resource)]; !ok {
			diags = append(diags, n.undeclaredResource(resourceBlock(r.Resource), r.Range)...)
		}
	}
	return diags
}

// reference reads one use. The zero reference means one that no block
// declares, such as each.key.
func (n *names) reference(b *block, u use, inRepetition bool) (reference, hcl.Diagnostics) {
	if source.IsKindName(u.root) {
		return n.resourceReference(b, u)
	}
	switch u.root {
	case "var", "local":
		return n.valueReference(b, u)
	case "each", "count":
		return reference{}, repetitionReference(b, u, inRepetition)
	case "path":
		return reference{}, attributeOf(u, "module", "root", "cwd")
	case "data":
		return reference{}, source.Problem("Unsupported reference", u.at, "This version of kplan does not have data sources yet.")
	case "module":
		return reference{}, source.Problem("Unsupported reference", u.at, "This version of kplan does not have modules yet.")
	case "output":
		return reference{}, source.Problem("Unsupported reference", u.at,
			"An output can't be referred to. Put the expression into a local value, and refer to that from both places.")
	case "self":
		return reference{}, source.Problem("Unsupported reference", u.at,
			"There is no self. An object's values are known only after its whole block is evaluated.")
	case "terraform", "kplan":
		return reference{}, source.Problem("Unsupported reference", u.at,
			"%s has no values that expressions can refer to. Declare a variable for what differs between runs.", u.root)
	}
	return reference{}, n.unknownRoot(u)
}

// valueReference reads var.name or local.name.
func (n *names) valueReference(from *block, u use) (reference, hcl.Diagnostics) {
	what := map[string]string{"var": "variable", "local": "local value"}[u.root]
	if len(u.steps) == 0 || u.steps[0].kind != attrStep {
		return reference{}, source.Problem("Incomplete reference", u.at,
			"The name of the %s is missing: a reference looks like %s.name.", what, u.root)
	}
	to := Block{Module: from.name.Module, Type: u.root, Name: u.steps[0].name}
	if _, ok := n.byBlock[to]; ok {
		return reference{to: to, steps: u.steps[1:], at: u.at}, nil
	}
	hint := n.suggest(to.Name, func() []string { return n.declared(u.root) })
	other := Block{Module: to.Module, Type: map[string]string{"var": "local", "local": "var"}[u.root], Name: to.Name}
	if _, ok := n.byBlock[other]; ok {
		hint = words.DidYouMean(other.String())
	}
	if hint == "" && u.root == "var" {
		hint = fmt.Sprintf(" Declare it: variable %q {}.", to.Name)
	}
	return reference{}, source.Problem("Undeclared "+what, u.at, "There is no %s named %q.%s", what, to.Name, hint)
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

// declared are the names of all blocks of a type.
func (n *names) declared(typ string) []string {
	var found []string
	for _, b := range n.inOrder {
		if b.name.Type == typ {
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
	repeated, ok := b.node.(objectNode)
	has := ok && repeated.repetition() == argument
	switch {
	case !has:
		return source.Problem("Reference outside of "+argument, u.at, "%s exists only in a resource with %s.", u.root, argument)
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
func (n *names) resourceReference(from *block, u use) (reference, hcl.Diagnostics) {
	if len(u.steps) == 0 || u.steps[0].kind != attrStep {
		if len(u.steps) == 0 && u.asKey {
			return reference{}, source.Problem("Ambiguous key", u.at, "Quote the key if it is meant as text.")
		}
		return reference{}, source.Problem("Incomplete reference", u.at,
			"The name of the resource is missing: a reference looks like %s.name. To write text, put it in quotes.", u.root)
	}
	to := Block{Module: from.name.Module, Type: u.root, Name: u.steps[0].name}
	b, ok := n.byBlock[to]
	if !ok {
		return reference{}, n.undeclaredResource(to, u.at)
	}
	ref := reference{to: to, steps: u.steps[1:], at: u.at, guard: u.guard}
	return ref, checkInstanceKey(b.node.(objectNode).repetition(), ref)
}

func (n *names) undeclaredResource(to Block, at hcl.Range) hcl.Diagnostics {
	return source.Problem("Undeclared resource", at, "There is no resource %q %q.%s", to.Type, to.Name, n.suggestResource(to))
}

// suggestResource offers the resource of the same kind with the nearest name,
// or else of the nearest kind with the same name, or else the nearest of all.
func (n *names) suggestResource(to Block) string {
	if hint := n.suggest(to.Name, func() []string { return n.declared(to.Type) }); hint != "" {
		return hint
	}
	onlyOne := ""
	near := n.suggest(to.String(), func() []string {
		var sameName, all []string
		for _, b := range n.inOrder {
			if b.name.IsResource() {
				all = append(all, b.name.String())
				if b.name.Name == to.Name {
					sameName = append(sameName, b.name.String())
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
func (n *names) unknownRoot(u use) hcl.Diagnostics {
	if u.asKey {
		return source.Problem("Ambiguous key", u.at,
			"Put a key that is not a plain word in quotes: \"app.kubernetes.io/name\" = …. To use a value as the key, put it "+
				"in parentheses.")
	}
	if len(u.steps) == 0 {
		return source.Problem("Unknown name", u.at, "There is nothing named %s. Put text in quotes: %q.", u.root, u.root)
	}
	return source.Problem("Unknown name", u.at, "No reference begins with %q.%s", u.root, n.suggestRoot(u))
}

var misspelledRoots = map[string]string{
	"vars": "var", "variable": "var", "variables": "var", "locals": "local", "loop": "each",
}

func (n *names) suggestRoot(u use) string {
	if right, ok := misspelledRoots[u.root]; ok {
		return words.DidYouMean(right)
	}
	if first := u.steps[0]; u.root == "resource" && first.kind == attrStep && source.IsKindName(first.name) {
		return fmt.Sprintf(" A resource is referred to by its kind: leave out %q.", u.root)
	}
	for _, b := range n.inOrder {
		if b.name.IsResource() && b.name.Name == u.root {
			return fmt.Sprintf(" A resource is referred to by its kind: %s.", b.name)
		}
	}
	if kind := n.similarKind(u.root); kind != "" {
		hint := fmt.Sprintf(" A resource is referred to by its kind: %s.%s.", kind, u.steps[0].name)
		if u.steps[0].kind != attrStep {
			hint = fmt.Sprintf(" A resource is referred to by its kind: %s.name.", kind)
		}
		return hint
	}
	return words.Suggest(u.root, source.ReferenceRoots)
}

// similarKind is the kind that a lower-case word most likely means, with the declared ones first.
func (n *names) similarKind(word string) string {
	for _, b := range n.inOrder {
		if b.name.IsResource() && strings.EqualFold(b.name.Type, word) {
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
		case localNode:
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
	return r.ref.to == resourceBlock(be.Resource) && r.ref.mayMean(be.Key, r.target)
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
		case localNode:
			isAlias := len(to.refs) == 1 && to.refs[0].at == node.expr.Range()
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
