package hclspec

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/funcs"
	"kplan.dev/kplan/hclspec/manifest"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/kinds"
)

// dataNode is a data block.
type dataNode struct{ decl *config.Data }

func (n dataNode) findUses(f *useFinder) {
	f.expr(n.decl.ForEach)
	f.expr(n.decl.Count)
	f.repetition = len(f.uses)
	for _, expr := range n.decl.Expressions() {
		f.expr(expr)
	}
	f.checks(n.decl.Preconditions)
	f.self = true
	f.checks(n.decl.Postconditions)
}

func (n dataNode) dependsOn() []config.Reference { return n.decl.DependsOn }

func (n dataNode) check() string { return n.decl.Check }

func (n dataNode) isList() bool { return n.decl.List }

func (n dataNode) repetition() string { return n.decl.Repetition.Argument() }

// evaluate asks the cluster where it is known for what.
func (n dataNode) evaluate(p *program, b *block, deps map[Block]*result) *result {
	scope := p.scope(b, deps)
	e, diags := expand(n.decl.Repetition, scope)
	e.origins.Add(b.of.origins(deps))
	res := &result{value: cty.DynamicVal, diags: diags, unexpanded: e.unknown, later: e.origins.Later}
	if e.origins.Skipped != nil || e.unknown {
		res.value = e.origins.Mark(cty.DynamicVal)
		return res
	}
	for _, r := range e.instances {
		inner := r.inScope(scope, b)
		asked, diags := asked{value: cty.DynamicVal}, conditions("Data block precondition failed", n.decl.Preconditions, inner)
		if !diags.HasErrors() {
			asked, diags = n.read(p, b, inner)
		}
		asked.key, asked.scope, res.kind = r.key, inner, asked.query.Kind
		diags = append(diags, n.postconditions(asked)...)
		res.asked, res.diags = append(res.asked, asked), append(res.diags, diags...)
	}
	res.value = e.origins.Mark(n.of(res.asked))
	return res
}

// postconditions checks what was read, as far as it is known.
func (n dataNode) postconditions(a asked) hcl.Diagnostics {
	if len(n.decl.Postconditions) == 0 || len(a.missing) > 0 {
		return nil
	}
	scope := a.scope.NewChild()
	scope.Variables = map[string]cty.Value{"self": a.value}
	return conditions("Data block postcondition failed", n.decl.Postconditions, scope)
}

// of is the value of a data block by those of its instances.
func (n dataNode) of(all []asked) cty.Value {
	byKey := map[string]cty.Value{}
	var values []cty.Value
	for _, a := range all {
		values = append(values, a.value)
		if name, ok := a.key.Name(); ok {
			byKey[name] = a.value
		}
	}
	switch n.repetition() {
	case "for_each":
		return cty.ObjectVal(byKey)
	case "count":
		return cty.TupleVal(values)
	}
	return values[0]
}

// read is the value of one instance.
func (n dataNode) read(p *program, b *block, scope *hcl.EvalContext) (asked, hcl.Diagnostics) {
	unknown := asked{value: cty.DynamicVal}
	a := dataArguments{scope: scope}
	query := Query{List: n.decl.List, Range: b.at, Address: b.name.String()}
	query.Name, query.Namespace = a.text("name", n.decl.ObjectName), a.text("namespace", n.decl.Namespace)
	query.LabelSelector, query.FieldSelector = a.text("label_selector", n.decl.LabelSelector), a.text("field_selector", n.decl.FieldSelector)
	apiVersion := a.text("apiVersion", n.decl.APIVersion)
	if a.diags.HasErrors() || a.unknown {
		unknown.value = a.origins.Mark(cty.DynamicVal)
		return unknown, a.diags
	}
	at := b.at
	if n.decl.APIVersion != nil {
		at = n.decl.APIVersion.Range()
	}
	kind, diags := p.kinds.lookup(n.decl.Kind, apiVersion, at)
	if kind == nil {
		return unknown, diags
	}
	query.Kind = kind
	switch {
	case !kind.Namespaced && query.Namespace != "":
		return unknown, source.Problem("Namespace of a cluster-scoped object", n.decl.Namespace.Range(),
			"%s is cluster-scoped: it has no namespace. Leave the argument out.", manifest.UpperFirst(manifest.WithArticle(kind.Name)))
	case kind.Namespaced && query.Namespace == "" && !query.List:
		query.Namespace = defaultNamespace
	}
	got := asked{query: query, value: a.origins.Mark(cty.DynamicVal)}
	if p.opts.Read == nil || n.decl.Check != "" { // what is in a check is read with it
		return got, nil
	}
	objects, diags := p.opts.Read(p.reading, query)
	if diags.HasErrors() {
		return got, diags
	}
	got.missing = n.missing(query, objects)
	if len(got.missing) == 0 {
		got.value = a.origins.Mark(n.value(kind, objects))
	}
	return got, nil
}

func (n dataNode) value(kind *kinds.Kind, objects []map[string]any) cty.Value {
	var values []cty.Value
	for _, object := range objects {
		v := &view{}
		values = append(values, v.value(object, kind.Root, everything, addrs.Path{}))
	}
	switch {
	case n.decl.List:
		return cty.ObjectVal(map[string]cty.Value{"items": cty.TupleVal(values)})
	case len(values) == 0:
		return cty.NullVal(cty.DynamicPseudoType)
	}
	return values[0]
}

func (n dataNode) missing(q Query, objects []map[string]any) hcl.Diagnostics {
	if n.decl.List || n.decl.Optional || len(objects) > 0 {
		return nil
	}
	return source.Problem("Object not found", q.Range, "The cluster has no %s %s. With optional = true the value is null then.",
		q.Kind.Name, q.Kind.Object(q.Namespace, q.Name).QualifiedName())
}

// dataArguments evaluates the arguments of a data block.
type dataArguments struct {
	scope   *hcl.EvalContext
	origins manifest.Origins
	unknown bool
	diags   hcl.Diagnostics
}

// text is the value of an argument, "" where it is not set or not known.
func (a *dataArguments) text(name string, expr hcl.Expression) string {
	if expr == nil {
		return ""
	}
	value, diags := funcs.Evaluate(expr, a.scope)
	a.diags = append(a.diags, diags...)
	if diags.HasErrors() {
		return ""
	}
	value, marks := value.UnmarkDeep()
	isSecret := a.origins.Take(marks)
	text, err := convert.Convert(value, cty.String)
	switch {
	case isSecret:
		a.diags = append(a.diags, source.ProblemIn("Invalid value", expr, a.scope, "%s can't be secret: requests show it.", name)...)
	case err != nil || text.IsNull():
		a.diags = append(a.diags, source.ProblemIn("Invalid value", expr, a.scope, "%s must be a string, and this is %s.", name,
			manifest.DescribeValue(value))...)
	case !text.IsKnown():
		a.unknown = true
	default:
		return text.AsString()
	}
	return ""
}
