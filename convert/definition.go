package convert

import (
	"bytes"
	"regexp"
	"slices"

	yamlnode "go.yaml.in/yaml/v3"

	"kplan.dev/kplan/hclspec/funcs"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/kinds"
)

// definitionsDirectory is where definitions of custom kinds are written that have files of their own.
const definitionsDirectory = "crds"

// fileName is a name that leads nowhere else.
var fileName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{0,250}$`)

// withoutServerFields is the text of a document as it was written, without the fields that no configuration can
// set; nil where it is no document of its own.
func withoutServerFields(d funcs.Document) []byte {
	if d.Node.Kind != yamlnode.DocumentNode {
		return nil
	}
	if !removeFromYAML(d.Node.Content[0]) {
		return bytes.TrimLeft(append(bytes.TrimRight([]byte(d.Text), "\n"), '\n'), "\n")
	}
	var text bytes.Buffer
	encoder := yamlnode.NewEncoder(&text)
	encoder.SetIndent(2)
	if encoder.Encode(d.Node) != nil {
		return nil
	}
	return text.Bytes()
}

func (o *Object) isDefinition() bool {
	return o.kind() == kinds.CustomResourceDefinition.Kind && fileName.MatchString(o.root.field("metadata").string("name"))
}

// separateDefinition has a definition of a custom kind written to a file of its own, if kplan can read that.
func (o *Object) separateDefinition() {
	if !o.isDefinition() {
		return
	}
	if o.document == nil { // it is one of a list
		o.clean()
		o.document, _ = marshal(o.root.fields())
	}
	o.separate = len(o.document) > 0 && len(o.document) <= source.MaxFileSize
	if o.separate {
		o.root.remove("spec") // it is in the document, and large
	}
}

// removeFromYAML removes the fields that only the server writes from a document, and reports whether
// there were any.
func removeFromYAML(root *yamlnode.Node) (found bool) {
	remove := func(from *yamlnode.Node, names ...string) {
		for i := len(from.Content) - 2; from.Kind == yamlnode.MappingNode && i >= 0; i -= 2 {
			if slices.Contains(names, from.Content[i].Value) {
				from.Content, found = slices.Delete(from.Content, i, i+2), true
			}
		}
	}
	remove(root, "status")
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value != "metadata" {
			continue
		}
		metadata := root.Content[i+1]
		remove(metadata, kinds.ServerMetadata...)
		for n := 0; n+1 < len(metadata.Content); n += 2 {
			if metadata.Content[n].Value == "annotations" {
				remove(metadata.Content[n+1], applied)
			}
		}
	}
	return found
}
