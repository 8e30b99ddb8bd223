package manifest

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/kinds"
)

// ownArguments are kplan's own arguments and blocks of a resource, as they are written.
var ownArguments = map[string]string{
	"manifest": "manifest = { … }", "for_each": "for_each = …", "count": "count = …", "depends_on": "depends_on = [ … ]",
	"lifecycle": "lifecycle { … }", "wait": "wait { … }",
}

// UnknownField reports a name that the field does not have, and returns the one that it most likely
// means, "" for none. where is the field's own path, "" for the whole object.
func UnknownField(kind *kinds.Kind, name string, at hcl.Range, field *kinds.Field, where string) (meant string, diags hcl.Diagnostics) {
	owner := UpperFirst(WithArticle(kind.Name))
	if where != "" {
		owner = where + " of " + WithArticle(kind.Name)
	}
	var names []string
	for _, f := range field.Fields() {
		names = append(names, f.Name)
	}
	if where == "" {
		names = append(names, slices.Sorted(maps.Keys(ownArguments))...)
	}
	meant = nearestField(name, names)
	suggestion := SuggestField(name, names)
	if holder := holderOf(field, name); meant == "" && holder != "" {
		suggestion = fmt.Sprintf(" It belongs into %s.", JoinWhere(where, holder))
	}
	if metadata := field.Field("metadata"); where == "" && meant == "" && metadata != nil && metadata.Field(name) != nil {
		suggestion = fmt.Sprintf(" It is in metadata: metadata.%s.", name)
	}
	if written, is := ownArguments[name]; is && where == "" {
		suggestion = fmt.Sprintf(" It is written %s.", written)
	}
	if instead := source.Instead[name]; instead != "" && where == "" && meant == "" {
		suggestion = " " + instead
	}
	return meant, source.Problem("Unknown field", at, "%s has no field %q.%s", owner, name, suggestion)
}

// holderOf is the path below a field, not far down, that has a field of that name; "" for none.
func holderOf(field *kinds.Field, name string) string {
	type candidate struct {
		field *kinds.Field
		where string
	}
	level := []candidate{{field: field}}
	for range 4 {
		var below []candidate
		for _, c := range level {
			for _, f := range c.field.Fields() {
				where := JoinWhere(c.where, f.Name)
				if f.Type == kinds.List {
					f = f.Elem
				}
				if f.Type != kinds.Object || f.Allocated || where == "metadata" {
					continue
				}
				if f.Field(name) != nil && f.Elem == nil {
					return where
				}
				below = append(below, candidate{f, where})
			}
		}
		level = below
	}
	return ""
}

func SuggestField(name string, names []string) string {
	return words.DidYouMean(nearestField(name, names))
}

// nearestField also knows the snake_case of other tools.
func nearestField(name string, names []string) string {
	var camel strings.Builder
	for i, word := range strings.Split(name, "_") {
		if i > 0 {
			word = UpperFirst(word)
		}
		camel.WriteString(word)
	}
	for _, n := range names {
		if strings.EqualFold(n, camel.String()) || strings.EqualFold(n, camel.String()+"s") {
			return n
		}
	}
	return words.Nearest(name, names)
}

func UpperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func WithArticle(noun string) string {
	if noun != "" && strings.ContainsRune("AEIOU", rune(noun[0])) {
		return "an " + noun
	}
	return "a " + noun
}

func Quoted(texts []string) []string {
	all := make([]string, len(texts))
	for i, text := range texts {
		all[i] = strconv.Quote(text)
	}
	return all
}
