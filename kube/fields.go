package kube

import (
	"cmp"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kplan.dev/kplan/addrs"
)

// This file finds the fields of an object that an error answer is about: in its
// causes, and in its words where it has none.

// immutableWords are the wordings by which the API server and the usual CEL
// rules mean that a field can't change. There is no machine-readable mark
// (measured on 1.37), and rules of custom kinds may use any words.
var immutableWords = regexp.MustCompile(`(?i)immutable` +
	`|may not change once set|may not be changed|can ?not be (changed|modified)|can'?t be changed|can ?not change` +
	`|updates to \S+ are forbidden|updates to \S+ spec for fields other than` +
	`|pod updates may not|may not be changed in an update|may not be unset` +
	`|only cpu and memory resources are mutable`)

func fieldErrors(st *metav1.Status, mask func(string) string) []FieldError {
	var out []FieldError
	for _, c := range st.Details.Causes {
		if c.Field == "" && c.Type == "" || isAside(c.Message) && len(st.Details.Causes) > 1 {
			continue
		}
		out = append(out, FieldError{
			Path:      serverPath(c.Field),
			Reason:    string(c.Type),
			Detail:    tidy(mask(c.Message)),
			Immutable: immutableWords.MatchString(c.Message),
		})
	}
	return out
}

// isAside recognises a cause that is not about the object: for custom kinds
// it comes with every complaint that kept CEL rules from being looked at.
func isAside(message string) bool {
	return strings.Contains(message, "some validation rules were not checked because the object was invalid")
}

// tidy takes out the difference of whole specs, in Go's spelling, that the
// server appends when a Pod is changed where it can't be. It would show every
// value near the change, those of environment variables too.
func tidy(message string) string {
	short, _, _ := strings.Cut(message, "\n@@ ")
	return tidyTyped(strings.TrimSpace(short))
}

// serverPath reads a path as the server spells it, as far as it can be read:
// the path of "spec.x[<nonsense>].y" is spec.x.
func serverPath(text string) addrs.Path {
	text = strings.TrimSpace(text)
	if text == "<nil>" || text == "[]" { // of rules for a whole object
		return addrs.Path{}
	}
	for text != "" {
		if p, err := addrs.ParsePath(text); err == nil {
			return p
		}
		cut := strings.LastIndexAny(text, ".[")
		if cut < 0 {
			break
		}
		text = text[:cut]
	}
	return addrs.Path{}
}

// pathIn reads a path of an object's field in the spelling of server-side apply,
// which does not quote: .metadata.labels.app.kubernetes.io/name. Only the object
// shows where a name ends.
func pathIn(value any, text string, at addrs.Path) (addrs.Path, bool) {
	if text == "" {
		return at, true
	}
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			rest, ok := strings.CutPrefix(text, "."+name)
			if !ok || rest != "" && rest[0] != '.' && rest[0] != '[' {
				continue
			}
			if path, ok := pathIn(value[name], rest, at.Field(name)); ok {
				return path, true
			}
		}
	case []any:
		step, rest, ok := cutElement(text)
		for _, element := range value {
			if ok && isElement(element, step) {
				return pathIn(element, rest, at.Append(step))
			}
		}
	}
	return addrs.Path{}, false
}

// cutElement takes a step such as [name="app"] off the front of a path.
func cutElement(text string) (step addrs.Step, rest string, ok bool) {
	for end := 1; end <= len(text); end++ {
		if text[end-1] != ']' {
			continue
		}
		if path, err := addrs.ParsePath("list" + text[:end]); err == nil && path.Steps()[1].IsKeys() {
			return path.Steps()[1], text[end:], true
		}
	}
	return step, "", false
}

// isElement reports whether an element has these keys. One that it leaves out is
// the server's default, so that it may be the one.
func isElement(element any, step addrs.Step) bool {
	fields, ok := element.(map[string]any)
	for name, want := range step.Keys {
		if have, there := fields[name]; there {
			text, err := json.Marshal(have)
			ok = ok && err == nil && string(text) == want
		}
	}
	return ok
}

