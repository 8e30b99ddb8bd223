package kinds

import (
	"fmt"
	"maps"
	"slices"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/words"
)

// Problem is something in a manifest that the API would not take. Neither text
// holds a value of the manifest, which may be a secret.
type Problem struct {
	Path    addrs.Path
	Summary string // a few words, the same for every problem of its sort
	Detail  string // what is wrong, where, and what to do
}

// UnsupportedValues are the values in a manifest that are none of those which the
// definition of a custom kind lists for their field, in the order of the field paths.
// The lists of built-in kinds are not conclusive: the server may be newer.
func (k *Kind) UnsupportedValues(obj map[string]any) []Problem {
	var problems []Problem
	k.Root.disallowed(addrs.Path{}, obj, &problems)
	return problems
}

func (f *Field) disallowed(at addrs.Path, v any, problems *[]Problem) {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if child := f.Field(name); child != nil {
				child.disallowed(at.Field(name), v[name], problems)
			}
		}
	case []any:
		if f.Type == List {
			for i, elem := range v {
				f.Elem.disallowed(at.Index(i), elem, problems)
			}
		}
	case string:
		if f.verbatim && len(f.Enum) > 0 && !slices.Contains(f.Enum, v) {
			*problems = append(*problems, Problem{
				Path: at, Summary: "Value not allowed",
				Detail: fmt.Sprintf("%s must be %s.%s", at, words.Or(f.Enum), words.Suggest(v, f.Enum)),
			})
		}
	}
}
