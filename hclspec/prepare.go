package hclspec

import (
	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/funcs"
	"kplan.dev/kplan/hclspec/manifest"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/kinds"
)

// prepare reads a resource's body against its kind. It returns nil when the kind is not known.
func (p *program) prepare(b *block, decl *config.Resource, scope *hcl.EvalContext) (*parsedBody, hcl.Diagnostics) {
	r := &manifest.Reader{Scope: scope, Fixed: func(expr hcl.Expression) bool { return p.isFixed(b, expr) }, Files: p.files}
	var entries []*manifest.Entry
	var whole *manifest.Entry
	for _, e := range r.Entries(decl.Body) {
		switch {
		case e.Name == "manifest" && e.Attr != nil:
			whole = e
		case source.IsMetaArgument(e.Name):
			r.CheckMetaArgument(e)
		default:
			entries = append(entries, e)
		}
	}
	if whole == nil {
		m := p.prepareFields(b, decl, entries, r)
		return m, r.Diags
	}
	for _, e := range entries {
		r.Problem("Field beside manifest", e.NameRange(),
			"manifest is the whole object, so nothing else can be set beside it. Put %s into it.", e.Name)
	}
	m := p.prepareWhole(b, decl, whole.Attr, r)
	return m, r.Diags
}

// prepareFields reads a body that has the object's fields one by one.
func (p *program) prepareFields(b *block, decl *config.Resource, entries []*manifest.Entry, r *manifest.Reader) *parsedBody {
	var apiVersion string
	at, ok := b.at, true
	fields := entries[:0]
	for _, e := range entries {
		switch {
		case e.Name == "apiVersion" && e.Attr != nil:
			at = e.Attr.Expr.Range()
			apiVersion, ok = r.APIVersion(e.Attr.Expr)
		case e.Name == "kind":
			r.CheckKind(e, b.name.Type)
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
	return &parsedBody{kind: kind, root: &manifest.Part{Field: kind.Root, At: b.at, Object: r.Members(fields, kind.Root, "")}}
}

// kindFor has the reader read for the kind that a block turns out to be of, nil
// for none, and checks what of the block depends on that.
func (p *program) kindFor(b *block, decl *config.Resource, apiVersion string, at hcl.Range, r *manifest.Reader) *kinds.Kind {
	if apiVersion == "" {
		at = b.at
	}
	kind, diags := p.kinds.lookup(b.name.Type, apiVersion, at)
	r.Kind, r.Diags = kind, append(r.Diags, diags...)
	if kind != nil {
		r.Diags = append(r.Diags, checkLifecycle(&decl.Lifecycle, kind)...)
		r.Diags = append(r.Diags, checkWait(&decl.Wait, kind)...)
	}
	return kind
}

// prepareWhole reads manifest = …. Where the value is the same for all
// instances or is written out it is read here, otherwise by each instance.
func (p *program) prepareWhole(b *block, decl *config.Resource, attr *hcl.Attribute, r *manifest.Reader) *parsedBody {
	free := &parsedBody{root: &manifest.Part{At: attr.Expr.Range(), Expr: attr.Expr}}
	apiVersion, at, ok := r.StaticAPIVersion(attr.Expr)
	if !ok {
		return free
	}
	kind := p.kindFor(b, decl, apiVersion, at, r)
	if kind == nil {
		return nil
	}
	return &parsedBody{kind: kind, root: r.Expr(attr.Expr, kind.Root, "")}
}

// decodeInstance evaluates a manifest in the scope of one instance.
func (p *program) decodeInstance(b *block, r *config.Resource, m *parsedBody, key addrs.Key, scope *hcl.EvalContext,
	inherited manifest.Origins) *instance {
	i := &instance{Desired: &Desired{
		Addr:      b.name.resource().Instance(key),
		Lifecycle: r.Lifecycle,
		Wait:      r.Wait,
		Range:     r.Range,
		positions: manifest.Positions{Root: m.root},
	}}
	d := &manifest.Decoder{Kind: m.kind, Scope: scope, Budget: p.budget, Referred: func(at hcl.Range) *kinds.Field { return b.fields[at] }}
	d.Origins.Add(inherited)
	fields := p.decodeFields(b, m, d)
	if fields != nil {
		i.Kind, i.Fields, i.Unknown, i.Sensitive, i.positions.Items = d.Kind, fields, outermost(d.Unknown), outermost(d.Sensitive), d.Sources
		if i.isOtherKind() {
			d.Diags = nil
			i.refuseOtherKind()
		} else {
			i.finish()
		}
		i.Later = p.laterValues(b, i)
	}
	p.keyOrigins(b, scope, &d.Origins)
	i.origins = d.Origins
	p.evaluateLifecycle(i, &r.Lifecycle, scope)
	if i.origins.Skipped == nil { // otherwise missing values are not a problem of this instance
		i.diags = append(d.Diags, i.diags...)
	} else {
		i.diags = nil
	}
	return i
}

// decodeFields returns nil when not even the kind is known.
func (p *program) decodeFields(b *block, m *parsedBody, d *manifest.Decoder) map[string]any {
	if m.kind == nil {
		return p.decodeFreeManifest(b, m.root, d)
	}
	json, _ := d.Part(m.root, nil)
	return manifestOf(json)
}

// decodeFreeManifest evaluates manifest = …, where the value has the API version.
func (p *program) decodeFreeManifest(b *block, root *manifest.Part, d *manifest.Decoder) map[string]any {
	value, ok := d.Eval(root.Expr)
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
		if kind, err := p.kinds.find(b.name.Type, apiVersion); err != nil || kind.Undefined {
			d.Problem("Unknown kind", root.At, "There is no %s in the API version of the manifest. It is sensitive, "+
				"so it is not shown.", b.name.Type)
			return nil
		}
	}
	blame := root.At
	if apiVersion == "" {
		blame = b.at
	}
	kind, diags := p.kinds.lookup(b.name.Type, apiVersion, blame)
	d.Diags = append(d.Diags, diags...)
	if kind == nil {
		return nil
	}
	d.Kind = kind
	json, _ := d.Value(value, kind.Root, nil, root.At)
	return manifestOf(json)
}

// manifestOf is a decoded manifest, empty where decoding failed.
func manifestOf(json any) map[string]any {
	if fields, _ := json.(map[string]any); fields != nil {
		return fields
	}
	return map[string]any{}
}

// outermost leaves out the paths that are inside of others.
func outermost(paths addrs.PathSet) addrs.PathSet {
	for p := range paths {
		if !p.IsZero() && paths.Covers(p.Parent()) {
			delete(paths, p)
		}
	}
	return paths
}

// isFixed reports whether an expression depends on nothing but variables, and
// local values that no resource goes into.
func (p *program) isFixed(b *block, expr hcl.Expression) bool {
	for _, t := range expr.Variables() {
		switch root := t.RootName(); root {
		case "path":
		case "var", "local":
			if len(t) < 2 {
				return false
			}
			name, ok := t[1].(hcl.TraverseAttr)
			if !ok || p.dependsOnResources[Block{Module: b.of.declared, Type: root, Name: name.Name}] {
				return false
			}
		default:
			return false
		}
	}
	return true
}
