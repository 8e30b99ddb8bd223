package convert

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	yamlnode "go.yaml.in/yaml/v3"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/funcs"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/kinds"
)

// Object is an object that is to be written.
type Object struct {
	Source Source
	// Import adds an import block, by which the first plan adopts the object, and Managers are the field
	// managers that it takes over from besides deploy tools and people.
	Import   bool
	Managers []string
	// Name is that of the block; "" for one that is made of the object's name.
	Name string

	root   *node
	sorted bool // by a program that sorts keys
	// identity and type, once they are known
	id       addrs.Object
	of       *kinds.Kind
	explicit bool // the block needs an apiVersion
	// document is the text of a definition of a custom kind, without what the server writes, and separate
	// whether it is written to a file of its own.
	document []byte
	separate bool
}

// Source is where an object was read.
type Source struct {
	File     string // "" for an object that was not read from a file
	Document int    // from 1
	Line     int
}

// ID names the object in the cluster. It is known once New was called.
func (o *Object) ID() addrs.Object { return o.id }

func (o *Object) kind() string       { return o.root.string("kind") }
func (o *Object) apiVersion() string { return o.root.string("apiVersion") }

// Read makes objects of the documents in a text, of YAML or JSON. All that is wrong is reported; the
// other documents are read.
func Read(file, text string) ([]*Object, hcl.Diagnostics) {
	documents, errs := funcs.EachDocument(text, readDocument)
	var objects []*Object
	var diags hcl.Diagnostics
	for _, err := range errs {
		diags = append(diags, invalidYAML(file, text, err)...)
	}
	for _, d := range documents {
		found, problems := d.Result.objects(Source{File: file, Document: d.Number})
		objects, diags = append(objects, found...), append(diags, problems...)
	}
	return objects, diags
}

// document is what is kept of a document.
type document struct {
	tree      *node
	line      int
	notNormal int    // the line of the first text that is not in Unicode's normal form C, 0 for none
	manifest  []byte // see Object.document
}

func readDocument(d funcs.Document) document {
	read := document{tree: yamlTree(d.Node, d.Value), line: max(d.Node.Line, 1)}
	if !source.IsNormal(d.Text) {
		read.notNormal = notNormal(d.Node)
	}
	if o := (&Object{root: read.tree}); read.tree.shape == object && o.isDefinition() {
		read.manifest = withoutServerFields(d)
	}
	return read
}

func (d document) objects(at Source) ([]*Object, hcl.Diagnostics) {
	at.Line = d.line
	if d.notNormal > 0 {
		at.Line = d.notNormal
		return nil, problem("Text is not in normal form C", at, "In document %d: this text is not in Unicode's normal form C, in which every "+
			"value of a configuration is: it would become other bytes that look the same. In a Secret or ConfigMap, give it in base64.",
			at.Document)
	}
	found, diags := objectsIn(d.tree, at)
	if d.manifest != nil && len(found) == 1 {
		found[0].document = d.manifest
	}
	return found, diags
}

// notNormal is the line of the first text of a document that is not in Unicode's normal form C, 0 for none.
func notNormal(n *yamlnode.Node) int {
	if n.Kind == yamlnode.ScalarNode && !source.IsNormal(n.Value) {
		return n.Line
	}
	for _, child := range n.Content {
		if line := notNormal(child); line > 0 {
			return line
		}
	}
	return 0
}

var lineInError = regexp.MustCompile(`line (\d+)`)

func invalidYAML(file, text string, err error) hcl.Diagnostics {
	at := Source{File: file, Line: 1}
	if found := lineInError.FindStringSubmatch(err.Error()); found != nil {
		at.Line, _ = strconv.Atoi(found[1])
	}
	hint := ""
	if strings.Contains(text, "{{") {
		hint = " If this is a template of Helm, let Helm fill it in: helm template … | kplan convert -"
	}
	return problem("Invalid YAML", at, "%s.%s", strings.ToUpper(err.Error()[:1])+err.Error()[1:], hint)
}

// objectsIn are the object of a document, or those of a list of objects.
func objectsIn(root *node, at Source) ([]*Object, hcl.Diagnostics) {
	if root.line > 0 {
		at.Line = root.line
	}
	if root.shape != object {
		return nil, problem("Not an object", at, "Document %d is no object: it has no fields such as kind.", at.Document)
	}
	kind := root.string("kind")
	if items := root.field("items"); strings.HasSuffix(kind, "List") && items != nil && items.shape == list {
		return itemsOf(root, items, kind, at)
	}
	if kind == "" {
		hint := ""
		if root.field("apiVersion") == nil && root.field("resources") != nil {
			hint = " If this is a kustomization, let kubectl build it: kubectl kustomize DIR | kplan convert -"
		}
		return nil, problem("Missing kind", at, "Document %d has no kind, so it is no object of Kubernetes.%s", at.Document, hint)
	}
	return []*Object{{Source: at, root: root}}, nil
}

