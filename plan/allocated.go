package plan

import (
	"slices"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
)

// withoutAllocated takes out of a planned creation what only the creation will
// decide: a dry-run invents a uid and a cluster IP like any other answer. It
// returns the object without them and their places.
func withoutAllocated(kind *kinds.Kind, object, wish map[string]any) (map[string]any, addrs.PathSet) {
	places := kind.Unforetold(wish)
	slices.SortFunc(places, addrs.Path.Compare)
	for _, place := range slices.Backward(places) {
		object, _ = replaceAt(object, place.Steps(), nil).(map[string]any)
	}
	return object, addrs.NewPathSet(places...)
}
