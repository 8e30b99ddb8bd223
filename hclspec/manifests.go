package hclspec

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/budget"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/funcs"
	"kplan.dev/kplan/hclspec/manifest"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/kinds"
)

// A manifests block is evaluated in three steps, each a block. First comes its list (objectsNode), early, since
// the definitions in it describe how to read other objects. When all kinds are known, each object becomes a block
// of its own (manifestNode), which is ordered, visited and referred to on its own. What is left of the manifests
// block itself (manifestsNode) is what references see that do not name one object.

// objectsNode is the list of a manifests block.
type objectsNode struct{ decl *config.Resource }

func (n objectsNode) findUses(f *useFinder) {
	f.expr(n.decl.Objects)
	f.expr(n.decl.Namespace)
}

func (objectsNode) dependsOn() []config.Reference { return nil }

// handsOn is nothing: the list hands on what several expressions refer to.
func (objectsNode) handsOn() hcl.Expression { return nil }

func (n objectsNode) evaluate(p *program, b *block, deps map[Block]*result) *result {
	scope := p.scope(b, deps)
	list := &objectList{}
	res := &result{value: cty.DynamicVal, objects: list, unexpanded: true}
	list.origins.Add(b.of.origins(deps))
	value, diags := funcs.Evaluate(n.decl.Objects, scope)
	res.diags = append(diags, list.setNamespace(n.decl.Namespace, scope)...)
	value, marks := manifest.UnmarkUnknown(value)
	isSecret := list.origins.Take(marks)
	p.keyOrigins(b, scope, &list.origins)
	if res.diags.HasErrors() || list.origins.Skipped != nil {
		return res
	}
	what := notAList(value, isSecret)
	if what == "" {
		what = list.read(value)
	}
	isKnown := value.IsKnown() && (list.namespace == cty.NilVal || list.namespace.IsKnown())
	switch {
	case p.opts.Partial && (!isKnown || what != "" && !value.IsWhollyKnown()):
	case what != "":
		res.diags = append(res.diags, source.ProblemIn("Invalid objects argument", n.decl.Objects, scope, "%s", what)...)
	case !isKnown:
		res.diags = append(res.diags, source.ProblemIn("Invalid namespace argument", n.decl.Namespace, scope,
			"In which namespace the objects are must be known before anything is made, and this depends on what only the cluster will decide.")...)
	default:
		res.value, res.unexpanded = value, false
		n.define(p, b, list, scope)
	}
	return res
}

// notAList says what is wrong with a value as a list of objects, "" for nothing.
func notAList(value cty.Value, isSecret bool) string {
	ty := value.Type()
	switch {
	case isSecret:
		return "The kinds and names of the objects are shown, so the list can't be secret, and this one is sensitive."
	case value.IsNull():
		return "objects is null. For no object at all give an empty list: []."
	case !value.IsKnown():
		return "Which objects there are must be known before anything is made, and this depends on what only the cluster will decide."
	case !ty.IsTupleType() && !ty.IsListType():
		return fmt.Sprintf("objects is a list of manifests, such as yamldecodeall(file(\"bundle.yaml\")), and this is %s.",
			manifest.DescribeValue(value))
	}
	return ""
}

// read reads what identifies the objects, or says what is wrong with one of them.
func (l *objectList) read(value cty.Value) string {
	for i, element := range value.AsValueSlice() {
		o, what := listed(element)
		if what != "" {
			return fmt.Sprintf("Element %d of objects %s.", i, what)
		}
		l.objects = append(l.objects, o)
	}
	return ""
}