// itemsOf are the objects of a list. Those of a list of one kind need not say their kind.
func itemsOf(root, items *node, kind string, at Source) (objects []*Object, diags hcl.Diagnostics) {
	for i, item := range items.items {
		if of := strings.TrimSuffix(kind, "List"); of != "" && item.shape == object && item.field("kind") == nil {
			item.set("kind", &node{shape: text, text: of})
			if item.field("apiVersion") == nil && root.field("apiVersion") != nil {
				item.set("apiVersion", root.field("apiVersion"))
			}
		}
		if i == 0 {
			for _, name := range []string{"items", "kind", "apiVersion"} {
				if e := root.entry(name); e != nil {
					item.comments.above = slices.Concat(e.value.comments.all(), item.comments.above)
				}
			}
			item.comments.above = slices.Concat(root.comments.above, item.comments.above)
		}
		found, problems := objectsIn(item, at)
		objects, diags = append(objects, found...), append(diags, problems...)
	}
	return objects, diags
}

// problem is an error in a file that objects are read from.
func problem(summary string, at Source, format string, args ...any) hcl.Diagnostics {
	d := &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(format, args...)}
	if at.File != "" {
		begin := hcl.Pos{Line: at.Line, Column: 1}
		d.Subject = &hcl.Range{Filename: at.File, Start: begin, End: begin}
	}
	return hcl.Diagnostics{d}
}

// problem is an error about an object.
func (o *Object) problem(summary string, line int, format string, args ...any) hcl.Diagnostics {
	at := o.Source
	if line > 0 {
		at.Line = line
	}
	return problem(summary, at, "%s: "+format, append([]any{o.Where()}, args...)...)
}

// Where says which object it is, for messages: the document, the kind and the name.
func (o *Object) Where() string {
	metadata := o.root.field("metadata")
	named := addrs.Object{Namespace: metadata.string("namespace"), Name: o.name()}
	of := strings.TrimSpace(cmp.Or(o.id.Kind, o.kind()) + " " + named.QualifiedName())
	if o.Source.Document == 0 {
		return of
	}
	return fmt.Sprintf("Document %d, %s", o.Source.Document, of)
}

// identify finds the kinds and the names of objects, and returns those that have them. Two that are the same
// object are an error.
func identify(objects []*Object, known kinds.OpenSet) (identified []*Object, diags hcl.Diagnostics) {
	first := map[addrs.Object]*Object{}
	for _, o := range objects {
		if problems := o.identify(known); problems != nil {
			diags = append(diags, problems...)
			continue
		}
		other, again := first[o.id.Identity()]
		if again && o.id.Name != "" {
			diags = append(diags, o.problem("Duplicate object", 0, "this object is in %s, too. Remove one of them.", other.place())...)
			continue
		}
		first[o.id.Identity()] = o
		identified = append(identified, o)
	}
	return identified, diags
}

// place is where the object is, for a message about another one.
func (o *Object) place() string {
	if o.Source.File == "" {
		return "the list"
	}
	return fmt.Sprintf("%s line %d (document %d)", o.Source.File, o.Source.Line, o.Source.Document)
}

func (o *Object) identify(known kinds.OpenSet) hcl.Diagnostics {
	metadata := o.root.field("metadata")
	line := func(name string) int {
		if v := o.root.field(name); v != nil {
			return v.line
		}
		return 0
	}
	switch {
	case strings.Contains(o.apiVersion(), "kustomize.config.k8s.io/"):
		return o.problem("Kustomization", 0, "kplan does not build kustomizations. Let kubectl do it: kubectl kustomize DIR | kplan convert -")
	case !source.IsKindName(o.kind()):
		return o.problem("Invalid kind", line("kind"), "a kind begins with a capital letter and has only letters and digits.")
	case o.apiVersion() == "":
		return o.problem("Missing API version", 0, "the object has no apiVersion.")
	case metadata.string("name") == "" && metadata.string("generateName") == "":
		return o.problem("Missing name", line("metadata"), "the object has no metadata.name.")
	}
	kind, err := known.Lookup(o.kind(), o.apiVersion())
	if err != nil {
		return o.problem("Unknown kind", line("kind"), "%s.", err)
	}
	if kind.Undefined {
		kind = kind.Scoped(metadata.string("namespace") != "")
	}
	usual, err := known.Set.Lookup(o.kind(), "")
	o.of, o.explicit = kind, err != nil || usual.APIVersion() != o.apiVersion()
	namespace := metadata.string("namespace")
	if kind.Namespaced && namespace == "" {
		namespace = "default"
	}
	if !kind.Namespaced {
		namespace = ""
	}
	o.id = kind.Object(namespace, metadata.string("name"))
	return nil
}
