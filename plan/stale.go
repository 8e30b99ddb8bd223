package plan

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/option"
	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/server"
	"kplan.dev/kplan/kube"
)

// The server fills in what a configuration leaves out, and later may refuse what
// it has filled in beside another choice: a Deployment keeps the rollingUpdate of
// its first days when its strategy becomes Recreate. Applying takes away only what
// kplan has set. So kplan first transfers the ownership of such a stale default to
// itself, which changes no value.

// staleFields are the fields that a refusal is about and that only the server has
// filled in: the object holds them, the configuration does not set them, and
// nobody owns them. The refusal names them, or what does not go with them: the
// new source of a volume beside the one that it had.
func staleFields(d *decision, live *unstructured.Unstructured, refusal error) []addrs.Path {
	owned := ownership.Of(live.Object).AllFields()
	stale, _ := staleServerValues(d, live)
	var paths []addrs.Path
	for _, path := range refusedPaths(refusal) {
		field := refusedAt(d, path)
		if leaves(d, field) && !isOwned(d.kind, owned, field) {
			paths = append(paths, field)
		}
		around := field.Parent()
		for _, f := range othersBeside(d, around) {
			if !slices.Contains(d.transfer, f.Path) && mayRemove(d, f.Path) {
				paths = append(paths, f.Path)
				d.taken = append(d.taken, Drift{f.Path, f.Manager, f.Time})
			}
		}
		for _, field := range stale {
			if around.Contains(field) {
				paths = append(paths, field)
			}
		}
	}
	return slices.DeleteFunc(paths, func(field addrs.Path) bool { return slices.Contains(d.transfer, field) })
}

// staleServerValues are the fields that the server filled in beside what kplan had set, and
// would fill in otherwise beside what is desired now. The object is what it made
// of what kplan had set.
func staleServerValues(d *decision, live *unstructured.Unstructured) (paths []addrs.Path, was map[string]any) {
	managers := ownership.Of(live.Object)
	owned := managers.AllFields()
	set, ok := extract(d.kind, live, managers.KplanFields()).(map[string]any)
	if !ok {
		return nil, nil
	}
	was = server.Complete(d.kind, set)
	becomes := server.Complete(d.kind, d.fields)
	for _, field := range removedFields(d.kind, was, becomes) {
		_, filledIn := ValueAt(was, field)
		if _, wasSet := ValueAt(set, field); filledIn && !wasSet && leavesMore(d, field) && !isOwned(d.kind, owned, field) {
			paths = append(paths, field)
		}
	}
	return paths, was
}

// removedFields are the fields in which two versions of an object differ. An element of a
// keyed list that only the first one has is one of them, not the fields in it.
func removedFields(kind *kinds.Kind, was, becomes map[string]any) []addrs.Path {
	fields := addrs.PathSet{}
	for path := range differences(kind.Root, was, becomes) {
		fields.Add(wholeElement(was, becomes, path))
	}
	return fields.Sorted()
}

// staleDefaults are the outdated fields that the server would leave as they are without
// a word: the directions of a NetworkPolicy that gets its first rule for egress.
// What may not change is not among them, nor what is to be ignored, nor what others
// than the server made of it, nor what may follow from a value that is not known
// yet, nor the selector of a ReplicationController, which without it would lose its
// pods.
func staleDefaults(d *decision, live *unstructured.Unstructured) []addrs.Path {
	if !leavesAny(d) {
		return nil
	}
	paths, was := staleServerValues(d, live)
	ignored, unresolved := d.configured(d.ignored()), d.configured(d.unresolved().Sorted())
	return slices.DeleteFunc(paths, func(field addrs.Path) bool {
		filledIn, _ := ValueAt(was, field)
		there, _ := ValueAt(d.before, field)
		return !d.kind.At(field).Equal(filledIn, there) || server.ForbidsChange(d.kind, d.before, d.fields, field) ||
			coveredBy(ignored, field) || holdsAny(field, ignored) || holdsAny(field.Parent(), unresolved) ||
			d.kind.GroupKind() == kinds.ReplicationController && field == addrs.NewPath("spec", "selector")
	})
}