// setNamespace evaluates the namespace of objects that name none.
func (l *objectList) setNamespace(expr hcl.Expression, scope *hcl.EvalContext) hcl.Diagnostics {
	if expr == nil {
		return nil
	}
	value, diags := funcs.Evaluate(expr, scope)
	plain, marks := value.UnmarkDeep()
	var origins manifest.Origins // which the objects get with the value
	isSecret := origins.Take(marks)
	text, err := convert.Convert(plain, cty.String)
	switch {
	case diags.HasErrors():
	case isSecret:
		diags = append(diags, source.ProblemIn("Invalid namespace argument", expr, scope, "namespace can't be secret: plans show it.")...)
	case err != nil:
		diags = append(diags, source.ProblemIn("Invalid namespace argument", expr, scope, "namespace is a string, and this is %s.",
			manifest.DescribeValue(plain))...)
	case !text.IsNull():
		l.namespace = text.WithMarks(marks)
	}
	return diags
}

// listed reads what identifies an object, or says what is wrong with it.
func listed(value cty.Value) (o listedObject, what string) {
	shallow, marks := manifest.UnmarkUnknown(value)
	var origins manifest.Origins
	switch ty := shallow.Type(); {
	case origins.Take(marks):
		return o, "is sensitive: its kind and name are shown"
	case !shallow.IsKnown():
		return o, "is not known yet"
	case !shallow.IsNull() && (ty.IsTupleType() || ty.IsListType()):
		return o, "is a list itself: write flatten(…) around the lists"
	case shallow.IsNull() || !ty.IsObjectType() && !ty.IsMapType():
		return o, fmt.Sprintf("is no manifest but %s", manifest.DescribeValue(shallow))
	}
	o.value = value
	fields := shallow.AsValueMap()
	for _, field := range []struct {
		name string
		to   *string
	}{{"apiVersion", &o.apiVersion}, {"kind", &o.kind}} {
		if *field.to, what = textIn(fields, field.name); what != "" || *field.to == "" {
			if what == "" {
				what = "has no " + field.name
			}
			return o, what
		}
	}
	metadata, ok := fields["metadata"]
	if !ok {
		return o, ""
	}
	metadata, _ = metadata.Unmark()
	if ty := metadata.Type(); metadata.IsNull() || !metadata.IsKnown() || !ty.IsObjectType() && !ty.IsMapType() {
		return o, ""
	}
	fields = metadata.AsValueMap()
	if o.namespace, what = textIn(fields, "namespace"); what != "" {
		return o, "(" + o.kind + ") " + what
	}
	if o.name, what = textIn(fields, "name"); what == "" && o.name == "" {
		o.name, what = textIn(fields, "generateName")
		o.isGenerated = true
	}
	if what != "" {
		what = "(" + o.kind + ") " + what
	}
	return o, what
}

// textIn is a field that identifies an object, "" where it is absent.
func textIn(fields map[string]cty.Value, name string) (text, what string) {
	value, ok := fields[name]
	if !ok {
		return "", ""
	}
	value, marks := value.Unmark()
	var origins manifest.Origins
	switch {
	case origins.Take(marks):
		return "", fmt.Sprintf("has a %s that is sensitive, and it is shown", name)
	case !value.IsKnown():
		return "", fmt.Sprintf("has a %s that is not known yet", name)
	case value.IsNull():
		return "", ""
	case value.Type() != cty.String:
		return "", fmt.Sprintf("has a %s that is %s and no string: put it in quotes", name, manifest.DescribeValue(value))
	}
	return value.AsString(), ""
}

// define decodes the definitions in a list, so that the kinds that they declare are known.
func (n objectsNode) define(p *program, b *block, list *objectList, scope *hcl.EvalContext) {
	for at, o := range list.objects {
		if o.kind != kinds.CustomResourceDefinition.Kind {
			continue
		}
		if kind, _ := p.kinds.lookup(o.kind, o.apiVersion, b.at); kind != nil { // else that is reported with the object
			name := Block{Module: b.name.Module, Type: addrs.Manifests, Name: b.name.Name, Key: addrs.StringKey(o.kind + "/" + o.name)}
			list.objects[at].definition = list.decode(p, name, n.decl, o, kind, scope)
		}
	}
}

