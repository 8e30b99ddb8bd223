package convert

import (
	"encoding/base64"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/runtime"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/server"
)

// clean leaves out what the server or a tool has written, and brings the rest into the order in which
// people write it.
func (o *Object) clean() {
	live := o.isLive()
	o.removeServerFields()
	if live {
		o.removeTraces()
		o.removeDefaults()
	}
	if o.of.GroupKind() == kinds.Secret {
		o.decodeData()
	}
	removeNulls(o.root, o.of.Root, o.of.IsCustom())
	inOrder(o.root, o.of.Root, live || o.sorted)
	first(o.root, "metadata")
	first(o.root.field("metadata"), "name", "generateName", "namespace")
}

// isLive reports whether the object was read from a cluster.
func (o *Object) isLive() bool {
	return o.root.field("metadata").string("uid") != ""
}

// applied is where kubectl keeps the manifest that it applied, secrets included.
const applied = "kubectl.kubernetes.io/last-applied-configuration"

// removeServerFields removes what no configuration can set, and what belongs to kubectl and to kplan itself.
func (o *Object) removeServerFields() {
	o.root.remove("status")
	metadata := o.root.field("metadata")
	if metadata == nil {
		return
	}
	for _, name := range kinds.ServerMetadata {
		metadata.remove(name)
	}
	if metadata.string("name") != "" {
		metadata.remove("generateName") // it has served its purpose
	}
	removeKeys(metadata, "annotations", applied, addrs.AddressAnnotation)
	removeKeys(metadata, "labels", addrs.StackLabel)
	if path, ok := o.of.PodTemplate(); ok {
		if template := o.root.at(path.Field("metadata")); template != nil {
			template.remove("creationTimestamp")
		}
	}
}

// removeKeys removes keys of a map, and the map where it then has none.
func removeKeys(in *node, name string, keys ...string) {
	m := in.field(name)
	if m == nil || m.isEmpty() {
		return
	}
	for _, key := range keys {
		m.remove(key)
	}
	if m.isEmpty() {
		in.remove(name)
	}
}

// traces are annotations that controllers leave on objects.
var traces = []string{
	"deployment.kubernetes.io/revision", "deprecated.daemonset.template.generation", "endpoints.kubernetes.io/last-change-trigger-time",
	"pv.kubernetes.io/bind-completed", "pv.kubernetes.io/bound-by-controller", "pv.kubernetes.io/provisioned-by",
	"volume.beta.kubernetes.io/storage-provisioner", "volume.kubernetes.io/storage-provisioner", "volume.kubernetes.io/selected-node",
	"batch.kubernetes.io/job-tracking", "control-plane.alpha.kubernetes.io/leader",
}

// removeTraces removes what controllers and admission have added to an object in a cluster.
func (o *Object) removeTraces() {
	metadata := o.root.field("metadata")
	removeKeys(metadata, "annotations", traces...)
	for _, overwritten := range server.Overwritten(o.of, o.root.fields()) {
		if in := o.root.at(overwritten.Path.Parent()); in != nil {
			steps := overwritten.Path.Steps()
			in.remove(steps[len(steps)-1].Field)
		}
	}
	if o.of.GroupKind() == kinds.Namespace {
		removeKeys(metadata, "labels", "kubernetes.io/metadata.name")
		o.root.remove("spec") // it has nothing but the cluster's own finalizer
	}
	removeProtection(metadata)
}

// removeProtection removes the finalizers by which controllers protect an object that is in use: kubernetes.io/pvc-protection.
func removeProtection(metadata *node) {
	finalizers := metadata.field("finalizers")
	if finalizers == nil || finalizers.isEmpty() {
		return
	}
	finalizers.items = slices.DeleteFunc(finalizers.items, func(n *node) bool {
		return strings.HasPrefix(n.text, "kubernetes.io/") && strings.HasSuffix(n.text, "-protection")
	})
	if finalizers.isEmpty() {
		metadata.remove("finalizers")
	}
}

// removeDefaults removes the fields of an object in a cluster that the server fills in again by itself, or
// allocates.
func (o *Object) removeDefaults() {
	removeAllocated(o.root, o.of.Root)
	whole := o.root.fields()
	complete := server.Complete(o.of, whole)
	d := &defaults{kind: o.of, object: whole, complete: complete, removed: true}
	for d.removed { // a Job's completions are a default only once its parallelism is one
		d.removed = false
		d.removeFrom(o.root, o.of.Root, whole)
	}
}

// removeAllocated removes values that the server chose, except for those by which a person asks for none.
func removeAllocated(n *node, f *kinds.Field) {
	if f == nil {
		return
	}
	n.entries = slices.DeleteFunc(n.entries, func(e *entry) bool {
		child := f.Field(e.key)
		return child != nil && child.Allocated && !isChoice(e.value)
	})
	for _, e := range n.entries {
		removeAllocated(e.value, f.Field(e.key))
	}
	for _, item := range n.items {
		removeAllocated(item, f.Elem)
	}
}

// isChoice reports whether an allocated value can only have been chosen: clusterIP: None.
func isChoice(n *node) bool { return n.text == "None" }

// defaults finds the fields without which the server makes the same of an object.
type defaults struct {
	kind             *kinds.Kind
	object, complete map[string]any
	removed          bool // something, in this round
}

