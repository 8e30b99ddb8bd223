package config

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/internal/words"
)

// blockTypes are the blocks that a file may hold.
var blockTypes = []struct {
	name   string
	labels []string
	parse  func(*parser, *hcl.Block)
}{
	{"kplan", nil, (*parser).settings},
	{"variable", []string{"name"}, (*parser).variable},
	{"locals", nil, (*parser).locals},
	{"output", []string{"name"}, (*parser).output},
	{"resource", []string{"kind", "name"}, (*parser).resource},
	{"import", nil, (*parser).imports},
	{"moved", nil, (*parser).moved},
	{"removed", nil, (*parser).removed},
}

// foreignBlocks are blocks that users of Terraform or of a later kplan would
// expect, with what to do instead.
var foreignBlocks = map[string]string{
	"module":    "This version of kplan does not have modules yet.",
	"data":      "This version of kplan does not have data blocks yet.",
	"check":     "This version of kplan does not have check blocks yet.",
	"terraform": "The block for kplan's own settings is called kplan.",
	"provider":  "kplan has no providers. Which cluster to talk to is said by the cluster block inside the kplan block.",
	"ephemeral": "kplan has no ephemeral resources. Secrets never enter its plans or its state.",
	"backend":   "The backend block stands inside the kplan block.",
	"cluster":   "The cluster block stands inside the kplan block.",
	"local":     "Local values are declared in a block called locals.",
}

// topLevel takes over the blocks of one file.
func (p *parser) topLevel(body hcl.Body) {
	schema := &hcl.BodySchema{}
	for _, b := range blockTypes {
		schema.Blocks = append(schema.Blocks, hcl.BlockHeaderSchema{Type: b.name, LabelNames: b.labels})
	}
	content, rest, diags := body.PartialContent(schema)
	p.report(diags)
	p.strangers(rest)
	for _, block := range content.Blocks {
		for _, b := range blockTypes {
			if b.name == block.Type {
				b.parse(p, block)
			}
		}
	}
}

// strangers reports what stands at a file's top level and does not belong.
func (p *parser) strangers(rest hcl.Body) {
	if native, ok := rest.(*hclsyntax.Body); ok {
		for _, block := range native.Blocks {
			p.stranger(block.Type, block.TypeRange)
		}
		for _, attr := range native.Attributes {
			p.strangeArgument(attr.Name, attr.NameRange)
		}
		return
	}
	// The properties left of a body in JSON are only told in diagnostics.
	_, diags := rest.Content(&hcl.BodySchema{})
	for _, d := range diags {
		if d.Subject != nil {
			p.stranger(p.jsonString(*d.Subject), *d.Subject)
		}
	}
}

// jsonString is the string that stands at that place of the source.
func (p *parser) jsonString(at hcl.Range) string {
	var text string
	if src := p.config.Files[at.Filename].Bytes; at.CanSliceBytes(src) {
		_ = json.Unmarshal(at.SliceBytes(src), &text) // it was parsed before
	}
	return text
}

func (p *parser) stranger(name string, at hcl.Range) {
	known := blockNames()
	lower := strings.ToLower(name)
	switch detail, foreign := foreignBlocks[lower]; {
	case slices.Contains(known, name):
	case slices.Contains(known, lower):
		p.problem("Unsupported block type", at, "A file holds no blocks of type %q.%s", name, words.DidYouMean(lower))
	case foreign:
		p.problem("Unsupported block type", at, "%s", detail)
	case source.IsKindName(name):
		p.problem("Unsupported block type", at, "A file holds no blocks of type %q. An object is declared by a resource block: resource %q \"name\" { … }.", name, name)
	default:
		p.problem("Unsupported block type", at, "A file holds no blocks of type %q.%s", name, words.Suggest(name, known))
	}
}

func (p *parser) strangeArgument(name string, at hcl.Range) {
	hint := " Values that the configuration uses go into a locals block; values of variables go into default.kpvars.hcl."
	if slices.Contains(blockNames(), name) {
		hint = fmt.Sprintf(" %s is a block: it is written without an equals sign.", name)
	}
	p.problem("Unsupported argument", at, "No argument stands outside of a block.%s", hint)
}

func blockNames() []string {
	var names []string
	for _, b := range blockTypes {
		names = append(names, b.name)
	}
	return names
}