// decode makes an instance of an object.
func (l *objectList) decode(p *program, name Block, decl *config.Resource, o listedObject, kind *kinds.Kind,
	scope *hcl.EvalContext) *instance {
	root := &manifest.Part{At: decl.Objects.Range()}
	i := &instance{Desired: &Desired{Addr: name.instance(), Kind: kind, Range: decl.Range, positions: manifest.Positions{Root: root}}}
	d := &manifest.Decoder{Kind: kind, Scope: scope, Budget: p.budget}
	d.Origins.Add(l.origins)
	json, _ := d.Value(l.inNamespace(o, kind), kind.Root, nil, root.At)
	i.Fields, i.Unknown, i.Sensitive, i.positions.Items = manifestOf(json), outermost(d.Unknown), outermost(d.Sensitive), d.Sources
	i.Lifecycle, i.Wait = lifecycleFor(&decl.Lifecycle, kind), waitFor(&decl.Wait, kind)
	i.finish()
	i.origins = d.Origins
	i.diags = append(d.Diags, i.diags...)
	return i
}

// inNamespace is an object in the block's namespace, where its kind has one and the object names none.
func (l *objectList) inNamespace(o listedObject, kind *kinds.Kind) cty.Value {
	if l.namespace == cty.NilVal || o.namespace != "" || !kind.Namespaced {
		return o.value
	}
	object, marks := o.value.Unmark()
	fields, metadata := object.AsValueMap(), map[string]cty.Value{}
	if given, ok := fields["metadata"]; ok {
		plain, more := given.Unmark()
		if ty := plain.Type(); !plain.IsKnown() || !plain.IsNull() && !ty.IsObjectType() && !ty.IsMapType() {
			return o.value // which is wrong anyway
		}
		marks = cty.NewValueMarks(slices.Concat(slices.Collect(maps.Keys(marks)), slices.Collect(maps.Keys(more)))...)
		maps.Copy(metadata, plain.AsValueMap())
	}
	metadata["namespace"] = l.namespace
	fields["metadata"] = cty.ObjectVal(metadata)
	return cty.ObjectVal(fields).WithMarks(marks)
}

// manifestsNode is a manifests block as a whole: what references to all of its objects see.
type manifestsNode struct{ decl *config.Resource }

func (n manifestsNode) findUses(f *useFinder) { f.lifecycle(&n.decl.Lifecycle) }

func (n manifestsNode) dependsOn() []config.Reference { return n.decl.DependsOn }

// repetition is as with for_each: the keys of the objects are texts.
func (manifestsNode) repetition() string { return "for_each" }

func (manifestsNode) isOfObjects() {}

func (n manifestsNode) evaluate(p *program, b *block, deps map[Block]*result) *result {
	list := deps[objectsBlock(b.name)]
	res := &result{value: cty.DynamicVal, keys: p.objects[b.name], later: list.objects.origins.Later}
	switch {
	case list.objects.origins.Skipped != nil:
		res.value, res.unexpanded = list.objects.origins.Mark(cty.DynamicVal), true
	case list.unexpanded:
		res.unexpanded = true
	case p.demands[b.declared()] != nil:
		values := map[string]cty.Value{}
		for _, key := range res.keys {
			object := b.name
			object.Key = key
			name, _ := key.Name()
			values[name] = deps[object].value
		}
		res.value = cty.ObjectVal(values)
	}
	return res
}

