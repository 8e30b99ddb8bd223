package plan

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/kinds"
)

// The server fills in what a configuration leaves out, and later may refuse what
// it has filled in beside another choice: a Deployment keeps the rollingUpdate of
// its first days when its strategy becomes Recreate. Applying takes away only what
// kplan has set. So kplan takes such a remnant first, which changes no value.

// remnants are the places that a refusal is about and that only the server has
// filled in: the object holds them, the configuration does not set them, and
// nobody owns them. The refusal names them, or what does not go with them: the
// new source of a volume beside the one that it had.
func staleFields(d *decision, live *unstructured.Unstructured, refusal error) []addrs.Path {
	owned := ownership.Of(live.Object).All()
	stale, _ := staleServerValues(d, live)
	var places []addrs.Path
	for _, path := range refusedPaths(refusal) {
		place := d.refusedAt(path)
		if d.leaves(place) && !isOwned(d.kind, owned, place) {
			places = append(places, place)
		}
		around := place.Parent()
		for _, place := range stale {
			if around.Contains(place) {
				places = append(places, place)
			}
		}
	}
	return slices.DeleteFunc(places, func(place addrs.Path) bool { return slices.Contains(d.transfer, place) })
}

// outdated are the places that the server filled in beside what kplan had set, and
// would fill in otherwise beside what is wished for now. The object is what it made
// of what kplan had set.
func staleServerValues(d *decision, live *unstructured.Unstructured) (places []addrs.Path, was map[string]any) {
	managers := ownership.Of(live.Object)
	owned := managers.All()
	set, ok := extract(d.kind, live, managers.Ours()).(map[string]any)
	if !ok {
		return nil, nil
	}
	was = d.kind.Complete(set)
	becomes := d.kind.Complete(d.fields)
	for _, place := range sortedPaths(differences(d.kind.Root, was, becomes)) {
		_, filledIn := ValueAt(was, place)
		if _, wasSet := ValueAt(set, place); filledIn && !wasSet && d.leaves(place) && !isOwned(d.kind, owned, place) {
			places = append(places, place)
		}
	}
	return places, was
}

// outgrown are the outdated places that the server would leave as they are without
// a word: the directions of a NetworkPolicy that gets its first rule for egress.
// What may not change is not among them, nor what is to be ignored, nor what others
// than the server made of it, nor what may follow from a value that is not known
// yet, nor the selector of a ReplicationController, which without it would lose its
// pods.
func staleDefaults(d *decision, live *unstructured.Unstructured) []addrs.Path {
	if !d.leavesAny() {
		return nil
	}
	places, was := staleServerValues(d, live)
	ignored, open := d.configured(d.ignored()), d.configured(d.unresolved().Sorted())
	return slices.DeleteFunc(places, func(place addrs.Path) bool {
		filledIn, _ := ValueAt(was, place)
		there, _ := ValueAt(d.before, place)
		return !d.kind.At(place).Equal(filledIn, there) || d.kind.ForbidsChange(d.before, d.fields, place) ||
			coveredBy(ignored, place) || holdsAny(place, ignored) || holdsAny(place.Parent(), open) ||
			d.kind.GroupKind() == kinds.ReplicationController && place == addrs.NewPath("spec", "selector")
	})
}

// leavesAny says whether the object holds anything of which the configuration says
// nothing and that is not what the server would fill in by now, besides what every
// object holds: where not, nothing can be outgrown, and that is soon known.
func (d *decision) leavesAny() bool {
	for place := range differences(d.kind.Root, withoutOthers(d.before), withoutOthers(d.kind.Complete(d.fields))) {
		if d.leaves(place) {
			return true
		}
	}
	return false
}

// withoutOthers is an object without what the server and controllers write into it.
func withoutOthers(object map[string]any) map[string]any {
	object = maps.Clone(object)
	delete(object, "metadata")
	delete(object, "status")
	return object
}

func holdsAny(place addrs.Path, inner []addrs.Path) bool {
	return slices.ContainsFunc(inner, place.Contains)
}

// takeOutgrown has the change take what has outgrown the wish, and returns the live
// object as it then has to be.
func (d *decision) transferStale(live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	for _, place := range staleDefaults(d, live) {
		if !slices.Contains(d.transfer, place) {
			d.transfer = append(slices.Clip(d.transfer), place)
		}
	}
	return d.withTransferredFields(live)
}

// leaves says whether the object holds something at a place of which the
// configuration says nothing.
func (d *decision) leaves(place addrs.Path) bool {
	_, wanted := valueIn(d.kind, d.fields, place)
	_, there := ValueAt(d.before, place)
	return there && !wanted
}

// isOwned says whether somebody owns a place or anything in it, or something that
// is set as a whole and of which it is a part.
func isOwned(kind *kinds.Kind, owned *fieldpath.Set, place addrs.Path) bool {
	if ownership.Owns(owned, place) {
		return true
	}
	for around := place.Parent(); !around.IsZero(); around = around.Parent() {
		if f := kind.At(around); f != nil && f.Atomic {
			return ownership.Owns(owned, around)
		}
	}
	return false
}

// TransfersOwnership reports whether fields may have to become kplan's before the
// change is applied: see WithTransferredFields.
func (c *Change) TransfersOwnership() bool { return c.Action == Adopt || len(c.Transfer) > 0 }

// WithTransferredFields is the live object as it has to be before the change is
// applied, which differs only in who owns its fields: those that applying has to
// remove must be kplan's. It is live itself where nothing has to be done.
func (c *Change) WithTransferredFields(live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	return withTransferredFields(live, c.Kind, c.Action == Adopt, c.Transfer)
}

func withTransferredFields(
	live *unstructured.Unstructured, kind *kinds.Kind, adopts bool, transfer []addrs.Path,
) (*unstructured.Unstructured, error) {
	if !adopts && len(transfer) == 0 { // as nearly always, and to compare records takes its time
		return live, nil
	}
	transferred, err := live, error(nil)
	if adopts {
		if transferred, err = ownership.WithClientApply(transferred); err != nil {
			return nil, err
		}
	}
	if len(transfer) > 0 {
		if transferred, err = ownership.WithFields(transferred, kind.APIVersion(), ownership.NewSet(transfer...)); err != nil {
			return nil, err
		}
	}
	if ownership.Same(live.Object, transferred.Object) {
		return live, nil
	}
	return transferred, nil
}
