package plan

import (
	"math/rand/v2"
	"strings"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/state"
)

var namePath = addrs.NewPath("metadata", "name")

// Named is an object whose name is left open, by metadata.generateName, under
// the name that it got when it was made. It is d itself where the state knows
// of none, and where the configuration names the object.
func Named(d *hclspec.Desired, s *state.State) *hclspec.Desired {
	prefix, open := openName(d)
	entry, known := s.Find(d.Addr)
	if !open || !known || entry.Object.GroupKind() != d.Object.GroupKind() ||
		entry.Object.Namespace != d.Object.Namespace || !strings.HasPrefix(entry.Object.Name, prefix) {
		return d
	}
	return withName(d, entry.Object.Name)
}

const (
	// What the API server appends to a generateName, and how long it lets the
	// whole become.
	suffixLetters = "bcdfghjklmnpqrstvwxz2456789"
	suffixLength  = 5
	longestName   = 63
)

// NewlyNamed is an object whose name is left open under a name made up as the
// API server would. A name that kplan makes up can be written down before the
// object is made, so that a run that dies in between does not lose it.
func NewlyNamed(d *hclspec.Desired) *hclspec.Desired {
	prefix, open := openName(d)
	if !open {
		return d
	}
	name := []byte(prefix[:min(len(prefix), longestName-suffixLength)])
	for range suffixLength {
		name = append(name, suffixLetters[rand.IntN(len(suffixLetters))])
	}
	return withName(d, string(name))
}

func openName(d *hclspec.Desired) (prefix string, open bool) {
	if d.Object.Name != "" || d.Unknown.Covers(namePath) {
		return "", false
	}
	metadata, _ := d.Fields["metadata"].(map[string]any)
	prefix, _ = metadata["generateName"].(string)
	return prefix, prefix != ""
}

func withName(d *hclspec.Desired, name string) *hclspec.Desired {
	named := *d
	named.Object.Name = name
	named.Fields = cloneMap(d.Fields)
	metadata := cloneMap(named.Fields["metadata"])
	metadata["name"] = name
	named.Fields["metadata"] = metadata
	return &named
}
