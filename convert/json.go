package convert

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// FromJSON is an object in JSON form, such as a cluster returns. Its fields are written in the order of the API.
func FromJSON(fields map[string]any) *Object { return &Object{root: jsonTree(fields), sorted: true} }

// jsonTree is a value in JSON form, keys sorted.
func jsonTree(v any) *node {
	switch v := v.(type) {
	case nil:
		return &node{}
	case string:
		return &node{shape: text, text: v}
	case bool:
		return &node{shape: boolean, text: strconv.FormatBool(v)}
	case float64:
		return &node{shape: number, text: spellFloat(v)}
	case json.Number:
		return &node{shape: number, text: v.String()}
	case map[string]any:
		n := &node{shape: object}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			n.entries = append(n.entries, &entry{key, jsonTree(v[key])})
		}
		return n
	case []any:
		n := &node{shape: list}
		for _, item := range v {
			n.items = append(n.items, jsonTree(item))
		}
		return n
	}
	return &node{shape: number, text: fmt.Sprint(v)}
}

// spellFloat is a number without an exponent where that is short.
func spellFloat(v float64) string {
	const longest = 40
	if plain := strconv.FormatFloat(v, 'f', -1, 64); len(plain) <= longest {
		return plain
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
