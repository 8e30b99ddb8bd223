package plan

import (
	"maps"
	"math/rand/v2"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/kinds/server"
	"kplan.dev/kplan/state"
)

// DesiredFields is what is sent to the server for a desired object: its manifest with
// kplan's own label and annotation. The desired object itself is not changed.
func DesiredFields(d *hclspec.Desired, stackID string) map[string]any {
	return desiredFieldsAt(d, d.Addr, stackID)
}

// desiredFieldsAt are the desired fields as they would be at another address.
func desiredFieldsAt(d *hclspec.Desired, addr addrs.Instance, stackID string) map[string]any {
	return marked(server.Applicable(d.Kind, d.Fields), addr, stackID)
}

func marked(fields map[string]any, addr addrs.Instance, stackID string) map[string]any {
	desired := maps.Clone(fields)
	metadata := cloneMap(desired["metadata"])
	metadata["labels"] = withEntry(metadata["labels"], addrs.StackLabel, stackID)
	metadata["annotations"] = withEntry(metadata["annotations"], addrs.AddressAnnotation, addr.String())
	desired["metadata"] = metadata
	return desired
}

func withEntry(m any, key, value string) map[string]any {
	entries := cloneMap(m)
	entries[key] = value
	return entries
}

// WithoutOwn is the object as references see it: without kplan's own label and
// annotation. The object given is not changed.
func WithoutOwn(object map[string]any) map[string]any {
	metadata, ok := object["metadata"].(map[string]any)
	if !ok {
		return object
	}
	metadata = maps.Clone(metadata)
	dropEntry(metadata, "labels", addrs.StackLabel)
	dropEntry(metadata, "annotations", addrs.AddressAnnotation)
	seen := maps.Clone(object)
	seen["metadata"] = metadata
	return seen
}

// dropEntry takes an entry out of a map inside metadata, and the map with it
// when it was the only one.
func dropEntry(metadata map[string]any, name, key string) {
	entries, ok := metadata[name].(map[string]any)
	if _, there := entries[key]; !ok || !there {
		return
	}
	if len(entries) == 1 {
		delete(metadata, name)
		return
	}
	entries = maps.Clone(entries)
	delete(entries, key)
	metadata[name] = entries
}

var namePath = addrs.NewPath("metadata", "name")

// Named is an object whose name is left open, by metadata.generateName, under
// the name that it got when it was made. It is d itself where the state knows
// of none, and where the configuration names the object.
func Named(d *hclspec.Desired, s *state.State) *hclspec.Desired {
	prefix, generated := generatedName(d)
	entry, known := s.Find(d.Addr)
	if !generated || !known || entry.Object.GroupKind() != d.Object.GroupKind() ||
		entry.Object.Namespace != d.Object.Namespace || !isGeneratedFrom(entry.Object.Name, prefix) {
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
	prefix, generated := generatedName(d)
	if !generated {
		return d
	}
	name := []byte(generatedPrefix(prefix))
	for range suffixLength {
		name = append(name, suffixLetters[rand.IntN(len(suffixLetters))])
	}
	return withName(d, string(name))
}

// isGeneratedFrom reports whether a name may have been made of a generateName.
func isGeneratedFrom(name, generateName string) bool {
	prefix := generatedPrefix(generateName)
	return strings.HasPrefix(name, prefix) && len(name) == len(prefix)+suffixLength
}

// generatedPrefix is what is left of a generateName in the name that is made of it.
func generatedPrefix(generateName string) string {
	return generateName[:min(len(generateName), longestName-suffixLength)]
}

func generatedName(d *hclspec.Desired) (prefix string, generated bool) {
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

var stackLabelPath = addrs.NewPath("metadata", "labels", addrs.StackLabel)

// MadeBy reports whether an object was made, or adopted, by a run of the stack: it
// bears the stack's label, and kplan has applied it. The label alone is no proof,
// for whoever copies an object copies its labels; who applied what is recorded by
// the API server.
func MadeBy(live *unstructured.Unstructured, stackID string) bool {
	return live.GetLabels()[addrs.StackLabel] == stackID && ownership.Of(live.Object).OwnEntry() != nil
}

// ManagingStack is the stack that adopted an object of this one, "" if none did. That
// others write the label changes nothing of whose the object is: another stack's
// kplan applies it.
func ManagingStack(live *unstructured.Unstructured, stackID string) string {
	stack := live.GetLabels()[addrs.StackLabel]
	if stack == stackID {
		return ""
	}
	if own := ownership.Of(live.Object).OwnEntry(); own == nil || !own.Owns(stackLabelPath) {
		return ""
	}
	return stack
}

// OwnMarks are kplan's own: nobody else sets them to another value and means
// the object well.
var OwnMarks = []addrs.Path{
	stackLabelPath,
	addrs.NewPath("metadata", "annotations", addrs.AddressAnnotation),
}
