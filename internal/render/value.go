package render

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/plan/diff"
)

const knownAfterApply = "(known after apply)"

// longest is how many characters of a single-line string are shown.
const longest = 200

// inline spells a value in one line.
func inline(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case string:
		return abbreviated(v)
	case bool:
		return strconv.FormatBool(v)
	case diff.Literal:
		return literal(v)
	case diff.Binary:
		return fmt.Sprintf("(binary, %s, sha256:%s)", size(v.Size), Clean(v.Digest))
	case map[string]any:
		return inlineObject(v)
	case []any:
		return inlineList(v)
	}
	return number(value)
}

func literal(l diff.Literal) string {
	if l == "" {
		return "null"
	}
	return Clean(string(l))
}

// number spells a number as JSON does.
func number(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return Clean(fmt.Sprint(value))
	}
	return Clean(string(text))
}

func inlineObject(object map[string]any) string {
	if len(object) == 0 {
		return "{}"
	}
	parts := make([]string, 0, len(object))
	for _, name := range slices.Sorted(maps.Keys(object)) {
		parts = append(parts, fieldName(name)+" = "+inline(object[name]))
	}
	return clip("{ "+strings.Join(parts, ", ")+" }", longest)
}

func inlineList(list []any) string {
	parts := make([]string, len(list))
	for i, element := range list {
		parts[i] = inline(element)
	}
	return clip("["+strings.Join(parts, ", ")+"]", longest)
}

// fieldName is a field's name as the configuration spells it.
func fieldName(name string) string {
	for i, c := range name {
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || !(c == '-' || c >= '0' && c <= '9')) {
			return quote(name)
		}
	}
	if name == "" {
		return `""`
	}
	return name
}

// abbreviated is a string in quotes, without its middle when it is very long.
func abbreviated(s string) string {
	n := utf8.RuneCountInString(s)
	if n <= longest {
		return quote(s)
	}
	runes := []rune(s)
	head, tail := longest*2/3, longest/4
	return quote(string(runes[:head])) + fmt.Sprintf(" … %s more … ", words.Count(n-head-tail, "character")) + quote(string(runes[n-tail:]))
}

// change spells what becomes of a single value. Of two very long strings only
// the part that differs is shown.
func change(before, after any) string {
	b, bIs := before.(string)
	a, aIs := after.(string)
	switch {
	case bIs && aIs && max(len(b), len(a)) > longest:
		return changeOfLong([]rune(b), []rune(a))
	case bIs && aIs && norm.NFKC.String(b) == norm.NFKC.String(a):
		return ascii(b) + " -> " + ascii(a)
	}
	return inline(before) + " -> " + inline(after)
}

// ascii is a string in quotes in which no two characters look alike.
func ascii(s string) string {
	var b strings.Builder
	for _, r := range quote(s) {
		if r > 0x7e {
			fmt.Fprintf(&b, `\u{%x}`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func changeOfLong(before, after []rune) string {
	head, tail := shared(before, after)
	return around(before, head, tail) + " -> " + around(after, head, tail)
}

// shared is how many characters two strings share at their beginnings and ends.
func shared(a, b []rune) (head, tail int) {
	shorter := min(len(a), len(b))
	for head < shorter && a[head] == b[head] {
		head++
	}
	for tail < shorter-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	return head, tail
}

// around is the part of a string between its first and last characters, in
// quotes, with some of those.
func around(s []rune, head, tail int) string {
	text, before, after := window(s, head, tail)
	return before + abbreviated(text) + after
}

// window is the part of a string between its first and last characters, with
// some of those, and what stands for what is cut off before and after it.
func window(s []rune, head, tail int) (part, before, after string) {
	const context = 20
	from, to := max(0, head-context), min(len(s), len(s)-tail+context)
	if from > 0 {
		before = "… "
	}
	if to < len(s) {
		after = " …"
	}
	return string(s[from:to]), before, after
}

// clip cuts a text that is too long for one line.
func clip(text string, limit int) string {
	n := utf8.RuneCountInString(text)
	if n <= limit {
		return text
	}
	return string([]rune(text)[:limit]) + fmt.Sprintf(" … %s more", words.Count(n-limit, "character"))
}

// size is a number of bytes as people read it.
func size(bytes int) string {
	switch {
	case bytes < 1<<10:
		return words.Count(bytes, "byte")
	case bytes < 1<<20:
		return strconv.FormatFloat(float64(bytes)/(1<<10), 'f', 1, 64) + " KiB"
	}
	return strconv.FormatFloat(float64(bytes)/(1<<20), 'f', 1, 64) + " MiB"
}
