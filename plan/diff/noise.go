package diff

import (
	"maps"

	corev1 "k8s.io/api/core/v1"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
)

// noise are the fields of any object that are never shown, and head those that
// the head of its block says.
var (
	noise = trailOf(noisePaths())
	head  = trailOf(addrs.NewPathSet(addrs.NewPath("apiVersion"), addrs.NewPath("kind")))
)

func noisePaths() addrs.PathSet {
	paths := addrs.NewPathSet(
		addrs.NewPath("status"),
		addrs.NewPath("metadata", "labels", addrs.StackLabel),
		addrs.NewPath("metadata", "annotations", addrs.AddressAnnotation),
		addrs.NewPath("metadata", "annotations", corev1.LastAppliedConfigAnnotation), // kubectl's copy, secrets and all
	)
	for _, name := range kinds.ServerMetadata {
		paths.Add(addrs.NewPath("metadata", name))
	}
	return paths
}

// withoutNoise is the object without the fields of noise. The object itself is
// not changed.
func withoutNoise(object map[string]any) map[string]any {
	return without(object, noise)
}

func without(object map[string]any, gone trail) map[string]any {
	if object == nil {
		return nil
	}
	kept := maps.Clone(object)
	for _, name := range gone.fields() {
		below := gone.field(name)
		inner, isObject := kept[name].(map[string]any)
		switch {
		case below.ends():
			delete(kept, name)
		case isObject:
			if kept[name] = without(inner, below); len(kept[name].(map[string]any)) == 0 && len(inner) > 0 {
				delete(kept, name)
			}
		}
	}
	return kept
}
