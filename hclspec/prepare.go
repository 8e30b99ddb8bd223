package hclspec

import (
	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/funcs"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/kinds"
)

// prepare reads a resource's body against its kind. It returns nil when the
// kind can't be told.
func (p *program) prepare(b *block, decl *config.Resource, scope *hcl.EvalContext) (*manifest, hcl.Diagnostics) {
	r := &reader{scope: scope, fixed: p.isFixed, files: p.files}
	var entries []*entry
	var whole *entry
	for _, e := range r.entries(decl.Body) {
		switch {
		case e.name == "manifest" && e.attr != nil:
			whole = e
		case source.IsMetaArgument(e.name):
			r.checkMetaArgument(e)
		default:
			entries = append(entries, e)
		}
	}
	if whole == nil {
		m := p.prepareFields(b, decl, entries, r)
		return m, r.diags
	}
	for _, e := range entries {
		r.problem("Field beside manifest", e.nameRange(), "manifest is the whole object, so nothing else can be set beside it. Put %s into it.", e.name)
	}
	m := p.prepareWhole(b, decl, whole.attr, r)
	return m, r.diags
}

// prepareFields reads a body that has the object's fields one by one.
func (p *program) prepareFields(b *block, decl *config.Resource, entries []*entry, r *reader) *manifest {
	var apiVersion string
	at, ok := b.at, true
	fields := entries[:0]
	for _, e := range entries {
		switch {
		case e.name == "apiVersion" && e.attr != nil:
			at = e.attr.Expr.Range()
			apiVersion, ok = r.apiVersion(e.attr.Expr)
		case e.name == "kind":
			r.checkKind(e, b.name.Type)
		default:
			fields = append(fields, e)
		}
	}
	if !ok {
		return nil
	}
	kind := p.kindFor(b, decl, apiVersion, at, r)
	if kind == nil {
		return nil
	}
	return &manifest{kind: kind, root: &part{field: kind.Root, at: b.at, object: r.members(fields, kind.Root, "")}}
}

// kindFor has the reader read for the kind that a block turns out to be of, nil
// for none, and checks what of the block depends on that.
func (p *program) kindFor(b *block, decl *config.Resource, apiVersion string, at hcl.Range, r *reader) *kinds.Kind {
	if apiVersion == "" {
		at = b.at
	}
	kind, diags := p.kinds.lookup(b.name.Type, apiVersion, at)
	r.kind, r.diags = kind, append(r.diags, diags...)
	if kind != nil {
		r.diags = append(r.diags, checkLifecycle(&decl.Lifecycle, kind)...)
		r.diags = append(r.diags, checkWait(&decl.Wait, kind)...)
	}
	return kind
}

// prepareWhole reads manifest = …. Where the value is the same for all
// instances or is written out it is read here, otherwise by each instance.
func (p *program) prepareWhole(b *block, decl *config.Resource, attr *hcl.Attribute, r *reader) *manifest {
	free := &manifest{root: &part{at: attr.Expr.Range(), expr: attr.Expr}}
	apiVersion, at, ok := r.staticAPIVersion(attr.Expr)
	if !ok {
		return free
	}
	kind := p.kindFor(b, decl, apiVersion, at, r)
	if kind == nil {
		return nil
	}
	return &manifest{kind: kind, root: r.expr(attr.Expr, kind.Root, "")}
}

// decodeInstance evaluates a manifest in the scope of one instance.
func (p *program) decodeInstance(b *block, r *config.Resource, m *manifest, key addrs.Key, scope *hcl.EvalContext, inherited origins) *instance {
	i := &instance{Desired: &Desired{
		Addr:      r.Addr.Instance(key),
		Lifecycle: r.Lifecycle,
		Wait:      r.Wait,
		Range:     r.Range,
		positions: positions{root: m.root},
	}}
	d := &decoder{kind: m.kind, scope: scope}
	d.origins.add(inherited)
	fields := p.decodeFields(b, m, d)
	if fields != nil {
		i.Kind, i.Fields, i.Unknown, i.Sensitive, i.positions.items = d.kind, fields, outermost(d.unknown), outermost(d.sensitive), d.sources
		i.finish()
	}
	p.keyOrigins(b, scope, &d.origins)
	i.origins = d.origins
	if i.origins.skipped == nil { // else there is nothing to say of values that are missing
		i.diags = append(d.diags, i.diags...)
	} else {
		i.diags = nil
	}
	return i
}

// decodeFields returns nil when not even the kind can be told.
func (p *program) decodeFields(b *block, m *manifest, d *decoder) map[string]any {
	if m.kind == nil {
		return p.decodeFreeManifest(b, m.root, d)
	}
	json, _ := d.part(m.root, nil)
	return manifestOf(json)
}

// decodeFreeManifest evaluates manifest = …, where the value says the API
// version.
func (p *program) decodeFreeManifest(b *block, root *part, d *decoder) map[string]any {
	value, ok := d.eval(root.expr)
	if !ok {
		return nil
	}
	shallow, _ := value.Unmark()
	apiVersion := ""
	if shallow.IsKnown() && !shallow.IsNull() && (shallow.Type().IsObjectType() || shallow.Type().IsMapType()) {
		if v, ok := shallow.AsValueMap()["apiVersion"]; ok {
			apiVersion, _ = source.KeyString(v)
		}
	}
	if funcs.IsSensitive(value) && apiVersion != "" {
		if _, err := p.kinds.find(b.name.Type, apiVersion); err != nil {
			d.problem("Unknown kind", root.at, "There is no %s in the API version that the manifest says. It is sensitive, so it is not shown.", b.name.Type)
			return nil
		}
	}
	blame := root.at
	if apiVersion == "" {
		blame = b.at
	}
	kind, diags := p.kinds.lookup(b.name.Type, apiVersion, blame)
	d.diags = append(d.diags, diags...)
	if kind == nil {
		return nil
	}
	d.kind = kind
	json, _ := d.value(value, kind.Root, nil, root.at)
	return manifestOf(json)
}

// manifestOf is a decoded manifest, empty where none came of it.
func manifestOf(json any) map[string]any {
	if fields, _ := json.(map[string]any); fields != nil {
		return fields
	}
	return map[string]any{}
}

// outermost leaves out the places that lie inside of others.
func outermost(places addrs.PathSet) addrs.PathSet {
	for p := range places {
		if !p.IsZero() && places.Covers(p.Parent()) {
			delete(places, p)
		}
	}
	return places
}

// isFixed says whether an expression depends on nothing but variables, and
// local values that no resource goes into.
func (p *program) isFixed(expr hcl.Expression) bool {
	for _, t := range expr.Variables() {
		switch t.RootName() {
		case "path", "var":
		case "local":
			if len(t) < 2 {
				return false
			}
			if name, ok := t[1].(hcl.TraverseAttr); !ok || p.dependsOnResources[Block{Type: "local", Name: name.Name}] {
				return false
			}
		default:
			return false
		}
	}
	return true
}
