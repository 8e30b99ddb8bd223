package plan

import (
	"maps"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
)

// DesiredFields is what is sent to the server for a desired object: its manifest with
// kplan's own label and annotation. The desired object itself is not changed.
func DesiredFields(d *hclspec.Desired, stackID string) map[string]any {
	return desiredFieldsAt(d, d.Addr, stackID)
}

// wishAt is the wish that it would be at another address.
func desiredFieldsAt(d *hclspec.Desired, addr addrs.Instance, stackID string) map[string]any {
	return marked(d.Kind.Applicable(d.Fields), addr, stackID)
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

func cloneMap(m any) map[string]any {
	if original, ok := m.(map[string]any); ok {
		return maps.Clone(original)
	}
	return map[string]any{}
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
