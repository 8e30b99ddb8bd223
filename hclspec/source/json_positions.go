package source

import (
	"reflect"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// FromJSON is an expression that knows the file in JSON that it is in.
type FromJSON interface {
	// Source is the whole file.
	Source() []byte
}

// A string in JSON is parsed as a template once its escapes are decoded. stringPositions are where in the file the
// bytes of the decoded text are.
type stringPositions struct {
	at      hcl.Range // of the string, with its quotes
	written string    // between them
	offsets []int     // in it, by the offset in the decoded text
	moved   map[uintptr]struct{}
}

// positionsIn finds where a string's bytes are, nil where they are one behind the other.
func positionsIn(expr hcl.Expression, decoded string) *stringPositions {
	file, ok := expr.(FromJSON)
	at := expr.Range()
	if !ok || at.End.Byte > len(file.Source()) || at.Start.Byte+2 > at.End.Byte {
		return nil
	}
	p := &stringPositions{at: at, written: string(file.Source()[at.Start.Byte+1 : at.End.Byte-1]), moved: map[uintptr]struct{}{}}
	if !strings.Contains(p.written, `\`) || p.decode() != decoded {
		return nil
	}
	return p
}

// decode decodes the string, and notes the offsets.
func (p *stringPositions) decode() string {
	var text []byte
	for from := 0; from < len(p.written); {
		piece, length := unescaped(p.written[from:])
		for range piece {
			p.offsets = append(p.offsets, from)
		}
		text = append(text, piece...)
		from += length
	}
	p.offsets = append(p.offsets, len(p.written))
	return string(text)
}

// unescaped is what the first byte or escape of a text stands for, as bytes, and its length.
func unescaped(text string) (piece []byte, length int) {
	if text[0] != '\\' || len(text) < 2 {
		return []byte{text[0]}, 1
	}
	switch i := strings.IndexByte("bfnrt", text[1]); {
	case i >= 0:
		return []byte{"\b\f\n\r\t"[i]}, 2
	case text[1] != 'u':
		return []byte{text[1]}, 2
	}
	char, length := codeUnit(text), 6
	if utf16.IsSurrogate(char) {
		if pair := utf16.DecodeRune(char, codeUnit(text[6:])); pair != utf8.RuneError {
			return utf8.AppendRune(nil, pair), 12
		}
		char = utf8.RuneError
	}
	return utf8.AppendRune(nil, char), min(length, len(text))
}

// codeUnit is the one of an escape such as \u00e4.
func codeUnit(text string) rune {
	if len(text) < 6 || text[:2] != `\u` {
		return utf8.RuneError
	}
	n, err := strconv.ParseUint(text[2:6], 16, 16)
	if err != nil {
		return utf8.RuneError
	}
	return rune(n)
}

func (p *stringPositions) move(pos hcl.Pos) hcl.Pos {
	offset := pos.Byte - p.at.Start.Byte - 1
	if offset < 0 || offset >= len(p.offsets) {
		return pos
	}
	before := p.written[:p.offsets[offset]]
	return hcl.Pos{Line: p.at.Start.Line, Column: p.at.Start.Column + 1 + utf8.RuneCountInString(before),
		Byte: p.at.Start.Byte + 1 + len(before)}
}

// correct moves all ranges of a syntax tree to where they are in the file.
func (p *stringPositions) correct(tree hclsyntax.Expression) {
	if p != nil {
		p.walk(reflect.ValueOf(tree))
	}
}

func (p *stringPositions) correctAll(diags hcl.Diagnostics) {
	if p == nil {
		return
	}
	for _, d := range diags {
		for _, at := range []*hcl.Range{d.Subject, d.Context} {
			if at != nil {
				p.walk(reflect.ValueOf(at))
			}
		}
	}
}

var (
	rangeType = reflect.TypeFor[hcl.Range]()
	valueType = reflect.TypeFor[cty.Value]()
)

func (p *stringPositions) walk(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			p.walk(v.Elem())
		}
	case reflect.Interface:
		p.walkInterface(v)
	case reflect.Slice:
		for i := range v.Len() {
			p.walk(v.Index(i))
		}
	case reflect.Struct:
		p.walkStruct(v)
	}
}

// walkInterface also changes what is no pointer, as the steps of a traversal.
func (p *stringPositions) walkInterface(v reflect.Value) {
	switch {
	case v.IsNil():
	case v.Elem().Kind() == reflect.Struct && v.CanSet():
		changed := reflect.New(v.Elem().Type()).Elem()
		changed.Set(v.Elem())
		p.walk(changed)
		v.Set(changed)
	default:
		p.walk(v.Elem())
	}
}

func (p *stringPositions) walkStruct(v reflect.Value) {
	switch v.Type() {
	case valueType:
	case rangeType:
		at := v.Addr().Interface().(*hcl.Range)
		if _, again := p.moved[v.Addr().Pointer()]; !again { // a node may be part of two others
			p.moved[v.Addr().Pointer()] = struct{}{}
			at.Start, at.End = p.move(at.Start), p.move(at.End)
		}
	default:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				p.walk(v.Field(i))
			}
		}
	}
}
