package plan

import (
	"maps"

	"kplan.dev/kplan/addrs"
)

// lastApplied is kubectl's own copy of the object, secrets and all.
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

var lastAppliedPlace = addrs.NewPath("metadata", "annotations", lastApplied)

// bookkeeping are the fields of metadata that the server keeps for itself.
var bookkeeping = []string{
	"creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "generation",
	"managedFields", "resourceVersion", "selfLink", "uid",
}

// noise are the places of any object that are never shown, and head those that
// the head of its block says.
var (
	noise = trailOf(noisePlaces())
	head  = trailOf(addrs.NewPathSet(addrs.NewPath("apiVersion"), addrs.NewPath("kind")))
)

func noisePlaces() addrs.PathSet {
	places := addrs.NewPathSet(
		addrs.NewPath("status"),
		addrs.NewPath("metadata", "labels", StackLabel),
		addrs.NewPath("metadata", "annotations", AddressAnnotation),
		lastAppliedPlace,
	)
	for _, name := range bookkeeping {
		places.Add(addrs.NewPath("metadata", name))
	}
	return places
}

// withoutNoise is the object without the places of noise. The object itself is
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
			kept[name] = without(inner, below)
		}
	}
	return kept
}
