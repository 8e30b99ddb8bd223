package config

import (
	"errors"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/kinds"
)

// resourceSchema are the meta-arguments; the rest of the block is the manifest.
var resourceSchema = &hcl.BodySchema{
	Attributes: []hcl.AttributeSchema{{Name: "for_each"}, {Name: "count"}, {Name: "depends_on"}},
	Blocks:     []hcl.BlockHeaderSchema{{Type: "lifecycle"}, {Type: "wait"}},
}

// resource reads a resource block; nil when its labels are wrong.
func (p *parser) resource(block *hcl.Block) *Resource {
	r := &Resource{Addr: addrs.Resource{Type: block.Labels[0], Name: block.Labels[1]}, Range: block.DefRange}
	if !p.checkKind(r.Addr.Type, block.LabelRanges[0]) || !p.checkName("a resource", r.Addr.Name, block.LabelRanges[1]) {
		return nil
	}
	content, rest, diags := block.Body.PartialContent(resourceSchema)
	p.report(diags)
	r.Body = rest
	r.Repetition = p.repetition("resource", content.Attributes)
	r.DependsOn = p.dependsOn(content.Attributes["depends_on"])
	handling(p, r, content.Blocks)
	return r
}

var manifestsSchema = &hcl.BodySchema{
	Attributes: []hcl.AttributeSchema{
		{Name: "objects", Required: true}, {Name: "namespace"}, {Name: "depends_on"}, {Name: "for_each"}, {Name: "count"},
	},
	Blocks: []hcl.BlockHeaderSchema{{Type: "lifecycle"}, {Type: "wait"}},
}

// manifests reads a manifests block; nil when it is wrong.
func readManifests(p *parser, block *hcl.Block) *Resource {
	r := &Resource{Addr: addrs.Resource{Type: addrs.Manifests, Name: block.Labels[0]}, Range: block.DefRange}
	if !p.checkName("a manifests block", r.Addr.Name, block.LabelRanges[0]) {
		return nil
	}
	content, diags := block.Body.Content(manifestsSchema)
	p.report(diags)
	r.Objects, r.Namespace = exprOf(content.Attributes["objects"]), exprOf(content.Attributes["namespace"])
	r.DependsOn = p.dependsOn(content.Attributes["depends_on"])
	for _, name := range []string{"for_each", "count"} {
		if attr := content.Attributes[name]; attr != nil {
			p.problem("Repeated manifests block", attr.NameRange, "Each object of a manifests block is an instance already. Let the list "+
				"have them all, as in objects = flatten([for f in fileset(path.module, \"*.yaml\") : yamldecodeall(file(f))]), or put the "+
				"block into a module and repeat that.")
		}
	}
	handling(p, r, content.Blocks)
	if r.Enabled != nil {
		p.problem("Unsupported argument", r.Enabled.Range(), "A manifests block has as many objects as its list: objects = var.on ? … : [].")
		r.Enabled = nil
	}
	if r.Objects == nil {
		return nil
	}
	return r
}

// handling reads the blocks of a resource that are about what kplan does with its objects.
func handling(p *parser, r *Resource, blocks hcl.Blocks) {
	once := map[string]hcl.Range{}
	for _, b := range blocks {
		if first, again := once[b.Type]; again {
			p.problem("Duplicate block", b.DefRange, "A resource has one %s block at most; there is one at %s already.", b.Type, first)
			continue
		}
		once[b.Type] = b.DefRange
		if b.Type == "lifecycle" {
			r.Lifecycle = p.lifecycle(b, &r.Repetition)
		} else {
			r.Wait = p.wait(b)
		}
	}
}

func (p *parser) repetition(what string, attrs hcl.Attributes) (r Repetition) {
	if attr := attrs["for_each"]; attr != nil {
		r.ForEach = attr.Expr
	}
	attr := attrs["count"]
	switch {
	case attr == nil:
	case r.ForEach != nil:
		p.problem("Both for_each and count", attr.NameRange,
			"A %s has either for_each or count. Keep for_each where its instances have names of their own.", what)
	default:
		r.Count = attr.Expr
	}
	return r
}

// checkKind refuses what can't be a kind. Whether the kind exists is checked when the configuration
// is evaluated.
func (p *parser) checkKind(kind string, at hcl.Range) bool {
	if source.IsKindName(kind) {
		return true
	}
	hint := words.DidYouMean(NearestKind(kind))
	if strings.HasPrefix(kind, "kubernetes_") {
		hint += " There is no provider, so there is no prefix either."
	}
	p.problem("Invalid kind", at, "The first label of a resource is the Kubernetes kind, spelled as in a manifest: it "+
		"begins with a capital and holds only letters and digits.%s", hint)
	return false
}

// dependsOn reads a list of references to resources.
func (p *parser) dependsOn(attr *hcl.Attribute) []Reference {
	if attr == nil {
		return nil
	}
	exprs, diags := hcl.ExprList(attr.Expr)
	if diags.HasErrors() {
		p.problem("Invalid depends_on", attr.Expr.Range(), "depends_on is a list of references to resources, such as [Namespace.tenant].")
		return nil
	}
	var refs []Reference
	for _, expr := range exprs {
		if text, quoted := source.QuotedWord(expr); quoted {
			p.problem("Invalid depends_on", expr.Range(), "A reference is written without quotes: [%s].", text)
			continue
		}
		traversal, diags := hcl.AbsTraversalForExpr(expr)
		if diags.HasErrors() {
			p.problem("Invalid depends_on", expr.Range(),
				"depends_on holds references to resources, such as Namespace.tenant, and no other expressions.")
			continue
		}
		if ref, ok := p.resourceReference(traversal); ok {
			refs = append(refs, ref)
		}
	}
	return refs
}