// leavesAny reports whether the object holds anything that the configuration does not
// set and that is not what the server would fill in by now, besides what every
// object holds: where not, nothing can be stale, and that is soon known.
func leavesAny(d *decision) bool {
	for field := range differences(d.kind.Root, withoutOthers(d.before), withoutOthers(server.Complete(d.kind, d.fields))) {
		if leavesMore(d, field) {
			return true
		}
	}
	return false
}

// leavesMore is leaves for a field that may also be a set: then it is enough that the
// object holds other elements than the configuration sets.
func leavesMore(d *decision, field addrs.Path) bool {
	if f := d.kind.At(field); f == nil || !f.Set {
		return leaves(d, field)
	}
	wanted, _ := valueIn(d.kind, d.fields, field)
	there, _ := ValueAt(d.before, field)
	return there != nil && !d.kind.At(field).Equal(there, wanted)
}

// withoutOthers is an object without what the server and controllers write into it.
func withoutOthers(object map[string]any) map[string]any {
	object = maps.Clone(object)
	delete(object, "metadata")
	delete(object, "status")
	return object
}

func holdsAny(field addrs.Path, inner []addrs.Path) bool {
	return slices.ContainsFunc(inner, field.Contains)
}

// transferStale has the change transfer the ownership of stale defaults, and returns
// the live object as it then has to be.
func (d *decision) transferStale(live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	for _, field := range staleDefaults(d, live) {
		if !slices.Contains(d.transfer, field) {
			d.transfer = append(slices.Clip(d.transfer), field)
		}
	}
	return d.withTransferredFields(live)
}

// leaves reports whether the object holds a value at a field that the
// configuration does not set.
func leaves(d *decision, field addrs.Path) bool {
	_, wanted := valueIn(d.kind, d.fields, field)
	_, there := ValueAt(d.before, field)
	return there && !wanted
}

// isOwned reports whether somebody owns a field or anything in it, or something that
// is set as a whole and of which it is a part.
func isOwned(kind *kinds.Kind, owned *fieldpath.Set, field addrs.Path) bool {
	if ownership.Owns(owned, field) {
		return true
	}
	for around := field.Parent(); !around.IsZero(); around = around.Parent() {
		if f := kind.At(around); f != nil && f.Atomic {
			return ownership.Owns(owned, around)
		}
	}
	return false
}

// refusedPaths are the fields that the server complained about.
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

// refusedAt is a field that the server refused as keyed spells it: the server
// counts the elements of what it was to make of the object.
func refusedAt(d *decision, path addrs.Path) addrs.Path { return keyed(d.kind, d.after, path) }

// explained adds to a refusal what is not to be seen in the configuration, and how
// to go on.
func explained(d *decision, live *unstructured.Unstructured, err error) error {
	var refusal *kube.Error
	if !errors.As(err, &refusal) {
		return err
	}
	explained, empty := *refusal, emptied(d)
	stale, _ := staleServerValues(d, live)
	explained.Fields = slices.Clone(refusal.Fields)
	for i, f := range explained.Fields {
		field := refusedAt(d, f.Path)
		more := ""
		if others := othersBeside(d, field.Parent()); len(others) > 0 {
			more = fmt.Sprintf("%s of the object is set by %s%s, and not by the configuration. To remove it, list it in "+
				"lifecycle.force_conflicts", others[0].Path, quoted(others[0].Manager), sinceWhen(others[0].Time))
		} else if addrs.NewPath("status").Contains(field) {
			more = storedVersionAdvice(d)
		} else if leaves(d, field) {
			more = fmt.Sprintf("The configuration does not set it, and an apply removes only fields that kplan has set. "+
				"To recreate the object without it, use the option %s; to keep the object, remove the field with kubectl edit",
				option.Replace.With(d.addr.String()))
		} else if more = elsewhere(d, stale, f.Detail); more == "" {
			more = hollowed(d, empty, field)
		}
		if more != "" {
			explained.Fields[i].Detail = strings.TrimSuffix(f.Detail, ".") + ". " + more
		}
	}
	return &explained
}

