package hclspec

import (
	"encoding/base64"
	"slices"
	"strconv"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/manifest"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/server"
)

// instance is one object of a resource block, evaluated.
type instance struct {
	*Desired
	origins manifest.Origins
	diags   hcl.Diagnostics
	scope   *hcl.EvalContext // for its postconditions; nil where there are none
}

// copy is an instance that can be linked on its own; nil for none.
func (i *instance) copy() *instance {
	if i == nil {
		return nil
	}
	desired := *i.Desired
	fresh := &instance{Desired: &desired, diags: slices.Clip(i.diags), scope: i.scope}
	fresh.origins.Add(i.origins)
	return fresh
}

// parsedBody is the body of a resource, parsed once for all its instances.
type parsedBody struct {
	// kind is nil where only the value of each instance has the API version: manifest = each.value.
	kind *kinds.Kind
	root *manifest.Part
}

func (i *instance) problem(summary string, at addrs.Path, format string, args ...any) {
	i.diags = append(i.diags, source.Problem(summary, i.RangeOf(at), format, args...)...)
}

// finish makes an object of the fields: its identity, its namespace, and what
// only the server writes.
func (i *instance) finish() {
	i.checkHead()
	i.refuseStatus()
	if i.isSecret() {
		i.mergeStringData()
	}
	name, namespace := i.identify()
	i.Object = i.Kind.Object(namespace, name)
	i.checkNames()
	i.checkData()
	i.checkCustom()
	for _, p := range server.Overwritten(i.Kind, i.Fields) {
		i.diags = append(i.diags, source.Problem(p.Summary, i.RangeOf(p.Path), "%s", p.Detail)...)
	}
}

// checkCustom reports values that the definition of a custom kind does not
// allow. What else can be wrong with fields was found while they were decoded,
// and for other kinds a list of values may be older than the server.
func (i *instance) checkCustom() {
	if !i.Kind.IsCustom() {
		return
	}
	for _, p := range i.Kind.UnsupportedValues(i.Fields) {
		i.diags = append(i.diags, source.Problem(p.Summary, i.RangeOf(p.Path), "%s", p.Detail)...)
	}
}

// isOtherKind reports whether the manifest is of another kind than the block.
func (i *instance) isOtherKind() bool {
	said, ok := i.Fields["kind"]
	return ok && said != i.Kind.Name
}

// refuseOtherKind reports that it is. Its fields were read as those of the wrong one: what that found is no other mistake.
func (i *instance) refuseOtherKind() {
	name, namespace := i.identify()
	i.Object, i.diags = i.Kind.Object(namespace, name), nil
	i.problem("Different kinds", addrs.NewPath("kind"), "The block's first label is %s, but the manifest has %s.", i.Kind.Name, i.said("kind"))
}

// checkHead compares the API version of a manifest with the block's head, and sets it and the kind
// where the manifest does not.
func (i *instance) checkHead() {
	kind, apiVersion := i.Kind.Name, i.Kind.APIVersion()
	if said, ok := i.Fields["apiVersion"]; ok && said != apiVersion {
		i.problem("Different API versions", addrs.NewPath("apiVersion"),
			"The block is read as %s, but the manifest has %s.", apiVersion, i.said("apiVersion"))
	}
	i.Fields["kind"], i.Fields["apiVersion"] = kind, apiVersion
	delete(i.Unknown, addrs.NewPath("kind"))
	delete(i.Unknown, addrs.NewPath("apiVersion"))
}

// said is the manifest's value of a field of its head, for a message.
func (i *instance) said(field string) string {
	at := addrs.NewPath(field)
	if text, ok := i.Fields[field].(string); ok && !i.Sensitive.Covers(at) && !i.Unknown.Covers(at) {
		return strconv.Quote(text)
	}
	return "something else"
}

// mergeStringData does what the API server does with a Secret's stringData, whose fields can't be
// distinguished from data afterwards.
func (i *instance) mergeStringData() {
	text, _ := i.Fields["stringData"].(map[string]any)
	delete(i.Fields, "stringData")
	if len(text) > 0 {
		data, _ := i.Fields["data"].(map[string]any)
		if data == nil {
			data = make(map[string]any, len(text))
			i.Fields["data"] = data
		}
		for name, value := range text {
			s, _ := value.(string)
			data[name] = base64.StdEncoding.EncodeToString([]byte(s))
		}
	}
	for _, paths := range []addrs.PathSet{i.Unknown, i.Sensitive} {
		for p := range paths {
			if moved := inData(p); moved != p {
				delete(paths, p)
				paths.Add(moved)
			}
		}
	}
	l := &i.Lifecycle
	for _, paths := range []*[]addrs.Path{&l.IgnoreChanges, &l.ForceConflicts, &l.Exclusive, &l.ReplaceOn} {
		moved := make([]addrs.Path, len(*paths)) // those given are the block's
		for n, p := range *paths {
			moved[n] = inData(p)
		}
		*paths = moved
	}
}

// inData is the path in data of a field in a Secret's stringData; any other path is unchanged.
func inData(p addrs.Path) addrs.Path {
	if !addrs.NewPath("stringData").Contains(p) {
		return p
	}
	moved := addrs.NewPath("data")
	for _, step := range p.Steps()[1:] {
		moved = moved.Append(step)
	}
	return moved
}

// defaultNamespace is the namespace of objects that name none.
const defaultNamespace = "default"