// resourceReference reads a reference to a whole resource or an instance.
func (p *parser) resourceReference(t hcl.Traversal) (Reference, bool) {
	at := t.SourceRange()
	root := t.RootName()
	if root == "module" {
		return callReference(p, t)
	}
	if !source.IsKindName(root) && root != addrs.Manifests {
		if root == "data" {
			p.problem("Invalid depends_on", at, "A data block reads what is there already, so nothing waits for it. Name what has to be ready.")
		} else {
			p.problem("Invalid depends_on", at, "depends_on names resources, such as Namespace.tenant. %q is none: a kind "+
				"begins with a capital letter.", root)
		}
		return Reference{}, false
	}
	if len(t) < 2 {
		p.problem("Invalid depends_on", at, "The name of the resource is missing: a reference looks like %s.name.", root)
		return Reference{}, false
	}
	name, ok := t[1].(hcl.TraverseAttr)
	if !ok {
		p.problem("Invalid depends_on", at, "The name of the resource is missing: a reference looks like %s.name.", root)
		return Reference{}, false
	}
	if len(t) > 2 {
		if _, isKey := t[2].(hcl.TraverseIndex); !isKey || len(t) > 3 {
			p.problem("Invalid depends_on", at, "depends_on waits for whole objects: leave out what follows %s.%s.", root, name.Name)
			return Reference{}, false
		}
	}
	return Reference{Resource: addrs.Resource{Type: root, Name: name.Name}, Range: at}, true
}

// callReference reads a reference to a whole module or an instance of one.
func callReference(p *parser, t hcl.Traversal) (Reference, bool) {
	at := t.SourceRange()
	if len(t) >= 2 {
		name, isName := t[1].(hcl.TraverseAttr)
		isWhole := len(t) == 2
		if len(t) == 3 {
			_, isWhole = t[2].(hcl.TraverseIndex)
		}
		if isName && isWhole {
			return Reference{Call: name.Name, Range: at}, true
		}
	}
	p.problem("Invalid depends_on", at, "depends_on waits for all objects of a module: a reference looks like module.name.")
	return Reference{}, false
}

var lifecycleSchema = &hcl.BodySchema{Attributes: []hcl.AttributeSchema{
	{Name: "prevent_destroy"}, {Name: "ignore_changes"}, {Name: "force_conflicts"}, {Name: "exclusive"}, {Name: "replace_on"},
	{Name: "replace_triggered_by"}, {Name: "enabled"}, {Name: "destroy"},
}, Blocks: []hcl.BlockHeaderSchema{{Type: "precondition"}, {Type: "postcondition"}}}

func (p *parser) lifecycle(block *hcl.Block, r *Repetition) Lifecycle {
	content, diags := block.Body.Content(lifecycleSchema)
	p.report(diags)
	l := Lifecycle{Range: block.DefRange, Ranges: map[addrs.Path]hcl.Range{}}
	if attr := content.Attributes["prevent_destroy"]; attr != nil && len(attr.Expr.Variables()) > 0 {
		l.ProtectIf = attr.Expr
	} else {
		p.constant(attr, &l.PreventDestroy)
	}
	destroy := true
	p.constant(content.Attributes["destroy"], &destroy)
	l.Retain = !destroy
	l.Triggers = triggers(p, content.Attributes["replace_triggered_by"])
	enabled(p, r, content.Attributes["enabled"])
	l.Preconditions, l.Postconditions = conditionsIn(p, content.Blocks)
	l.IgnoreChanges = p.paths(content.Attributes["ignore_changes"], l.Ranges)
	l.ForceConflicts = p.paths(content.Attributes["force_conflicts"], l.Ranges)
	l.Exclusive = p.paths(content.Attributes["exclusive"], l.Ranges)
	l.ReplaceOn = p.paths(content.Attributes["replace_on"], l.Ranges)
	return l
}

func triggers(p *parser, attr *hcl.Attribute) []hcl.Expression {
	if attr == nil {
		return nil
	}
	exprs, diags := hcl.ExprList(attr.Expr)
	if diags.HasErrors() {
		p.problem("Invalid replace_triggered_by", attr.Expr.Range(),
			"replace_triggered_by is a list of references, such as [ConfigMap.settings, Secret.tls.data].")
	}
	return exprs
}

func enabled(p *parser, r *Repetition, attr *hcl.Attribute) {
	switch {
	case attr == nil:
	case r.ForEach != nil || r.Count != nil:
		p.problem("Both enabled and "+r.Argument(), attr.NameRange,
			"enabled is for a single object. With %s, leave out the instances that there are not to be.", r.Argument())
	default:
		r.Enabled = attr.Expr
	}
}

// NearestKind is the kind that a label which can't be one most likely means:
// pod, pods, deploy, config-map, kubernetes_config_map_v1. It is "" for none.
func NearestKind(label string) string {
	word := strings.TrimPrefix(label, "kubernetes_")
	for _, version := range []string{"_v1", "_v2", "_v1beta1", "_v2beta2"} {
		word = strings.TrimSuffix(word, version)
	}
	word = strings.NewReplacer("_", "", "-", "", " ", "").Replace(word)
	_, err := kinds.Builtin().Lookup(word, "")
	var unknown *kinds.UnknownError
	if errors.As(err, &unknown) {
		return unknown.Nearest
	}
	return word
}
