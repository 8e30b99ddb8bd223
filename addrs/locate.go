package addrs

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Locate reads the path of a field of an object in whatever spelling the API server has for
// it, as far as it can be read. The server does not quote the keys of maps, as in
// metadata.labels.app.kubernetes.io/name: only the object shows where one ends.
func Locate(object map[string]any, text string) Path {
	text = strings.TrimSpace(text)
	if text == "" || text == "<nil>" || text == "[]" { // of rules for a whole object
		return Path{}
	}
	if text[0] != '.' && text[0] != '[' {
		text = "." + text
	}
	at, rest := locate(object, text, Path{})
	for rest != "" { // what the object lacks
		if below, err := parseSteps(strings.TrimPrefix(rest, ".")); err == nil {
			for _, step := range below {
				at = at.Append(step)
			}
			break
		}
		rest = rest[:max(0, strings.LastIndexAny(rest, ".["))]
	}
	return at
}

// locate goes into a value as far as a path leads, and returns what is left of that. Of keys
// that both fit it takes the one that leads further, and the longer one.
func locate(value any, text string, at Path) (Path, string) {
	found, left := at, text
	into := func(inner any, rest string, path Path) {
		if path, rest := locate(inner, rest, path); len(rest) < len(left) {
			found, left = path, rest
		}
	}
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.Backward(slices.Sorted(maps.Keys(value))) {
			for _, spelled := range []string{"." + name, "[" + name + "]", "[" + strconv.Quote(name) + "]"} {
				rest, ok := strings.CutPrefix(text, spelled)
				if ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
					into(value[name], rest, at.Field(name))
				}
			}
		}
	case []any:
		step, rest, ok := cutElement(text)
		for i, element := range value {
			if ok && (step.IsIndex() && step.Index == i || step.IsKeys() && isElement(element, step)) {
				into(element, rest, at.Append(step))
				break
			}
		}
	}
	return found, left
}

// cutElement takes a step such as [0] or [name="app"] off the front of a path.
func cutElement(text string) (step Step, rest string, ok bool) {
	for end := 1; end <= len(text); end++ {
		if text[end-1] != ']' {
			continue
		}
		if steps, err := parseSteps("list" + text[:end]); err == nil && len(steps) == 2 && !steps[1].IsField() {
			return steps[1], text[end:], true
		}
	}
	return step, "", false
}

// isElement reports whether an element has these keys. One that it leaves out is
// the server's default, so that it may be the one.
func isElement(element any, step Step) bool {
	fields, ok := element.(map[string]any)
	for name, want := range step.Keys {
		if have, there := fields[name]; there {
			text, err := json.Marshal(have)
			ok = ok && err == nil && string(text) == want
		}
	}
	return ok
}