// othersBeside are the fields in an object around a refused one that others have set
// and the configuration does not: they may be what does not fit beside it.
func othersBeside(d *decision, around addrs.Path) []ownership.Field {
	if around.IsZero() {
		return nil
	}
	depth := len(around.Steps())
	var found []ownership.Field
	for _, f := range d.managers.Unmanaged(true) {
		if !around.Contains(f.Path) || f.Path == around {
			continue
		}
		f.Path = around.Append(f.Path.Steps()[depth])
		known := slices.ContainsFunc(found, func(other ownership.Field) bool { return other.Path == f.Path })
		if !known && leaves(d, f.Path) {
			found = append(found, f)
		}
	}
	return found
}

// mayRemove reports whether a field that others have set may be removed: since it, or
// what it does not fit beside, is taken from them.
func mayRemove(d *decision, field addrs.Path) bool {
	if d.rules.forces || transferred(d, field) {
		return true
	}
	around := field.Parent()
	if holdsAny(around, d.configured(d.desired.Lifecycle.ForceConflicts)) {
		return true
	}
	beside, _ := valueIn(d.kind, d.fields, around)
	fields, _ := beside.(map[string]any)
	for name := range fields {
		if hasDrifted(d, around.Field(name)) {
			return true
		}
	}
	return false
}

// storedVersionAdvice is how a definition can drop a version in which objects may
// still be stored. To replace it would delete them all.
func storedVersionAdvice(d *decision) string {
	if d.object.GroupKind() != kinds.CustomResourceDefinition {
		return ""
	}
	return fmt.Sprintf("Objects may still be stored in that version. Keep it for now, with storage = false, and apply that. "+
		"Then write all objects in the version that stays, for example with "+
		"kubectl get %[1]s --all-namespaces -o yaml | kubectl replace -f -, and remove the version from the status, with "+
		"kubectl patch crd %[1]s --subresource=status --type=merge -p '{\"status\":{\"storedVersions\":[\"VERSION\"]}}'. "+
		"After that it can be dropped. Replacing the definition would delete all its objects", d.object.Name)
}

// sinceWhen is since when a manager owns a field, "" where that is not known.
func sinceWhen(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return " since " + at.UTC().Format(time.RFC3339)
}

// elsewhere is what to say of a refused value that does not fit what the server has
// filled in at one of these fields, as the refusal's words have it: the labels of a
// ReplicationController's pods beside the selector that it made of the old ones.
func elsewhere(d *decision, stale []addrs.Path, words string) string {
	for _, field := range stale {
		steps := field.Steps()
		if name := steps[len(steps)-1].Field; name != "" && strings.Contains(words, name) {
			return fmt.Sprintf("%s has a default that the server chose for an earlier configuration, and keeps. Set the field in the "+
				"configuration, or recreate the object with the option %s", field, option.Replace.With(d.addr.String()))
		}
	}
	return ""
}

// emptied are the fields that the configuration keeps without any of the fields
// that it had: applying takes an object away with the last of its fields.
func emptied(d *decision) []addrs.Path {
	paths := addrs.PathSet{}
	for path := range differences(d.kind.Root, visible(d.before), visible(d.after)) {
		for field := path.Parent(); !field.IsZero(); field = field.Parent() {
			desired, _ := valueIn(d.kind, d.fields, field)
			fields, isObject := desired.(map[string]any)
			if left, _ := ValueAt(d.after, field); isObject && len(fields) == 0 && left == nil {
				paths.Add(field)
			}
		}
	}
	return paths.Sorted()
}

// hollowed is what to say of a refused field around or in one that was emptied.
func hollowed(d *decision, emptied []addrs.Path, refused addrs.Path) string {
	for _, field := range emptied {
		if field.Contains(refused) || refused.Contains(field) {
			return fmt.Sprintf("The configuration sets %s without any of its fields, and an apply removes an object together with its last field. "+
				"Set a field in it, omit it, or recreate the object with the option %s: a new object can have it empty",
				field, option.Replace.With(d.addr.String()))
		}
	}
	return ""
}
