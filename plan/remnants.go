package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kube"
)

// The server fills in what a configuration leaves out, and later may refuse what
// it has filled in beside another choice: a Deployment keeps the rollingUpdate of
// its first days when its strategy becomes Recreate. Applying takes away only what
// kplan has set. So kplan takes such a remnant first, which changes no value.

// remnants are the places that a refusal is about and that only the server has
// filled in: the object holds them, the configuration does not set them, and
// nobody owns them. The refusal names them, or what does not go with them: the
// new source of a volume beside the one that it had.
func remnants(c *Change, live *unstructured.Unstructured, refusal error) []addrs.Path {
	owned := fieldsOf(live, true).Union(fieldsOf(live, false))
	var places []addrs.Path
	for _, path := range refusedPaths(refusal) {
		place := keyed(c.Kind, c.Before, path)
		if c.leaves(place) && !isOwned(owned, place) {
			places = append(places, place)
		}
		around := keyed(c.Kind, c.After, path).Parent()
		for _, place := range outdated(c, live) {
			if around.Contains(place) {
				places = append(places, place)
			}
		}
	}
	return slices.DeleteFunc(places, func(place addrs.Path) bool { return slices.Contains(c.takes, place) })
}

// outdated are the places that the server filled in beside what kplan had set, and
// would fill in otherwise beside what is wished for now.
func outdated(c *Change, live *unstructured.Unstructured) []addrs.Path {
	owned := fieldsOf(live, true).Union(fieldsOf(live, false))
	set, ok := extract(c.Kind, live, fieldsOf(live, true)).(map[string]any)
	if !ok {
		return nil
	}
	was, becomes := c.Kind.Complete(set), c.Kind.Complete(c.Wish)
	var places []addrs.Path
	for _, place := range sortedPaths(differences(c.Kind.Root, was, becomes)) {
		_, filledIn := ValueAt(was, place)
		if _, wasSet := ValueAt(set, place); filledIn && !wasSet && c.leaves(place) && !isOwned(owned, place) {
			places = append(places, place)
		}
	}
	return places
}

// leaves says whether the object holds something at a place of which the
// configuration says nothing.
func (c *Change) leaves(place addrs.Path) bool {
	_, wished := ValueAt(c.Wish, place)
	_, there := ValueAt(c.Before, place)
	return there && !wished
}

func isOwned(owned *fieldpath.Set, place addrs.Path) bool {
	path, err := fieldPath(place)
	return err != nil || owns(owned, path)
}

// TakesFirst says whether fields may have to become kplan's before the change
// is applied: see Taken.
func (c *Change) TakesFirst() bool { return c.Action == Adopt || len(c.takes) > 0 }

// Taken is the live object as it has to be before the change is applied, which
// is another one only in who owns its fields: those that applying has to take
// away can only be kplan's. It is live itself where nothing has to be done.
func (c *Change) Taken(live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	taken, err := live, error(nil)
	if c.adopts {
		if taken, err = kube.WithClientApplyTaken(taken); err != nil {
			return nil, err
		}
	}
	if len(c.takes) > 0 {
		if taken, err = kube.WithFieldsTaken(c.Kind, taken, c.fieldsToTake()); err != nil {
			return nil, err
		}
	}
	if kube.SameOwnership(live, taken) {
		return live, nil
	}
	return taken, nil
}

func (c *Change) fieldsToTake() *fieldpath.Set {
	fields := &fieldpath.Set{}
	for _, place := range c.takes {
		if path, err := fieldPath(place); err == nil {
			fields.Insert(path)
		}
	}
	return fields
}

// withRemnants adds to a refusal which of the refused values the configuration
// does not set, and how to be rid of them: somebody else owns them. Where it names
// none, it may be about what the server filled in somewhere else.
func withRemnants(c *Change, live *unstructured.Unstructured, err error) error {
	var refusal *kube.Error
	if !errors.As(err, &refusal) {
		return err
	}
	told := *refusal
	told.Fields = slices.Clone(refusal.Fields)
	for i, f := range told.Fields {
		if c.leaves(f.Path) {
			told.Fields[i].Detail = fmt.Sprintf("%s. The configuration does not set it: it stands in the object since before, and applying takes away only what kplan has set. "+
				"The option -replace='%s' makes the object anew without it; to keep the object, take it out with kubectl edit", strings.TrimSuffix(f.Detail, "."), c.Addr)
		} else if more := elsewhere(c, live, f.Detail); more != "" {
			told.Fields[i].Detail = strings.TrimSuffix(f.Detail, ".") + more
		}
	}
	return &told
}

// elsewhere is what to say of a refused value that does not fit what the server has
// filled in somewhere else, as the refusal's words have it: the labels of a
// ReplicationController's pods beside the selector that it made of the old ones.
func elsewhere(c *Change, live *unstructured.Unstructured, words string) string {
	for _, place := range outdated(c, live) {
		steps := place.Steps()
		if name := steps[len(steps)-1].Field; name != "" && strings.Contains(words, name) {
			return fmt.Sprintf(". The server has filled in %s for what the configuration said before, and keeps it: set it in the configuration, "+
				"or make the object anew with the option -replace='%s'", place, c.Addr)
		}
	}
	return ""
}