var (
	conflictWords = regexp.MustCompile(`^conflict with ("(?:[^"\\]|\\.)*")` +
		`(?: with subresource ("(?:[^"\\]|\\.)*"))?(?: using (\S+))?(?: at (\S+))?`)
	strictWords = regexp.MustCompile(`(unknown|duplicate) field "((?:[^"\\]|\\.)*)"`)
	goTypeWords = regexp.MustCompile(`cannot unmarshal (\S+) into Go struct field [^. ]*\.(\S+) of type (\S+)`)
)

// conflicts are the fields of the object that was sent that others own.
func conflicts(st *metav1.Status, sent map[string]any) []Conflict {
	var out []Conflict
	for _, c := range st.Details.Causes {
		if c.Type != metav1.CauseTypeFieldManagerConflict {
			continue
		}
		path, ok := pathIn(sent, strings.TrimSpace(c.Field), addrs.Path{})
		if !ok {
			path = serverPath(c.Field)
		}
		conflict := Conflict{Path: path, Applied: true}
		if m := conflictWords.FindStringSubmatch(c.Message); m != nil {
			conflict.Manager, _ = strconv.Unquote(m[1])
			conflict.Subresource, _ = strconv.Unquote(m[2])
			conflict.Applied = m[3] == "" // only updates come with a version and a time
			conflict.Time = m[4]
		}
		out = append(out, conflict)
	}
	sortConflicts(out) // the server names them in no order
	return out
}

func sortConflicts(all []Conflict) {
	slices.SortFunc(all, func(a, b Conflict) int {
		return cmp.Or(a.Path.Compare(b.Path), cmp.Compare(a.Manager, b.Manager))
	})
}

// fieldsInWords finds the field paths in messages that carry no causes.
func fieldsInWords(message string, mask func(string) string) []FieldError {
	var out []FieldError
	for _, m := range strictWords.FindAllStringSubmatch(message, -1) {
		name, err := strconv.Unquote(`"` + m[2] + `"`)
		if err != nil {
			name = m[2]
		}
		out = append(out, FieldError{Path: serverPath(name), Reason: "FieldValueInvalid", Detail: m[1] + " field"})
	}
	for _, m := range goTypeWords.FindAllStringSubmatch(message, -1) {
		out = append(out, FieldError{Path: serverPath(m[2]), Reason: "FieldValueTypeInvalid", Detail: "expected " + m[3] + ", got " + m[1]})
	}
	if _, rest, ok := strings.Cut(message, "failed to create typed patch object"); ok {
		out = append(out, typedFields(rest, mask)...)
	}
	return out
}

// typedFields reads structured merge's complaints, a line each:
// .spec.replicas: expected numeric (int or float), got &value.valueUnstructured{Value:"x"}
func typedFields(text string, mask func(string) string) []FieldError {
	if _, rest, ok := strings.Cut(text, "): "); ok {
		text = rest
	}
	var out []FieldError
	for line := range strings.Lines(text) {
		line = strings.TrimPrefix(strings.TrimSpace(line), "errors:")
		line = strings.TrimSpace(line)
		end := pathEnd(line)
		if end < 0 {
			continue
		}
		out = append(out, FieldError{
			Path:   serverPath(line[:end]),
			Reason: "FieldValueInvalid",
			Detail: mask(tidyTyped(strings.TrimSpace(line[end+1:]))),
		})
	}
	slices.SortFunc(out, func(a, b FieldError) int { return a.Path.Compare(b.Path) })
	return out
}

// pathEnd finds the colon after the path that begins a line, -1 when the line
// begins with no path.
func pathEnd(line string) int {
	if !strings.HasPrefix(line, ".") {
		return -1
	}
	quoted := false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == ':' && !quoted:
			return i
		}
	}
	return -1
}

var (
	goValue  = regexp.MustCompile(`(?m)got &(?:value\.valueUnstructured\{Value:(.*)\}|\{(.*)\})$`)
	goObject = regexp.MustCompile(`(?m)got map\[string\]interface \{\}\{.*\}$`)
	goList   = regexp.MustCompile(`(?m)got \[\]interface \{\}\{.*\}$`)
)

// tidyTyped takes Go's spelling of values out of complaints.
func tidyTyped(text string) string {
	text = goValue.ReplaceAllString(text, "got ${1}${2}")
	text = goObject.ReplaceAllString(text, "got an object")
	return goList.ReplaceAllString(text, "got a list")
}
