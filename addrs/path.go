package addrs

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"unicode"
	"unicode/utf16"
)

// Path is a field path: spec.ports[0].nodePort, or spec.containers[name="app"].image
// where the list has keys, or metadata.annotations["a.b/c"] where a name has special
// characters. It is stored in its canonical spelling, so equal paths are equal values.
// The zero Path is the whole object.
type Path struct{ text string }

// Step is one element of a Path.
type Step struct {
	kind  stepKind
	Field string            // name of a field or key of a map
	Index int               // position in a list
	Keys  map[string]string // the keys of a list's element: field -> value as JSON
}

type stepKind byte

const (
	fieldStep stepKind = iota
	quotedStep
	indexStep
	keysStep
)

// IsField reports whether the step is a field of an object or a key of a map.
func (s Step) IsField() bool { return s.kind == fieldStep || s.kind == quotedStep }

// IsIndex reports whether the step is a position in a list.
func (s Step) IsIndex() bool { return s.kind == indexStep }

// IsKeys reports whether the step selects a list's element by its keys.
func (s Step) IsKeys() bool { return s.kind == keysStep }

// NewPath is the path of nested field names from the object's top.
func NewPath(fields ...string) Path {
	var p Path
	for _, f := range fields {
		p = p.Field(f)
	}
	return p
}

// Field is the path of the field or map key of that name below p.
func (p Path) Field(name string) Path {
	switch {
	case !isPlain(name):
		return Path{p.text + "[" + quote(name) + "]"}
	case p.text == "":
		return Path{name}
	}
	return Path{p.text + "." + name}
}

// Index is the path of the i-th element below p.
func (p Path) Index(i int) Path { return Path{p.text + "[" + strconv.Itoa(i) + "]"} }

// Select is the path of the list element below p that has these key values.
// Values are strings, numbers or booleans as JSON decodes them.
func (p Path) Select(keys map[string]any) Path {
	step := Step{kind: keysStep, Keys: make(map[string]string, len(keys))}
	for k, value := range keys {
		step.Keys[k] = quote(value)
	}
	return Path{p.text + step.String()}
}

// Append is the path of a step below p.
func (p Path) Append(s Step) Path {
	switch s.kind {
	case indexStep:
		return p.Index(s.Index)
	case keysStep:
		return Path{p.text + s.String()}
	}
	return p.Field(s.Field)
}

// IsZero reports whether p is the whole object.
func (p Path) IsZero() bool { return p.text == "" }

// String is the canonical spelling, which ParsePath reads.
func (p Path) String() string { return p.text }

// Compare orders paths by their spelling.
func (p Path) Compare(other Path) int { return strings.Compare(p.text, other.text) }

// Contains reports whether other is p or a path below it.
func (p Path) Contains(other Path) bool {
	rest, ok := strings.CutPrefix(other.text, p.text)
	return ok && (rest == "" || p.text == "" || rest[0] == '.' || rest[0] == '[')
}

// Steps are the elements of p from the top, none for the whole object. They are shared: do
// not change them.
func (p Path) Steps() []Step {
	if p.IsZero() {
		return nil
	}
	if known, ok := parsed.Load(p.text); ok {
		return known.([]Step)
	}
	steps, err := parseSteps(p.text)
	if err != nil {
		panic("addrs: a Path that was not made by this package: " + err.Error())
	}
	steps = slices.Clip(steps) // who appends gets a copy
	if parsedPaths.Add(1) <= mostParsed {
		parsed.Store(p.text, steps)
	}
	return steps
}

// parsed are the steps of paths, by their spelling: the same few are asked for again with
// each of a thousand objects.
var (
	parsed      sync.Map
	parsedPaths atomic.Int32
)

const mostParsed = 4096

// MarshalText makes paths strings in JSON.
func (p Path) MarshalText() ([]byte, error) { return []byte(p.text), nil }

// UnmarshalText reads what MarshalText writes.
func (p *Path) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*p = Path{}
		return nil
	}
	parsed, err := ParsePath(string(text))
	if err == nil {
		*p = parsed
	}
	return err
}

// ParsePath reads a path in any spelling that the API server or a user gives:
// spec.ports[0], .spec.ports[port=80,protocol="TCP"], data[tls.crt],
// metadata.annotations["a.b/c"].
func ParsePath(text string) (Path, error) {
	steps, err := parseSteps(strings.TrimPrefix(text, "."))
	if err != nil {
		return Path{}, fmt.Errorf("%q is not a field path: %w", text, err)
	}
	var p Path
	for _, s := range steps {
		p = p.Append(s)
	}
	return p, nil
}

