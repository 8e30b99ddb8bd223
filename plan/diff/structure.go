package diff

import (
	"encoding/json"
	"errors"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Encoding is how a string holds other values.
type Encoding string

const (
	JSON   Encoding = "json"
	YAML   Encoding = "yaml"
	Base64 Encoding = "base64" // of a text
)

// Literal is a scalar inside a JSON or YAML text that is no string, as it is
// spelled there: 1.10 is not 1.1, and 0644 is not 420, to whoever reads it.
type Literal string

// maxStructured is the size of the largest text that is looked into, and
// maxDepth how many strings may hold one another.
const (
	maxStructured = 256 << 10
	maxDepth      = 3
)

// structured compares two strings as what they hold in JSON or YAML, if they
// do and if that shows the whole change. A text of several lines that comes or
// goes is shown as it is.
func (d *differ) structured(at position, diff *Difference, before, after string) bool {
	if d.depth >= maxDepth || (diff.Op != Changed && isMultiline(before+after)) {
		return false
	}
	b, bEncoding, bIs := structure(diff.Before, before)
	a, aEncoding, aIs := structure(diff.After, after)
	if !bIs || !aIs || bEncoding != aEncoding && bEncoding != "" && aEncoding != "" || !shareComments(b, a) {
		return false
	}
	d.encoded(at, diff, max(bEncoding, aEncoding), b.value, a.value)
	if diff.Children[0].Op == NoOp && diff.Op == Changed {
		diff.Reencoded = diff.Encoding
	}
	if diff.Children[0].Op == NoOp || diff.Op == Changed && diff.Children[0].Shape == Leaf {
		diff.Shape, diff.Encoding, diff.Children = Leaf, "", nil
		return false
	}
	return true
}

// document is what a string holds.
type document struct {
	value    any
	comments string
}

func shareComments(a, b document) bool {
	return a.value == nil || b.value == nil || a.comments == b.comments
}

// structure reads an object or list from a string; an absent one fits to any.
func structure(value any, s string) (document, Encoding, bool) {
	if value == nil {
		return document{}, "", true
	}
	if len(s) > maxStructured {
		return document{}, "", false
	}
	if start := strings.TrimLeft(s, " \t\r\n"); strings.HasPrefix(start, "{") || strings.HasPrefix(start, "[") {
		if parsed, err := readJSON(s); err == nil {
			return document{value: parsed}, JSON, true
		}
	} else if !isMultiline(s) {
		return document{}, "", false
	}
	doc, err := readYAML(s)
	return doc, YAML, err == nil
}

var errNoStructure = errors.New("holds no structure that can be compared")

// readJSON reads one JSON value. An object with a key twice is refused: what
// it means depends on who reads it.
func readJSON(s string) (any, error) {
	dec := json.NewDecoder(strings.NewReader(s))
	dec.UseNumber()
	value, err := readJSONValue(dec, 0)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errNoStructure
	}
	return value, nil
}

// maxNesting bounds how deep a structure is followed.
const maxNesting = 200

func readJSONValue(dec *json.Decoder, depth int) (any, error) {
	if depth > maxNesting {
		return nil, errNoStructure
	}
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch t := token.(type) {
	case json.Delim:
		if t == '{' {
			return readJSONObject(dec, depth)
		}
		return readJSONList(dec, depth)
	case json.Number:
		return Literal(t), nil
	case nil:
		return Literal("null"), nil
	}
	return token, nil
}

func readJSONObject(dec *json.Decoder, depth int) (any, error) {
	object := map[string]any{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, err
		}
		name := token.(string)
		if _, twice := object[name]; twice {
			return nil, errNoStructure
		}
		if object[name], err = readJSONValue(dec, depth+1); err != nil {
			return nil, err
		}
	}
	_, err := dec.Token()
	return object, err
}

func readJSONList(dec *json.Decoder, depth int) (any, error) {
	list := []any{}
	for dec.More() {
		value, err := readJSONValue(dec, depth+1)
		if err != nil {
			return nil, err
		}
		list = append(list, value)
	}
	_, err := dec.Token()
	return list, err
}

// readYAML reads a YAML text that is one plain document.
func readYAML(s string) (document, error) {
	dec := yaml.NewDecoder(strings.NewReader(s))
	var root, more yaml.Node
	if err := dec.Decode(&root); err != nil {
		return document{}, err
	}
	if err := dec.Decode(&more); err != io.EOF || len(root.Content) != 1 || root.Content[0].Kind == yaml.ScalarNode {
		return document{}, errNoStructure
	}
	var comments strings.Builder
	value, err := readYAMLNode(root.Content[0], &comments, 0)
	comments.WriteString(root.HeadComment + root.FootComment)
	return document{value, comments.String()}, err
}

func readYAMLNode(n *yaml.Node, comments *strings.Builder, depth int) (any, error) {
	if depth > maxNesting || n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 {
		return nil, errNoStructure
	}
	comments.WriteString(n.HeadComment + n.LineComment + n.FootComment)
	switch n.Kind {
	case yaml.MappingNode:
		return readYAMLMapping(n, comments, depth)
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, element := range n.Content {
			value, err := readYAMLNode(element, comments, depth+1)
			if err != nil {
				return nil, err
			}
			list[i] = value
		}
		return list, nil
	case yaml.ScalarNode:
		return readYAMLScalar(n), nil
	}
	return nil, errNoStructure // an alias
}

func readYAMLMapping(n *yaml.Node, comments *strings.Builder, depth int) (any, error) {
	object := make(map[string]any, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if _, twice := object[key.Value]; twice || key.Kind != yaml.ScalarNode || key.Tag == "!!merge" || key.Anchor != "" {
			return nil, errNoStructure
		}
		comments.WriteString(key.HeadComment + key.LineComment + key.FootComment)
		value, err := readYAMLNode(n.Content[i+1], comments, depth+1)
		if err != nil {
			return nil, err
		}
		object[key.Value] = value
	}
	return object, nil
}

func readYAMLScalar(n *yaml.Node) any {
	switch {
	case n.Tag == "!!str":
		return n.Value
	case n.Value == "true":
		return true
	case n.Value == "false":
		return false
	}
	return Literal(n.Value)
}