// removeFrom removes such fields of an object, which is in, and of what is in it.
func (d *defaults) removeFrom(n *node, f *kinds.Field, in map[string]any) {
	for _, e := range slices.Clone(n.entries) {
		child := f.Field(e.key)
		if child == nil || child.Type == kinds.Any || f == d.kind.Root && slices.Contains([]string{"apiVersion", "kind", "metadata"}, e.key) {
			continue
		}
		value := in[e.key]
		if f.Type == kinds.Object && !child.Required {
			delete(in, e.key)
			if d.isSame() {
				n.remove(e.key)
				d.removed = true
				continue
			}
			in[e.key] = value
		}
		d.removeBelow(e.value, child, value)
	}
}

func (d *defaults) removeBelow(n *node, f *kinds.Field, value any) {
	switch value := value.(type) {
	case map[string]any:
		d.removeFrom(n, f, value)
	case []any:
		for i, item := range value {
			if f.Type == kinds.List && i < len(n.items) {
				d.removeBelow(n.items[i], f.Elem, item)
			}
		}
	}
}

func (d *defaults) isSame() bool {
	return d.kind.Root.Equal(server.Complete(d.kind, runtime.DeepCopyJSON(d.object)), d.complete)
}

// decodeData moves the text in a Secret's data into stringData, where people can read and write it.
func (o *Object) decodeData() {
	data := o.root.field("data")
	if data == nil || data.shape != object {
		return
	}
	texts := o.root.field("stringData")
	if texts == nil || texts.shape != object {
		texts = &node{shape: object, line: data.line}
	}
	data.entries = slices.DeleteFunc(data.entries, func(e *entry) bool {
		if texts.field(e.key) != nil {
			return true // stringData has precedence
		}
		decoded, err := decodeBase64(e.value.text)
		if e.value.shape != text || err != nil || !isReadable(string(decoded)) {
			return false
		}
		e.value.text = string(decoded)
		texts.entries = append(texts.entries, e)
		return true
	})
	if texts.isEmpty() {
		return
	}
	if data.isEmpty() {
		texts.comments = o.root.remove("data").and(texts.comments)
	}
	o.root.set("stringData", texts)
}

// decodeBase64 decodes data as the API server does, which ignores line breaks.
func decodeBase64(data string) ([]byte, error) { return base64.StdEncoding.DecodeString(data) }

// isReadable reports whether data is text that survives being written as such.
func isReadable(data string) bool {
	return utf8.ValidString(data) && source.IsNormal(data) && !strings.ContainsFunc(data, func(r rune) bool {
		return r != '\n' && r != '\t' && !unicode.IsPrint(r)
	})
}

// removeNulls removes fields that are null, which means that they are not set. In a map of texts of a built-in
// kind it is the empty text; in a custom kind it can be a value.
func removeNulls(n *node, f *kinds.Field, custom bool) {
	if f == nil {
		return
	}
	n.entries = slices.DeleteFunc(n.entries, func(e *entry) bool {
		child := f.Field(e.key)
		switch {
		case e.value.shape != null || child == nil:
			return e.value.shape == null
		case custom:
			return !child.Nullable && child.Type != kinds.Any
		case f.Type == kinds.Map && (child.Type == kinds.String || child.Type == kinds.Bytes):
			e.value.shape = text
			return false
		}
		return true
	})
	for _, e := range n.entries {
		removeNulls(e.value, f.Field(e.key), custom)
	}
	for _, item := range n.items {
		if f.Type == kinds.Any {
			removeNulls(item, f, custom)
		} else {
			removeNulls(item, f.Elem, custom)
		}
	}
}

// inOrder sorts the fields of objects that a program has sorted alphabetically in the order in which the API declares
// them: a container's name comes before its args. Of what people write it is only known that somebody sorted
// what has a name elsewhere than at the beginning.
func inOrder(n *node, f *kinds.Field, sorted bool) {
	if f == nil {
		return
	}
	declared := f.Fields()
	if len(declared) > 0 && (sorted || n.entry("name") != nil) && slices.IsSortedFunc(n.entries, byKey) && !hasSections(n) {
		place := func(e *entry) int {
			return slices.IndexFunc(declared, func(f *kinds.Field) bool { return f.Name == e.key })
		}
		slices.SortStableFunc(n.entries, func(a, b *entry) int { return place(a) - place(b) })
	}
	for _, e := range n.entries {
		inOrder(e.value, f.Field(e.key), sorted)
	}
	for _, item := range n.items {
		inOrder(item, f.Elem, sorted)
	}
}

func byKey(a, b *entry) int { return strings.Compare(a.key, b.key) }

// hasSections reports whether comments stand between the fields of an object, which may be about several.
func hasSections(n *node) bool {
	return slices.ContainsFunc(n.entries, func(e *entry) bool { return len(e.value.comments.above)+len(e.value.comments.below) > 0 })
}

// first moves fields to the beginning of an object.
func first(n *node, names ...string) {
	if n == nil {
		return
	}
	for _, name := range slices.Backward(names) {
		if e := n.entry(name); e != nil {
			rest := slices.DeleteFunc(slices.Clone(n.entries), func(other *entry) bool { return other == e })
			n.entries = append([]*entry{e}, rest...)
		}
	}
}