// identify finds the object's name and namespace, and gives it the default
// namespace where it needs one and has none.
func (i *instance) identify() (name, namespace string) {
	meta, _ := i.Fields["metadata"].(map[string]any)
	if meta == nil {
		meta = map[string]any{}
		i.Fields["metadata"] = meta
	}
	name, _ = meta["name"].(string)
	namespace, _ = meta["namespace"].(string)
	generateName, _ := meta["generateName"].(string)
	if name == "" && generateName == "" && !i.Unknown.Covers(metadataName) && !i.Unknown.Covers(generatedName) {
		i.problem("Missing name", metadataName,
			"%s needs metadata.name, or metadata.generateName for a name that the server makes up.",
			manifest.UpperFirst(manifest.WithArticle(i.Kind.Name)))
	}
	for _, at := range []addrs.Path{metadataName, metadataNamespace, generatedName} {
		if i.Sensitive.Covers(at) && !i.Unknown.Covers(at) {
			i.problem("Sensitive name", at, "%s is sensitive, and the names of objects are shown in plans. If it is no secret, "+
				"wrap it in nonsensitive().", at)
			i.disown(at)
			return "", ""
		}
	}
	if i.Kind.Undefined { // then the configuration is all that tells
		i.Kind = i.Kind.Scoped(namespace != "" || i.Unknown.Covers(metadataNamespace))
	}
	switch {
	case i.Kind.Namespaced && namespace == "" && !i.Unknown.Covers(metadataNamespace):
		namespace = defaultNamespace
		meta["namespace"] = namespace
	case !i.Kind.Namespaced && (namespace != "" || i.Unknown.Has(metadataNamespace)):
		i.unexpectedNamespace(meta)
		namespace = ""
	}
	return name, namespace
}

// disown makes a field of the metadata unknown whose value was refused: what refers to it is not
// to blame.
func (i *instance) disown(at addrs.Path) {
	if i.Unknown == nil {
		i.Unknown = addrs.PathSet{}
	}
	i.Unknown.Add(at)
	if meta, ok := i.Fields["metadata"].(map[string]any); ok {
		delete(meta, manifest.LastName(at.String()))
	}
}

// unexpectedNamespace refuses the namespace of an object that has none. In a manifest
// from elsewhere it is left out, as kubectl leaves it out.
func (i *instance) unexpectedNamespace(meta map[string]any) {
	i.problem("Unexpected namespace", metadataNamespace,
		"%s is cluster-scoped. Remove metadata.namespace.", manifest.UpperFirst(manifest.WithArticle(i.Kind.Name)))
	if i.isWritten(metadataNamespace) {
		return
	}
	d := i.diags[len(i.diags)-1]
	d.Severity = hcl.DiagWarning
	d.Detail = manifest.UpperFirst(manifest.WithArticle(i.Kind.Name)) + " is cluster-scoped, so metadata.namespace of the manifest is ignored."
	delete(meta, "namespace")
	delete(i.Unknown, metadataNamespace)
	delete(i.Sensitive, metadataNamespace)
}

// laterValues are the values of an instance that something refers to and that
// appear later.
func (p *program) laterValues(b *block, i *instance) []Later {
	target := p.declared.byBlock[b.declared()].node.(objectNode)
	var all []Later
	guarded := map[*guard]int{}
	seen := addrs.PathSet{}
	add := func(ref reference, path addrs.Path) {
		progress := server.ChangesUntilReady(i.Kind, path)
		at, known := guarded[ref.guard]
		switch {
		case ref.guard == nil && !seen.Has(path):
			seen.Add(path)
			all = append(all, Later{Paths: []addrs.Path{path}, Progress: progress, Range: ref.at})
		case ref.guard == nil:
		case !known:
			guarded[ref.guard] = len(all)
			all = append(all, Later{Paths: []addrs.Path{path}, Optional: ref.guard.fallback, Progress: progress, Range: ref.at})
		case !slices.Contains(all[at].Paths, path):
			all[at].Paths, all[at].Progress = append(all[at].Paths, path), all[at].Progress || progress
		}
	}
	for _, ref := range p.referrers[b.declared()] {
		if ref.mayMean(i.Addr.Key, target) {
			for _, path := range i.laterPaths(ref, target) {
				add(ref, path)
			}
		}
	}
	return all
}

// laterPaths are the fields of the instance that a reference leads to and that appear later. A tail
// may follow as a whole or, where a loop goes through several objects, from some step on.
func (i *instance) laterPaths(ref reference, target objectNode) []addrs.Path {
	path := pathOf(ref.objectSteps(target))
	if ref.tail == nil {
		if path.IsZero() || !i.appearsLater(path) {
			return nil
		}
		return []addrs.Path{path}
	}
	if f := i.Kind.At(path); f == nil || f.Type == kinds.Any && !path.IsZero() {
		return nil
	}
	var found []addrs.Path
	for n, first := range ref.tail {
		if first.kind != attrStep && first.kind != nameKeyStep {
			continue
		}
		below := path
		for _, step := range pathOf(ref.tail[n:]).Steps() {
			below = below.Append(step)
		}
		if i.Kind.At(below) != nil && i.appearsLater(below) {
			found = append(found, below)
		}
	}
	return found
}

// appearsLater reports whether the field is one that the cluster fills in later, or
// that a wait block names.
func (i *instance) appearsLater(path addrs.Path) bool {
	return server.AppearsLater(i.Kind, i.Fields, path) || slices.ContainsFunc(i.Wait.Fields, func(f config.WaitField) bool {
		return f.Path == path
	})
}
