package hclspec

import (
	"errors"
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
)

// kindFinder finds the description of a resource's kind: that of a
// CustomResourceDefinition in the same configuration before what the cluster
// has of it, since that is what the cluster will have.
type kindFinder struct {
	known    Kinds
	declared *kinds.Set
	by       map[*kinds.Kind]addrs.Instance // the definitions of those declared
}

func newKindFinder(known Kinds) *kindFinder {
	if known == nil {
		known = kinds.Builtin()
	}
	return &kindFinder{known: known, declared: &kinds.Set{}, by: map[*kinds.Kind]addrs.Instance{}}
}

// declare takes over the kinds of a CustomResourceDefinition.
func (f *kindFinder) declare(declared []*kinds.Kind, by addrs.Instance) {
	f.declared = f.declared.With(declared...)
	for _, k := range declared {
		f.by[k] = by
	}
}

// lookup finds the kind of a resource. at is the place that says the API
// version, if any does.
func (f *kindFinder) lookup(b *block, apiVersion string, at hcl.Range) (*kinds.Kind, hcl.Diagnostics) {
	name := b.resource.Addr.Type
	kind, err := f.find(name, apiVersion)
	if err == nil {
		return kind, nil
	}
	if apiVersion == "" {
		at = b.at
	}
	return nil, problemOfKind(err, name, at)
}

func (f *kindFinder) find(name, apiVersion string) (*kinds.Kind, error) {
	known, err := f.known.Lookup(name, apiVersion)
	declared, declaredErr := f.declared.Lookup(name, apiVersion)
	var notKnown, notDeclared *kinds.UnknownError
	switch {
	case errors.As(declaredErr, &notDeclared):
		if errors.As(err, &notKnown) {
			return nil, moreHelpful(notKnown, notDeclared)
		}
		return known, err
	case declaredErr != nil:
		return nil, declaredErr
	case errors.As(err, &notKnown), apiVersion != "":
		return declared, nil
	case err != nil || !isCustom(known):
		return known, err
	case known.Group != declared.Group:
		return nil, &kinds.AmbiguousError{Kind: name, APIVersions: []string{known.APIVersion(), declared.APIVersion()}}
	}
	return declared, nil
}

// moreHelpful is the error that knows more of what was meant.
func moreHelpful(a, b *kinds.UnknownError) *kinds.UnknownError {
	if len(a.Known) == 0 && (len(b.Known) > 0 || a.Nearest == "") {
		return b
	}
	return a
}

func problemOfKind(err error, name string, at hcl.Range) hcl.Diagnostics {
	var (
		ambiguous *kinds.AmbiguousError
		unknown   *kinds.UnknownError
	)
	switch {
	case errors.As(err, &ambiguous):
		return problem("Ambiguous kind", at, "Several API groups have a kind %s. Say which one is meant: apiVersion = %s.", name, alternatives(quoted(ambiguous.APIVersions)))
	case !errors.As(err, &unknown):
		diags := problem("Unknown kind", at, "%s.", upperFirst(err.Error()))
		diags[0].Extra = err // which may be no matter of this kind alone
		return diags
	case len(unknown.Known) > 0:
		return problem("Unknown kind", at, "There is no %s in API version %s. It is in %s.", name, unknown.APIVersion, alternatives(unknown.Known))
	case unknown.Nearest != "":
		return problem("Unknown kind", at, "There is no kind %q. Did you mean %q?", name, unknown.Nearest)
	}
	return problem("Unknown kind", at, "There is no kind %q. A custom kind needs its CustomResourceDefinition, in the cluster or in this configuration.", name)
}

func quoted(words []string) []string {
	var q []string
	for _, w := range words {
		q = append(q, fmt.Sprintf("%q", w))
	}
	return q
}

