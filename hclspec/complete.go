package hclspec

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"kplan.dev/kplan/hclspec/funcs"
)

// Complete returns the word that a text ends with, and what it may become: names of functions, of
// blocks and, as far as they are known, of what is in a value.
func (s *Scope) Complete(ctx context.Context, text string) (word string, candidates []string) {
	at := unfinished.FindStringIndex(text)
	if at == nil {
		return "", s.roots()
	}
	reference := text[at[0]:at[1]]
	open, dot := strings.LastIndex(reference, `["`), strings.LastIndexByte(reference, '.')
	switch {
	case open >= 0 && !strings.Contains(reference[open:], "]"):
		word = reference[open+2:]
		for _, key := range s.entries(ctx, reference[:open]) {
			candidates = append(candidates, key+`"]`)
		}
	case dot >= 0:
		word, candidates = reference[dot+1:], s.within(ctx, reference[:dot])
	default:
		word, candidates = reference, slices.Concat(s.roots(), s.calls())
	}
	return word, slices.DeleteFunc(candidates, func(c string) bool { return !strings.HasPrefix(c, word) })
}

// unfinished is the reference that a text ends with: its last step may be missing, or a key be open.
var unfinished = regexp.MustCompile(`[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*|\[(?:\d+|"[^"\]]*")\])*(?:\.|\["[^"\]]*)?$`)

// longestCompletion bounds how long a value is evaluated to find the names in it.
const longestCompletion = 300 * time.Millisecond

// roots are what references begin with.
func (s *Scope) roots() []string {
	found := map[string]bool{"path.": true}
	for _, b := range s.program.names.inOrder {
		if b.name.Type != "output" {
			found[b.name.Type+"."] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

func (s *Scope) calls() []string {
	names := funcs.Names(s.program.base.Functions)
	for i := range names {
		names[i] += "("
	}
	return names
}

// within are the names that may follow a reference and a dot.
func (s *Scope) within(ctx context.Context, reference string) []string {
	if reference == "path" {
		return []string{"cwd", "module", "root"}
	}
	typ, name, isBelow := strings.Cut(reference, ".")
	if !isBelow {
		return s.blocks(reference)
	}
	if b := s.program.names.byBlock[Block{Type: typ, Name: name}]; b != nil {
		if repeated, ok := b.node.(objectNode); ok && repeated.repetition() != "" {
			return nil // a key in brackets comes first
		}
	}
	return slices.DeleteFunc(s.entries(ctx, reference), func(name string) bool { return !hclsyntax.ValidIdentifier(name) })
}

// blocks are the names of the blocks of a type, with the beginning of a key where they have
// several instances.
func (s *Scope) blocks(typ string) []string {
	var names []string
	for _, b := range s.program.names.inOrder {
		if b.name.Type != typ || typ == "output" {
			continue
		}
		name := b.name.Name
		if repeated, ok := b.node.(objectNode); ok {
			name += map[string]string{"for_each": `["`, "count": "["}[repeated.repetition()]
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// entries are the names in the value that a reference leads to: those that it has, and those
// that its kind declares.
func (s *Scope) entries(ctx context.Context, reference string) []string {
	ctx, cancel := context.WithTimeout(ctx, longestCompletion)
	defer cancel()
	e, diags := s.Parse(ctx, []byte(reference), "")
	if diags.HasErrors() {
		return nil
	}
	value, diags := e.Value()
	if diags.HasErrors() {
		return nil
	}
	found := map[string]bool{}
	for _, name := range namesIn(value) {
		found[name] = true
	}
	for _, ref := range e.block.refs {
		field := e.block.fields[ref.at]
		target, isObject := s.program.names.byBlock[ref.to].node.(objectNode)
		if field == nil || !isObject || len(ref.steps) == 0 && target.repetition() != "" { // all instances
			continue
		}
		for _, below := range field.Fields() {
			found[below.Name] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// namesIn are the names in an object or a map. Those of a sensitive one may be as secret as its
// values.
func namesIn(value cty.Value) []string {
	switch ty := value.Type(); {
	case value.IsMarked():
	case ty.IsObjectType():
		return slices.Collect(maps.Keys(ty.AttributeTypes()))
	case ty.IsMapType() && value.IsKnown() && !value.IsNull():
		return slices.Collect(maps.Keys(value.AsValueMap()))
	}
	return nil
}
