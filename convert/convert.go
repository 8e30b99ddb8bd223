// Package convert writes objects in kplan's language: YAML documents with their comments, or
// objects in JSON form as a cluster has them, become one resource block each.
//
// Read makes Objects of a text, FromJSON makes one of a JSON object. New turns objects into a
// Configuration: it leaves out what only the server writes, names the blocks, and puts references
// where one object names another. What is written is laid out as source.Format does it.
//
// An object goes through the package as a tree of nodes, which have what maps have not: the order
// of keys, comments, and the line of the source. Nothing is checked here that evaluating the result
// finds, too: Configuration.Origin leads from a line of the result to the line that it came from.
package convert

import (
	"io"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/kinds"
)

// Options are how objects are written. The zero value writes secrets in the clear.
type Options struct {
	// Secrets are written as references to sensitive variables, whose values are in Configuration.Variables.
	// Otherwise they are part of the text.
	SecretVariables bool
	// Files puts definitions of custom kinds into files of their own, which their blocks read.
	Files bool
	// Kinds are those that are known besides the built-in kinds and those that the objects define. May be nil.
	Kinds []*kinds.Kind
}

// Configuration is what objects become.
type Configuration struct {
	Blocks    []*Block // in the order of the objects
	Variables []Variable
}

// Block is the resource block of one object.
type Block struct {
	Object  *Object
	Address addrs.Resource
	Text    []byte
	// Manifest is the path of a file beside the configuration that the block reads, "" for none,
	// and ManifestText its content.
	Manifest     string
	ManifestText []byte
	// HasSecrets means that Text has secrets in the clear.
	HasSecrets bool

	lines []int // by line of Text, the line of the source
}

// Variable is a sensitive variable that stands for a part of a Secret.
type Variable struct {
	Name        string
	Description string
	Value       string
}

// New turns objects into a configuration. The diagnostics are in the files that the objects came
// from; with errors the configuration has the other objects, to be searched for more errors.
func New(objects []*Object, opts Options) (*Configuration, hcl.Diagnostics) {
	objects, diags := identify(objects, knownKinds(objects, opts.Kinds))
	for _, o := range objects {
		if opts.Files {
			o.separateDefinition()
		}
		if !o.separate {
			o.clean()
		}
	}
	names := nameBlocks(objects)
	refer(objects, names)
	w := &writer{opts: opts, names: names, variables: variableNames{}}
	c := &Configuration{}
	for _, o := range objects {
		block, problems := w.block(o)
		c.Blocks, diags = append(c.Blocks, block), append(diags, problems...)
	}
	c.Variables = w.declared
	return c, diags
}

// Write writes objects as one file: the variables, then the blocks.
func Write(w io.Writer, objects []*Object, opts Options) hcl.Diagnostics {
	c, diags := New(objects, opts)
	if diags.HasErrors() {
		return diags
	}
	if _, err := w.Write(c.Whole().Text); err != nil {
		return append(diags, source.WithoutRange("Can't write the configuration", "%v.", err)...)
	}
	return diags
}

// layOut is a text in the one style of all configurations. It has as many lines as before. What can't be
// parsed stays as it is, and is reported to whoever evaluates it.
func layOut(text []byte) []byte {
	formatted, _ := source.Format(text, "converted.kplan.hcl")
	return formatted
}

// knownKinds are the built-in kinds, those that are given, and those that the objects define.
func knownKinds(objects []*Object, more []*kinds.Kind) kinds.OpenSet {
	all := slices.Clone(more)
	for _, o := range objects {
		if o.apiVersion() == "apiextensions.k8s.io/v1" && o.kind() == kinds.CustomResourceDefinition.Kind {
			if defined, err := kinds.FromCRD(o.root.fields()); err == nil {
				all = append(all, defined...)
			}
		}
	}
	return kinds.OpenSet{Set: kinds.Builtin().With(all...)}
}
