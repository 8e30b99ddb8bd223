package plan

import (
	"fmt"
	"strings"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/internal/redact"
)

// sensitivePaths are the fields of an object that must not be shown: those that the
// configuration made sensitive and those that the kind has as secrets.
func (d *decision) sensitivePaths(object map[string]any) addrs.PathSet {
	paths := d.desired.Sensitive.Clone()
	paths.AddAll(addrs.NewPathSet(sensitiveDesired(d.desired, d.fields)...))
	paths.AddAll(redact.Paths(d.kind, object))
	return paths
}

// SensitiveDesired are the desired fields that the configuration made sensitive.
// Elements of lists are named by their keys where they have any, so that the paths
// are true of other versions of the object, too.
func (c *Change) SensitiveDesired() []addrs.Path { return sensitiveDesired(c.Desired, c.DesiredFields) }

func sensitiveDesired(d *hclspec.Desired, fields map[string]any) []addrs.Path {
	paths := addrs.PathSet{}
	for path := range d.Sensitive {
		paths.Add(keyed(d.Kind, fields, path))
	}
	return paths.Sorted()
}

// longestShown is how many bytes of a text a message repeats.
const longestShown = 100

// shown is a value in one line of a message, masked where it is secret, and ""
// where it is more than a message can hold.
func shown(d *decision, object map[string]any, path addrs.Path) string {
	value, ok := ValueAt(object, path)
	switch {
	case !ok:
		return "not set"
	case d.sensitive.Covers(path):
		return redact.Mask
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