// makeObjects makes the blocks of the objects of a manifests block, which is about to be evaluated, and evaluates them.
func makeObjects(pre *Preview, b *block) hcl.Diagnostics {
	n, ok := b.node.(manifestsNode)
	if !ok {
		return nil
	}
	p := pre.program
	list := pre.results[objectsBlock(b.name)]
	if list.unexpanded {
		return nil
	}
	if len(list.objects.objects) > p.instancesLeft {
		list.unexpanded = true
		return source.Problem("Too many objects", b.at,
			"With this block the configuration makes more than %d objects. Split it into several stacks.", maxInstances)
	}
	keys, diags := list.objects.keys(p, n.decl)
	if diags.HasErrors() {
		list.unexpanded = true
		return diags
	}
	refs := slices.Clone(b.refs)
	of := map[addrs.Key]*block{}
	for at, key := range keys {
		object := *b
		object.name.Key, object.refs = key, refs
		object.node = manifestNode{n.decl, at, list.objects.objects[at]}
		of[key] = &object
		b.refs = append(b.refs, reference{to: object.name, at: b.at})
	}
	p.objects[b.name] = slices.SortedFunc(maps.Keys(of), addrs.Key.Compare)
	for _, key := range p.objects[b.name] {
		p.names.byBlock[of[key].name] = of[key]
		diags = append(diags, pre.evaluate(of[key])...)
		if p.budget.IsExhausted() {
			return diags
		}
	}
	return append(diags, checkHandling(pre, b, n.decl)...)
}

// keys are those of all objects: kind, namespace and name. Where two groups have a kind of one name it has the
// group behind it.
func (l *objectList) keys(p *program, decl *config.Resource) ([]addrs.Key, hcl.Diagnostics) {
	var diags hcl.Diagnostics
	ids := make([]addrs.Object, len(l.objects))
	first, groups := map[addrs.Object]int{}, map[addrs.Object]int{}
	for at, o := range l.objects {
		kind, problems := p.kinds.lookup(o.kind, o.apiVersion, decl.Objects.Range())
		if kind == nil {
			for _, d := range problems {
				d.Detail = fmt.Sprintf("In objects, element %d is %s. ", at, o) + d.Detail
			}
			diags = append(diags, problems...)
			continue
		}
		id := kind.Object(l.placeOf(o, kind), o.name).Identity()
		if other, again := first[id]; again {
			diags = append(diags, sameObject(o, other, at, decl)...)
			continue
		}
		ids[at], first[id] = id, at
		groups[withoutGroup(id)]++
	}
	keys := make([]addrs.Key, len(ids))
	for at, id := range ids {
		kind := id.Kind
		if groups[withoutGroup(id)] > 1 {
			kind = id.GroupKind().String()
		}
		keys[at] = addrs.StringKey(kind + "/" + id.QualifiedName())
	}
	return keys, diags
}

func withoutGroup(id addrs.Object) addrs.Object {
	id.Group = ""
	return id
}

// placeOf is the namespace that an object will be in, "" where it has none.
func (l *objectList) placeOf(o listedObject, kind *kinds.Kind) string {
	switch {
	case kind.Undefined:
		return o.namespace
	case !kind.Namespaced:
		return ""
	case o.namespace != "":
		return o.namespace
	case l.namespace == cty.NilVal:
		return defaultNamespace
	}
	plain, _ := l.namespace.Unmark()
	return plain.AsString()
}

// sameObject reports two elements of a list that are one object, or that nothing tells apart.
func sameObject(o listedObject, first, second int, decl *config.Resource) hcl.Diagnostics {
	if o.isGenerated {
		return source.Problem("Ambiguous object", decl.Objects.Range(), "The elements %d and %d of objects are both a %s with the "+
			"generateName %s, so nothing tells them apart. Give them names, or a resource block each.", first, second, o.kind, o.name)
	}
	return source.Problem("Duplicate object", decl.Objects.Range(),
		"The elements %d and %d of objects are the same object, %s.", first, second, o)
}

// manifestNode is an object of a manifests block.
type manifestNode struct {
	decl *config.Resource
	at   int // where in the list it is
	was  listedObject
}

func (n manifestNode) findUses(*useFinder) {}

func (n manifestNode) dependsOn() []config.Reference { return nil }

func (manifestNode) repetition() string { return "" }

func (manifestNode) isOfObjects() {}

