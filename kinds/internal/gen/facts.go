package main

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strings"
)

// facts are what no marker of the API types has, as facts.txt has them.
type facts struct {
	file     string
	types    []typeFact
	rules    [][3]string // kind, rule, path
	short    [][2]string // short name, kind
	unserved []string    // apiVersions, and kinds as apiVersion.Kind
}

// typeFact is a fact about one field of a type, wherever the type is used.
type typeFact struct {
	line                    int
	verb, typ, field, value string
}

func readFacts(name string) (*facts, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	all := &facts{file: name}
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		text, _, _ := strings.Cut(lines.Text(), "  #")
		words := strings.Fields(text)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if err := all.add(n, words); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, n, err)
		}
	}
	return all, lines.Err()
}

func (f *facts) add(line int, words []string) error {
	switch {
	case words[0] == "short" && len(words) == 3:
		f.short = append(f.short, [2]string{words[1], words[2]})
	case words[0] == "unserved" && len(words) == 2:
		f.unserved = append(f.unserved, words[1])
	case words[0] == "default" && len(words) == 3, words[0] == "optional" && len(words) == 2, words[0] == "required" && len(words) == 2:
		typ, field, ok := cutLast(words[1], ".")
		if !ok {
			return fmt.Errorf("%s is not a type and a field", words[1])
		}
		fact := typeFact{line: line, verb: words[0], typ: typ, field: field}
		if words[0] == "default" {
			var err error
			if fact.value, err = compactJSON(words[2]); err != nil {
				return err
			}
		}
		f.types = append(f.types, fact)
	case words[0] == "default-in" && len(words) == 4:
		value, err := compactJSON(words[3])
		if err != nil {
			return err
		}
		f.rules = append(f.rules, [3]string{words[1], "default=" + value, words[2]})
	case len(words) >= 3 && slices.Contains([]string{"immutable", "mutable", "sensitive", "allocated", "predictable", "reset"}, words[0]):
		for _, path := range words[2:] {
			f.rules = append(f.rules, [3]string{words[1], words[0], path})
		}
	default:
		return fmt.Errorf("%q is no fact", strings.Join(words, " "))
	}
	return nil
}

// apply puts the facts about types into the rows. A type written core/*.Name
// stands for every version of the group directory. A fact that fits nothing is an
// error: the API has moved on and the line must go or change.
func (f *facts) apply(types []*typeRow) error {
	for _, fact := range f.types {
		fits := false
		for _, t := range types {
			if !matches(fact.typ, t.name) {
				continue
			}
			for _, field := range t.fields {
				if field.name == fact.field {
					fits = true
					fact.put(field)
				}
			}
		}
		if !fits {
			return fmt.Errorf("%s:%d: no type has %s.%s", f.file, fact.line, fact.typ, fact.field)
		}
	}
	return nil
}

func (fact typeFact) put(field *fieldRow) {
	switch fact.verb {
	case "default":
		field.fills = fact.value
	case "optional":
		field.required = false
	case "required":
		field.required = true
	}
}

// matches reports whether a type's name fits core/v1.Name or core/*.Name.
func matches(pattern, name string) bool {
	before, after, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == name
	}
	rest, ok := strings.CutPrefix(name, before)
	rest, ok2 := strings.CutSuffix(rest, after)
	return ok && ok2 && !strings.Contains(rest, "/")
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
