package hclspec

import (
	"github.com/hashicorp/hcl/v2"

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
			r.checkKind(e, b)
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
	kind, diags := p.kinds.lookup(b, apiVersion, at)
	r.kind, r.diags = kind, append(r.diags, diags...)
	if kind != nil {
		r.diags = append(r.diags, checkLifecycle(&decl.Lifecycle, kind)...)
		r.diags = append(r.diags, checkWait(&decl.Wait, kind)...)
	}
	return kind
}

// checkMetaArgument reports a block written as an argument or the other way
// round.
func (r *reader) checkMetaArgument(e *entry) {
	isBlock := e.name == "lifecycle" || e.name == "wait"
	switch {
	case isBlock && e.attr != nil:
		r.problem("Unsuitable argument", e.attr.NameRange, "%s is a block: it is written without an equals sign. If a field of the object is meant, write manifest = { %s = … }.", e.name, e.name)
	case !isBlock && len(e.blocks) > 0:
		r.problem("Unsuitable block", e.blocks[0].TypeRange, "%s is an argument: %s = …. If a field of the object is meant, write manifest = { %s = … }.", e.name, e.name, e.name)
	}
}

func (r *reader) apiVersion(expr hcl.Expression) (string, bool) {
	value, diags := expr.Value(r.scope)
	if diags.HasErrors() {
		r.diags = append(r.diags, diags...)
		return "", false
	}
	apiVersion, ok := source.KeyString(value)
	if !ok || apiVersion == "" || funcs.IsSensitive(value) {
		r.problem("Unsuitable API version", expr.Range(), "apiVersion is a string such as \"apps/v1\" that is the same for all instances and known from the start.")
		return "", false
	}
	return apiVersion, true
}

// checkKind lets a body repeat what the head says.
func (r *reader) checkKind(e *entry, b *block) {
	if e.attr != nil {
		if value, diags := e.attr.Expr.Value(r.scope); !diags.HasErrors() {
			if said, ok := source.KeyString(value); ok && said == b.name.Type {
				return
			}
		}
	}
	r.problem("Different kinds", e.nameRange(), "The kind of the object is the block's first label, %s. Remove kind.", b.name.Type)
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

// staticAPIVersion reads the API version out of a manifest that is written
// out, or that is the same for all instances.
func (r *reader) staticAPIVersion(expr hcl.Expression) (apiVersion string, at hcl.Range, ok bool) {
	if pairs, isMap := staticMap(expr); isMap {
		for _, pair := range pairs {
			if !r.fixed(pair.Key) {
				return "", at, false
			}
			key, _ := pair.Key.Value(r.scope)
			if name, _ := source.KeyString(key); name == "apiVersion" {
				value, diags := pair.Value.Value(r.scope)
				apiVersion, ok := source.KeyString(value)
				return apiVersion, pair.Value.Range(), ok && !diags.HasErrors() && !funcs.IsSensitive(value)
			}
		}
		return "", expr.Range(), true
	}
	if !r.fixed(expr) {
		return "", at, false
	}
	value, diags := expr.Value(r.scope)
	shallow, _ := value.Unmark()
	if diags.HasErrors() || funcs.IsSensitive(value) || !shallow.IsKnown() || shallow.IsNull() || !shallow.Type().IsObjectType() {
		return "", at, false
	}
	if !shallow.Type().HasAttribute("apiVersion") {
		return "", expr.Range(), true
	}
	apiVersion, ok = source.KeyString(shallow.GetAttr("apiVersion"))
	return apiVersion, expr.Range(), ok
}