// prepare reads a resource's body against its kind. It returns nil when the
// kind can't be told.
func (p *program) prepare(b *block, scope *hcl.EvalContext) (*manifest, hcl.Diagnostics) {
	r := &reader{scope: scope, fixed: p.isFixed, files: p.files}
	var entries []*entry
	var whole *entry
	for _, e := range r.entries(b.resource.Body) {
		switch {
		case e.name == "manifest" && e.attr != nil:
			whole = e
		case isMetaArgument(e.name):
			r.checkMetaArgument(e)
		default:
			entries = append(entries, e)
		}
	}
	if whole != nil {
		for _, e := range entries {
			r.problem("Field beside manifest", e.nameRange(), "manifest is the whole object, so nothing else can be set beside it. Put %s into it.", e.name)
		}
		m := p.prepareWhole(b, whole.attr, r)
		return m, r.diags
	}
	var apiVersion string
	at, ok := b.at, true
	rest := entries[:0]
	for _, e := range entries {
		switch {
		case e.name == "apiVersion" && e.attr != nil:
			at = e.attr.Expr.Range()
			apiVersion, ok = r.apiVersion(e.attr.Expr, scope)
		case e.name == "kind":
			r.checkKind(e, b)
		default:
			rest = append(rest, e)
		}
	}
	if !ok {
		return nil, r.diags
	}
	kind, diags := p.kinds.lookup(b, apiVersion, at)
	r.diags = append(r.diags, diags...)
	if kind == nil {
		return nil, r.diags
	}
	r.kind = kind
	r.diags = append(r.diags, checkLifecycle(&b.resource.Lifecycle, kind)...)
	r.diags = append(r.diags, checkWait(&b.resource.Wait, kind)...)
	root := &part{field: kind.Root, at: b.at, object: r.members(rest, kind.Root, "")}
	return &manifest{kind: kind, root: root}, r.diags
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

func (r *reader) apiVersion(expr hcl.Expression, scope *hcl.EvalContext) (string, bool) {
	value, diags := expr.Value(scope)
	if diags.HasErrors() {
		r.diags = append(r.diags, diags...)
		return "", false
	}
	apiVersion, ok := keyString(value)
	if !ok || apiVersion == "" || isSensitive(value) {
		r.problem("Unsuitable API version", expr.Range(), "apiVersion is a string such as \"apps/v1\" that is the same for all instances and known from the start.")
		return "", false
	}
	return apiVersion, true
}

// checkKind lets a body repeat what the head says.
func (r *reader) checkKind(e *entry, b *block) {
	if e.attr != nil {
		if value, diags := e.attr.Expr.Value(r.scope); !diags.HasErrors() {
			if said, ok := keyString(value); ok && said == b.name.Type {
				return
			}
		}
	}
	r.problem("Different kinds", e.nameRange(), "The kind of the object is the block's first label, %s. Remove kind.", b.name.Type)
}

// prepareWhole reads manifest = …. Where the value is the same for all
// instances or is written out it is read here, otherwise by each instance.
func (p *program) prepareWhole(b *block, attr *hcl.Attribute, r *reader) *manifest {
	free := &manifest{root: &part{at: attr.Expr.Range(), expr: attr.Expr}}
	apiVersion, at, ok := r.staticAPIVersion(attr.Expr)
	if !ok {
		return free
	}
	kind, diags := p.kinds.lookup(b, apiVersion, at)
	r.diags = append(r.diags, diags...)
	if kind == nil {
		return nil
	}
	r.kind = kind
	r.diags = append(r.diags, checkLifecycle(&b.resource.Lifecycle, kind)...)
	r.diags = append(r.diags, checkWait(&b.resource.Wait, kind)...)
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
			if name, _ := keyString(key); name == "apiVersion" {
				value, diags := pair.Value.Value(r.scope)
				apiVersion, ok := keyString(value)
				return apiVersion, pair.Value.Range(), ok && !diags.HasErrors() && !isSensitive(value)
			}
		}
		return "", expr.Range(), true
	}
	if !r.fixed(expr) {
		return "", at, false
	}
	value, diags := expr.Value(r.scope)
	shallow, _ := value.Unmark()
	if diags.HasErrors() || isSensitive(value) || !shallow.IsKnown() || shallow.IsNull() || !shallow.Type().IsObjectType() {
		return "", at, false
	}
	if !shallow.Type().HasAttribute("apiVersion") {
		return "", expr.Range(), true
	}
	apiVersion, ok = keyString(shallow.GetAttr("apiVersion"))
	return apiVersion, expr.Range(), ok
}