func (n manifestNode) evaluate(p *program, b *block, deps map[Block]*result) *result {
	whole := b.name
	whole.Key = addrs.Key{}
	list := deps[objectsBlock(whole)]
	res := &result{value: cty.DynamicVal, later: list.objects.origins.Later}
	if by := list.objects.origins.Skipped; by != nil {
		res.value, res.unexpanded = cty.DynamicVal.Mark(manifest.SkippedMark{By: *by}), true
		res.failed = map[addrs.Instance]addrs.Instance{b.name.instance(): *by}
		return res
	}
	if n.at >= len(list.objects.objects) || !list.objects.objects[n.at].isSame(n.was) {
		res.unexpanded = true
		res.diags = source.Problem("Other objects than planned", n.decl.Objects.Range(), "The objects of %s have changed since the "+
			"plan was made, because they depend on an object that became another than planned. Plan again.", whole)
		return res
	}
	p.budget.SpendAt(budget.Instance, b.at)
	o, scope := list.objects.objects[n.at], p.scope(b, deps)
	kind, diags := p.kinds.lookup(o.kind, o.apiVersion, n.decl.Objects.Range())
	if kind == nil {
		res.diags = diags
		return res
	}
	i := o.definition.copy()
	if i == nil || i.Addr != b.name.instance() {
		i = list.objects.decode(p, b.name, n.decl, o, kind, scope)
	}
	res.kind, res.instances = i.Kind, []*instance{i}
	p.evaluateLifecycle(i, &n.decl.Lifecycle, scope)
	i.Later = p.laterValues(b, i)
	var report reporter
	if i.origins.Skipped != nil {
		i.diags = nil
	}
	report.report(i.Addr, i.diags)
	res.diags = report.diags
	res.value = p.resourceValue(b, res, nil)
	return res
}

// lifecycleFor is what of a lifecycle block concerns objects of a kind: not the fields that it does not have.
func lifecycleFor(l *config.Lifecycle, kind *kinds.Kind) config.Lifecycle {
	own := *l
	for _, paths := range []*[]addrs.Path{&own.IgnoreChanges, &own.ForceConflicts, &own.Exclusive, &own.ReplaceOn} {
		*paths = slices.DeleteFunc(slices.Clone(*paths), func(p addrs.Path) bool { return missingField(p, kind) != "" })
	}
	return own
}

// waitFor is what of a wait block concerns objects of a kind.
func waitFor(w *config.Wait, kind *kinds.Kind) config.Wait {
	own := *w
	own.Fields = slices.DeleteFunc(slices.Clone(w.Fields), func(f config.WaitField) bool { return missingField(f.Path, kind) != "" })
	if kind.At(addrs.NewPath("status", "conditions")) == nil {
		own.Conditions = nil
	}
	if kind.Group != "apps" || !slices.Contains(rolloutKinds, kind.Name) {
		own.Rollout = nil
	}
	return own
}

// checkHandling reports fields in the lifecycle and wait blocks that no object has.
func checkHandling(pre *Preview, b *block, decl *config.Resource) hcl.Diagnostics {
	known := map[*kinds.Kind]bool{}
	for _, key := range pre.program.objects[b.name] {
		object := b.name
		object.Key = key
		if res := pre.results[object]; res != nil && res.kind != nil {
			known[res.kind] = true
		}
	}
	isIn := func(p addrs.Path) bool {
		for kind := range known {
			if missingField(p, kind) == "" {
				return true
			}
		}
		return len(known) == 0
	}
	var diags hcl.Diagnostics
	l := &decl.Lifecycle
	for _, path := range slices.Concat(l.IgnoreChanges, l.ForceConflicts, l.Exclusive, l.ReplaceOn) {
		if !isIn(path) {
			diags = append(diags, source.Problem("Unknown field", l.Ranges[path], "No object of %s has a field %s.", b.name, path)...)
		}
	}
	for _, f := range decl.Wait.Fields {
		if !isIn(f.Path) {
			diags = append(diags, source.Problem("Unknown field", f.Range, "No object of %s has a field %s.", b.name, f.Path)...)
		}
	}
	return diags
}