// String is the step as it is written in a path.
func (s Step) String() string {
	switch s.kind {
	case quotedStep:
		return "[" + quote(s.Field) + "]"
	case indexStep:
		return "[" + strconv.Itoa(s.Index) + "]"
	case keysStep:
		parts := make([]string, 0, len(s.Keys))
		for _, k := range slices.Sorted(maps.Keys(s.Keys)) {
			value := s.Keys[k]
			if !isPlain(k) || strings.Contains(k, ",") {
				k = quote(k)
			}
			parts = append(parts, k+"="+value)
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	return s.Field
}

func parseSteps(text string) ([]Step, error) {
	if text == "" {
		return nil, errors.New("it is empty")
	}
	var steps []Step
	for rest := text; rest != ""; {
		switch {
		case rest[0] == '[':
			end := closing(rest)
			if end < 0 {
				return nil, errors.New("a bracket is not closed")
			}
			s, err := parseBracket(rest[1:end])
			if err != nil {
				return nil, err
			}
			steps, rest = append(steps, s), rest[end+1:]
		case rest[0] != '.' && len(steps) > 0:
			return nil, errors.New("a dot is missing behind a bracket")
		case rest[0] == '.' && len(steps) == 0:
			return nil, errors.New("a name is missing beside a dot")
		default:
			rest = strings.TrimPrefix(rest, ".")
			end := strings.IndexAny(rest, ".[")
			if end < 0 {
				end = len(rest)
			}
			if end == 0 {
				return nil, errors.New("a name is missing beside a dot")
			}
			steps, rest = append(steps, Step{kind: fieldStep, Field: rest[:end]}), rest[end:]
		}
	}
	return steps, nil
}

// closing finds the bracket that closes text[0], passing over quoted strings.
func closing(text string) int {
	quoted := false
	for i := 1; i < len(text); i++ {
		switch {
		case quoted && text[i] == '\\':
			i++
		case text[i] == '"':
			quoted = !quoted
		case text[i] == ']' && !quoted:
			return i
		}
	}
	return -1
}

func parseBracket(inside string) (Step, error) {
	if i, err := strconv.Atoi(inside); err == nil && i >= 0 && strconv.Itoa(i) == inside {
		return Step{kind: indexStep, Index: i}, nil
	}
	var name string
	if json.Unmarshal([]byte(inside), &name) == nil && inside != "null" {
		return Step{kind: quotedStep, Field: name}, nil
	}
	if inside == "" || strings.Contains(inside, "=") {
		return parseKeys(inside)
	}
	if inside[0] == '"' {
		return Step{}, fmt.Errorf("%s is not a quoted string", inside)
	}
	return Step{kind: quotedStep, Field: inside}, nil // the API server's data[tls.crt]
}

// parseKeys reads name="app",port=80. Nothing at all is an element that has
// none of its keys.
func parseKeys(inside string) (Step, error) {
	step := Step{kind: keysStep, Keys: map[string]string{}}
	for rest := inside; rest != ""; {
		name, value, ok := cutName(rest)
		if _, twice := step.Keys[name]; !ok || twice {
			return Step{}, fmt.Errorf("[%s] should hold key=value pairs", inside)
		}
		dec := json.NewDecoder(strings.NewReader(value))
		var decoded any
		if err := dec.Decode(&decoded); err != nil {
			return Step{}, fmt.Errorf("the value of %s in [%s] is not JSON", name, inside)
		}
		switch decoded.(type) {
		case map[string]any, []any:
			return Step{}, fmt.Errorf("the value of %s in [%s] is neither a string, a number nor a boolean", name, inside)
		}
		given := strings.TrimSpace(value[:dec.InputOffset()])
		step.Keys[name] = canonicalValue(given, decoded)
		rest = value[dec.InputOffset():]
		if rest != "" && rest[0] != ',' || rest == "," {
			return Step{}, fmt.Errorf("[%s] should hold key=value pairs", inside)
		}
		rest = strings.TrimPrefix(rest, ",")
	}
	return step, nil
}

// cutName takes a key's name and the equals sign off a list of pairs.
func cutName(pairs string) (name, rest string, ok bool) {
	if !strings.HasPrefix(pairs, `"`) {
		name, rest, ok = strings.Cut(pairs, "=")
		return name, rest, ok && name != ""
	}
	dec := json.NewDecoder(strings.NewReader(pairs))
	if dec.Decode(&name) != nil {
		return "", "", false
	}
	rest, ok = strings.CutPrefix(pairs[dec.InputOffset():], "=")
	return name, rest, ok
}

// canonicalValue spells a value as Select does: 80.0 as 80, since the cluster
// knows one of them only.
func canonicalValue(given string, decoded any) string {
	if _, isNumber := decoded.(float64); isNumber {
		if i, err := strconv.ParseInt(given, 10, 64); err == nil {
			return strconv.FormatInt(i, 10)
		}
	}
	return quote(decoded)
}

// isPlain reports whether a name needs no quotes in a path.
func isPlain(name string) bool {
	special := func(c rune) bool {
		return strings.ContainsRune(`.[]"=\/`, c) || unicode.IsSpace(c) || isHidden(c) || c == unicode.ReplacementChar
	}
	return name != "" && !strings.ContainsFunc(name, special)
}

// quote writes a value as JSON, without HTML escapes, but with escapes for all that is
// invisible or reverses text: names are shown to people.
func quote(value any) string {
	if text, ok := value.(string); ok {
		value = strings.ToValidUTF8(text, "\uFFFD") // as JSON does, but in the spelling that reads back the same
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		panic("addrs: a value in a path has no JSON form: " + err.Error())
	}
	text := strings.TrimSuffix(b.String(), "\n")
	if !strings.ContainsFunc(text, isHidden) {
		return text
	}
	b.Reset()
	for _, c := range text {
		if !isHidden(c) {
			b.WriteRune(c)
			continue
		}
		for _, unit := range utf16.Encode([]rune{c}) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String()
}

func isHidden(c rune) bool { return !unicode.IsGraphic(c) }

// Parent is the path of what contains p; that of the whole object is itself.
func (p Path) Parent() Path {
	if p.IsZero() {
		return p
	}
	steps := p.Steps()
	last := steps[len(steps)-1].String()
	return Path{strings.TrimSuffix(strings.TrimSuffix(p.text, last), ".")}
}
