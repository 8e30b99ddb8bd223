package plan

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/plan/diff"
)

// sensitivePaths are the places of an object that must not be shown: those that
// the configuration made sensitive and those that the kind has as secrets. What
// another manager put into a Secret is as secret as what kplan put there.
func sensitivePaths(c *Change, object map[string]any) addrs.PathSet {
	paths := c.Desired.Sensitive.Clone()
	paths.AddAll(addrs.NewPathSet(c.SensitiveDesired()...))
	collectSensitive(c.Kind.Root, object, addrs.Path{}, paths)
	return paths
}

// lastAppliedPath is kubectl's own copy of the object, secrets and all.
var lastAppliedPath = addrs.NewPath("metadata", "annotations", corev1.LastAppliedConfigAnnotation)

// collectSensitive adds the places below one that the kind has as secrets. Of a
// whole object these include the copy that kubectl has put into an annotation.
func collectSensitive(f *kinds.Field, value any, at addrs.Path, paths addrs.PathSet) {
	if _, copied := ValueAt(value, lastAppliedPath); copied && at.IsZero() {
		paths.Add(lastAppliedPath)
	}
	collectSensitiveAt(f, value, func() addrs.Path { return at }, paths)
}

// collectSensitiveAt spells a place only where it is sensitive: hardly any is,
// and this looks at every value of every object.
func collectSensitiveAt(f *kinds.Field, value any, at func() addrs.Path, paths addrs.PathSet) {
	if f == nil || value == nil || f.Type == kinds.Any && !f.Sensitive { // nor is anything in it
		return
	}
	entries, isMap := value.(map[string]any)
	if f.Sensitive && !isMap {
		paths.Add(at())
		return
	}
	if f.Sensitive { // which keys a Secret has is no secret
		for name := range entries {
			paths.Add(at().Field(name))
		}
		return
	}
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			collectSensitiveAt(f.Field(name), inner, func() addrs.Path { return at().Field(name) }, paths)
		}
	case []any:
		for i, inner := range v {
			collectSensitiveAt(f.Elem, inner, func() addrs.Path { return at().Index(i) }, paths)
		}
	}
}

// SensitiveDesired are the places of the wish that the configuration made
// sensitive. Elements of lists are named by their keys where they have any, so
// that the places are true of other versions of the object, too.
func (c *Change) SensitiveDesired() []addrs.Path {
	places := addrs.PathSet{}
	for path := range c.Desired.Sensitive {
		places.Add(keyed(c.Kind, c.DesiredFields, path))
	}
	return places.Sorted()
}

// longestShown is how many bytes of a text a message repeats.
const longestShown = 100

// shown is a value in one line of a message, masked where it is secret, and ""
// where it is more than a message can hold.
func shown(c *Change, object map[string]any, path addrs.Path) string {
	value, ok := ValueAt(object, path)
	switch {
	case !ok:
		return "not set"
	case c.Sensitive.Covers(path):
		return diff.Mask
	}
	switch v := value.(type) {
	case map[string]any, []any:
		return ""
	case string:
		if strings.Contains(strings.TrimSuffix(v, "\n"), "\n") || len(v) > longestShown {
			return ""
		}
		return quoted(v)
	}
	return fmt.Sprint(value)
}

func quoted(text string) string { return fmt.Sprintf("%q", text) }
