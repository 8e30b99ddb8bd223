package manifest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/kinds"
)

// blocks reads all blocks of one type in one body.
func (r *Reader) blocks(blocks []*hclsyntax.Block, field *kinds.Field, where string) *Part {
	p := &Part{Field: field, At: blocks[0].DefRange()}
	single := len(blocks) == 1 && !source.IsDynamic(blocks[0])
	switch field.Type {
	case kinds.Object, kinds.Map:
		if single {
			p.Object = r.block(blocks[0], field, where)
			break
		}
		p.list = r.items(blocks, field, where)
		p.list.single = true
		r.checkSingle(blocks, where)
	case kinds.List:
		if !holdsObjects(field.Elem) {
			r.Problem("Invalid block", blocks[0].TypeRange, "%s is %s and no block: write %s = […].", where, Describe(field), blocks[0].Type)
			return &Part{Field: field, At: p.At, broken: true}
		}
		p.list = r.items(blocks, field.Elem, where)
	case kinds.Any:
		if single {
			p.Object = r.block(blocks[0], field, where)
			break
		}
		p.list = r.items(blocks, field, where)
	default:
		r.Problem("Invalid block", blocks[0].TypeRange, "%s is %s and no block: write %s = ….", where, Describe(field), LastName(where))
		return &Part{Field: field, At: p.At, broken: true}
	}
	return p
}

func elementWhere(where string, i int) string { return fmt.Sprintf("%s[%d]", where, i) }

func LastName(where string) string { return where[strings.LastIndexByte(where, '.')+1:] }

func holdsObjects(f *kinds.Field) bool {
	return f.Type == kinds.Object || f.Type == kinds.Map || f.Type == kinds.Any
}

// checkSingle reports the second of the blocks that define one object.
func (r *Reader) checkSingle(blocks []*hclsyntax.Block, where string) {
	var first *hclsyntax.Block
	for _, b := range blocks {
		switch {
		case source.IsDynamic(b):
		case first == nil:
			first = b
		default:
			r.Problem("Duplicate block", b.TypeRange,
				"%s is a single object, and there is a block for it at line %d already.", where, first.TypeRange.Start.Line)
		}
	}
}

func (r *Reader) items(blocks []*hclsyntax.Block, elem *kinds.Field, where string) *listPart {
	list := &listPart{}
	repeats := false
	for i, b := range blocks {
		element := where
		if repeats = repeats || source.IsDynamic(b); !repeats {
			element = elementWhere(where, i)
		}
		item := listItem{part: &Part{Field: elem, At: b.DefRange()}}
		if source.IsDynamic(b) {
			item = r.dynamic(b, elem, where)
		} else {
			item.part.Object = r.block(b, elem, element)
		}
		if item.part != nil {
			list.items = append(list.items, item)
		}
	}
	return list
}

func (r *Reader) block(b *hclsyntax.Block, field *kinds.Field, where string) *objectPart {
	if len(b.Labels) > 0 {
		r.Problem("Unexpected label", b.LabelRanges[0],
			"A block inside of a resource has no label. One of its fields, mostly name, identifies an object in a list.")
	}
	return r.body(b.Body, field, where)
}

// dynamic reads dynamic "type" { for_each, iterator, content {} }.
func (r *Reader) dynamic(b *hclsyntax.Block, elem *kinds.Field, where string) listItem {
	d := &dynamicPart{iterator: source.IteratorName(b)}
	for _, attr := range source.NativeAttributes(b.Body) {
		switch attr.Name {
		case "for_each":
			d.forEach = attr.Expr
		case "iterator":
			switch name := hcl.ExprAsKeyword(attr.Expr); {
			case name == "":
				r.Problem("Invalid dynamic block", attr.Expr.Range(), "iterator is the name of a variable, without quotes.")
			case slices.Contains(source.ReferenceRoots, name) || source.IsKindName(name):
				r.Problem("Invalid dynamic block", attr.Expr.Range(), "iterator can't be called %s, since other references begin with that.", name)
			}
		default:
			r.Problem("Invalid dynamic block", attr.NameRange,
				"A dynamic block has for_each, iterator and content. The fields of %s belong in content.", where)
		}
	}
	var content *hclsyntax.Block
	for _, inner := range b.Body.Blocks {
		if inner.Type != "content" || content != nil {
			r.Problem("Invalid dynamic block", inner.TypeRange, "A dynamic block holds one content block and no other.")
			continue
		}
		content = inner
	}
	if d.forEach == nil || content == nil {
		r.Problem("Invalid dynamic block", b.DefRange(),
			"A dynamic block needs for_each, which sets how often to repeat it, and a content block.")
		return listItem{}
	}
	return listItem{dynamic: d, part: &Part{Field: elem, At: content.DefRange(), Object: r.block(content, elem, where)}}
}
