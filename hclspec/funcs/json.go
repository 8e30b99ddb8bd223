package funcs

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"kplan.dev/kplan/hclspec/source"
)

// uniqueJSON is jsonValue of a text that must not have a key twice in one object:
// only one of the two values would count.
func uniqueJSON(text string) (cty.Value, error) {
	value, err := ParseJSON(text)
	if err == nil {
		names := json.NewDecoder(strings.NewReader(text))
		names.UseNumber() // of any size
		err = uniqueNames(names)
	}
	return value, err
}

func uniqueNames(from *json.Decoder) error {
	token, err := from.Token()
	delim, nests := token.(json.Delim)
	if err != nil || !nests {
		return err
	}
	seen := map[json.Token]bool{}
	for from.More() {
		if delim == '{' {
			name, err := from.Token()
			if err != nil {
				return err
			}
			if seen[name] {
				return fmt.Errorf("an object has the key %q twice", name)
			}
			seen[name] = true
		}
		if err := uniqueNames(from); err != nil {
			return err
		}
	}
	_, err = from.Token()
	return err
}

// ParseJSON is a JSON text as a value of the type that it has by itself: objects and tuples. cty's
// own decoder gives the same result, but reads each value again for every level of nesting.
func ParseJSON(text string) (cty.Value, error) {
	if err := checkJSONText(text); err != nil {
		return cty.NilVal, err
	}
	from := json.NewDecoder(strings.NewReader(text))
	from.UseNumber()
	var x any
	switch err := from.Decode(&x); {
	case errors.Is(err, io.EOF):
		return cty.NilVal, io.ErrUnexpectedEOF
	case err != nil:
		return cty.NilVal, err
	}
	if _, err := from.Token(); !errors.Is(err, io.EOF) {
		return cty.NilVal, errors.New("more text follows the JSON value")
	}
	return decodedJSON(x)
}

func decodedJSON(x any) (cty.Value, error) {
	switch x := x.(type) {
	case json.Number:
		if source.IsHugeNumber(x.String()) {
			return cty.NilVal, errors.New("a number has too many digits")
		}
		return cty.ParseNumberVal(x.String())
	case map[string]any:
		attributes := make(map[string]cty.Value, len(x))
		for name, element := range x {
			value, err := decodedJSON(element)
			if err != nil {
				return cty.NilVal, err
			}
			attributes[name] = value
		}
		return cty.ObjectVal(attributes), nil
	case []any:
		elements := make([]cty.Value, len(x))
		for i, element := range x {
			value, err := decodedJSON(element)
			if err != nil {
				return cty.NilVal, err
			}
			elements[i] = value
		}
		return cty.TupleVal(elements), nil
	}
	return JSONScalar(x), nil
}

// checkJSONText refuses text that is nested too deeply for a recursive decoder.
func checkJSONText(text string) error {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > source.MaxNesting {
				return fmt.Errorf("more than %d brackets are nested", source.MaxNesting)
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}

// JSONScalar is a JSON scalar as a value.
func JSONScalar(x any) cty.Value {
	switch x := x.(type) {
	case string:
		return cty.StringVal(x)
	case bool:
		return cty.BoolVal(x)
	case int64:
		return cty.NumberIntVal(x)
	case float64:
		return cty.NumberFloatVal(x)
	case int:
		return cty.NumberIntVal(int64(x))
	}
	return cty.NullVal(cty.DynamicPseudoType)
}
