package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kube"
)

// refusedPaths are the places that the server complained about.
func refusedPaths(err error) []addrs.Path {
	var (
		refusal *kube.Error
		paths   []addrs.Path
	)
	if errors.As(err, &refusal) {
		for _, f := range refusal.Fields {
			paths = append(paths, f.Path)
		}
	}
	return paths
}

// refusedAt is a place that the server refused as keyed spells it: the server
// counts the elements of what it was to make of the object.
func (d *decision) refusedAt(path addrs.Path) addrs.Path { return keyed(d.kind, d.after, path) }

// explained adds to a refusal what is not to be seen in the configuration, and how
// to go on.
func explained(d *decision, live *unstructured.Unstructured, err error) error {
	var refusal *kube.Error
	if !errors.As(err, &refusal) {
		return err
	}
	told, empty := *refusal, emptied(d)
	stale, _ := staleServerValues(d, live)
	told.Fields = slices.Clone(refusal.Fields)
	for i, f := range told.Fields {
		place := d.refusedAt(f.Path)
		more := ""
		if d.leaves(place) {
			more = fmt.Sprintf("The configuration does not set it: it stands in the object since before, and applying takes away only what kplan has set. "+
				"The option -replace='%s' makes the object anew without it; to keep the object, take it out with kubectl edit", d.addr)
		} else if more = elsewhere(d, stale, f.Detail); more == "" {
			more = hollowed(d, empty, place)
		}
		if more != "" {
			told.Fields[i].Detail = strings.TrimSuffix(f.Detail, ".") + ". " + more
		}
	}
	return &told
}

// elsewhere is what to say of a refused value that does not fit what the server has
// filled in at one of these places, as the refusal's words have it: the labels of a
// ReplicationController's pods beside the selector that it made of the old ones.
func elsewhere(d *decision, stale []addrs.Path, words string) string {
	for _, place := range stale {
		steps := place.Steps()
		if name := steps[len(steps)-1].Field; name != "" && strings.Contains(words, name) {
			return fmt.Sprintf("The server has filled in %s for what the configuration said before, and keeps it: set it in the configuration, "+
				"or make the object anew with the option -replace='%s'", place, d.addr)
		}
	}
	return ""
}

// emptied are the places that the configuration keeps without any of the fields
// that it had: applying takes an object away with the last of its fields.
func emptied(d *decision) []addrs.Path {
	places := addrs.PathSet{}
	for path := range differences(d.kind.Root, visible(d.before), visible(d.after)) {
		for place := path.Parent(); !place.IsZero(); place = place.Parent() {
			desired, _ := valueIn(d.kind, d.fields, place)
			fields, isObject := desired.(map[string]any)
			if left, _ := ValueAt(d.after, place); isObject && len(fields) == 0 && left == nil {
				places.Add(place)
			}
		}
	}
	return places.Sorted()
}

// hollowed is what to say of a refused place around or in one that was emptied.
func hollowed(d *decision, emptied []addrs.Path, refused addrs.Path) string {
	for _, place := range emptied {
		if place.Contains(refused) || refused.Contains(place) {
			return fmt.Sprintf("The configuration keeps %s without any of its fields, and applying takes an object away with the last field that it had. "+
				"Set a field in it, leave it out, or make the object anew with the option -replace='%s', which can have it empty", place, d.addr)
		}
	}
	return ""
}
