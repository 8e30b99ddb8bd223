package kube

import (
	"cmp"
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

func fieldErrors(st *metav1.Status, sent map[string]any, mask func(string) string) []FieldError {
	var out []FieldError
	for _, c := range st.Details.Causes {
		if c.Field == "" && c.Type == "" || isAside(c.Message) && len(st.Details.Causes) > 1 {
			continue
		}
		out = append(out, FieldError{
			Path:      addrs.Locate(sent, inVersion(sent, c.Field)),
			Reason:    string(c.Type),
			Detail:    tidy(mask(c.Message)),
			Immutable: immutableWords.MatchString(c.Message),
		})
	}
	return out
}

// hoisted are the parts of a definition that the server has at its top when all versions have
// the same, and names there though the definition has them in its versions.
var hoisted = regexp.MustCompile(`^spec\.(?:(validation)|(subresources|additionalPrinterColumns))\b`)

func inVersion(sent map[string]any, field string) string {
	if sent["kind"] != "CustomResourceDefinition" {
		return field
	}
	if hoisted.FindStringSubmatch(field) == nil {
		return field
	}
	field = strings.Replace(field, "spec.validation", "spec.schema", 1)
	return "spec.versions[0]" + strings.TrimPrefix(field, "spec")
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
		conflict := Conflict{Path: addrs.Locate(sent, c.Field), Applied: true}
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
func fieldsInWords(message string, sent map[string]any, mask func(string) string) []FieldError {
	var out []FieldError
	for _, m := range strictWords.FindAllStringSubmatch(message, -1) {
		name, err := strconv.Unquote(`"` + m[2] + `"`)
		if err != nil {
			name = m[2]
		}
		out = append(out, FieldError{Path: addrs.Locate(sent, name), Reason: "FieldValueInvalid", Detail: m[1] + " field"})
	}
	for _, m := range goTypeWords.FindAllStringSubmatch(message, -1) {
		detail := "expected " + m[3] + ", got " + m[1]
		out = append(out, FieldError{Path: addrs.Locate(sent, m[2]), Reason: "FieldValueTypeInvalid", Detail: detail})
	}
	if _, rest, ok := strings.Cut(message, "failed to create typed patch object"); ok {
		out = append(out, typedFields(rest, sent, mask)...)
	}
	return out
}

// typedFields reads structured merge's complaints, a line each:
// .spec.replicas: expected numeric (int or float), got &value.valueUnstructured{Value:"x"}
func typedFields(text string, sent map[string]any, mask func(string) string) []FieldError {
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
			Path:   addrs.Locate(sent, line[:end]),
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
