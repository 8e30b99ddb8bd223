package render

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf8"
)

// writeJSON writes a value as JSON that is as safe to print as any other text:
// what Clean would spell out is escaped, which means the same to whoever reads
// the JSON. With indent it has many lines, else one.
func writeJSON(w io.Writer, value any, indent bool) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if indent {
		enc.SetIndent("", "  ")
	}
	if err := enc.Encode(value); err != nil {
		return err
	}
	_, err := w.Write(CleanJSON(b.Bytes()))
	return err
}

// CleanJSON escapes the hostile runes in a JSON text, all of which are in
// strings, and the bracket of what build servers take for a command.
func CleanJSON(text []byte) []byte {
	var b bytes.Buffer
	b.Grow(len(text))
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		switch {
		case r == '\n' || r == '\t': // between values: inside they are escaped already
			b.WriteByte(text[i])
		case isHostile(r) && r > 0xffff:
			high, low := (r-0x10000)>>10+0xd800, (r-0x10000)&0x3ff+0xdc00
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		case isHostile(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.Write(text[i : i+size])
		}
		i += size
	}
	return ciCommand.ReplaceAllFunc(b.Bytes(), func(command []byte) []byte {
		return append(command[:len(command)-1:len(command)-1], `\u005b`...)
	})
}
