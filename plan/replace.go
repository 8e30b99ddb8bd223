package plan

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/server"
	"kplan.dev/kplan/kube"
)

// replace plans to delete the object and create it again under the same name, as
// the configuration has it: ignored fields go with the old one.
func (p *planner) replace(ctx context.Context, d *decision, reason Reason, paths []addrs.Path) (hclspec.Observed, error) {
	d.action, d.answered, d.fields = "", false, DesiredFields(d.desired, p.state.StackID())
	predicted, err := kube.Predict(d.kind, nil, d.fields)
	if err != nil {
		return hclspec.Observed{}, err
	}
	d.action, d.reason, d.certainty, d.why, d.replacePaths = Replace, reason, Predicted, d.notDryRunnable, paths
	d.after, d.unknown = withoutAllocated(d.kind, predicted, d.fields)
	d.unknown.AddAll(d.desired.Unknown)
	d.sensitive.AddAll(d.sensitivePaths(d.after))
	if d.notDryRunnable != "" {
		return hclspec.Observed{}, nil
	}
	answer, why, err := DryRunReplacement(ctx, p.Cluster, d.change())
	if err != nil {
		if cured := whyPredicted(ctx, p, d, err); cured != "" {
			why, err = cured, nil
		}
	}
	if err != nil || why != "" {
		d.blocked, d.why = d.blocked || err != nil, why
		return hclspec.Observed{}, err
	}
	d.certainty, d.answered = Computed, true
	d.after, d.unknown = withoutAllocated(d.kind, answer.Object, d.fields)
	d.sensitive.AddAll(d.sensitivePaths(d.after))
	if d.why = subjectOf(d).whyUncertain(); d.why != "" {
		d.certainty = Predicted
		return hclspec.Observed{}, nil
	}
	return hclspec.Observed{Object: WithoutOwn(d.after), Unknown: d.unknown}, nil
}

// replaceIfDifferent plans a replacement for fields that can't be changed in place, if the
// new object would differ in any of them. The server may make of what is desired what is
// there already: it adds the values of matchLabelKeys to a pod's selectors, and a policy
// what it likes. Then such fields are to be sent as they are, and the rest is an update.
func replaceIfDifferent(ctx context.Context, p *planner, d *decision, paths []addrs.Path) (updates bool, seen hclspec.Observed, err error) {
	seen, err = p.replace(ctx, d, BecauseImmutable, paths)
	if err != nil || d.certainty != Computed || len(d.rewritten) > 0 || !isThere(d, d.after, paths) {
		return false, seen, err
	}
	d.action, d.reason, d.why, d.replacePaths, d.after = "", NoReason, "", nil, nil
	d.rewritten, d.unknown = paths, d.desired.Unknown
	return true, hclspec.Observed{}, nil
}

// isThere reports whether the live object has at these fields what a new object would.
func isThere(d *decision, made map[string]any, paths []addrs.Path) bool {
	return !slices.ContainsFunc(paths, func(path addrs.Path) bool {
		f := d.kind.At(path)
		before, _ := valueIn(d.kind, d.before, path)
		after, _ := valueIn(d.kind, made, path)
		return f == nil || before == nil || !f.Equal(before, after) || !f.SameOrder(before, after)
	})
}

// withRewritten is the desired fields with the values that the live object has at fields
// of which the server has made, and would make, something else.
func withRewritten(kind *kinds.Kind, desired, live map[string]any, rewritten []addrs.Path) map[string]any {
	for _, path := range rewritten {
		value, _ := valueIn(kind, live, path)
		desired = ignoring(kind, desired, path, value)
	}
	return desired
}

// triggers are the changed fields for which lifecycle.replace_on asks for a
// replacement.
func (d *decision) triggers() []addrs.Path {
	if len(d.desired.Lifecycle.ReplaceOn) == 0 {
		return nil
	}
	var paths []addrs.Path
	listed := d.configured(d.desired.Lifecycle.ReplaceOn)
	for _, path := range sortedPaths(differences(d.kind.Root, d.before, d.after)) {
		if coveredBy(listed, path) {
			paths = append(paths, path)
		}
	}
	return paths
}

// triggers reports whether a change is one for which replace_triggered_by replaces another object: of anything,
// or of the field at a path. An object that is new, or is adopted, was nothing that the other one has seen.
func triggers(c *Change, at addrs.Path) bool {
	if c == nil || c.Action != Update && c.Action != Replace {
		return false
	}
	if at.IsZero() || c.Unknown.Covers(at) {
		return true
	}
	for path := range differences(c.Desired.Kind.Root, c.Before, c.After) {
		if at.Contains(path) || path.Contains(at) {
			return true
		}
	}
	return false
}

// immutableChanges are the changed fields that by the kind's description are
// immutable, the order of a list among them.
func (d *decision) immutableChanges() []addrs.Path {
	var paths []addrs.Path
	before, after := visible(d.before), visible(d.after)
	if d.kind.GroupKind() == kinds.Pod && !hasToken(d.fields) {
		before, after = withoutToken(before), withoutToken(after)
	}
	for path := range differences(d.kind.Root, before, after) {
		if server.ForbidsChange(d.kind, d.before, d.after, path) {
			paths = append(paths, wholeElement(d.before, d.after, path))
		}
	}
	for _, list := range d.kind.Root.Reordered(before, after) {
		if server.ForbidsChange(d.kind, d.before, d.after, list) {
			paths = append(paths, list)
		}
	}
	slices.SortFunc(paths, addrs.Path.Compare)
	return slices.Compact(paths)
}

// immutablePaths are the fields for which the server refuses an update. It names
// them roughly, the whole spec of a Pod or an address that it made of another field,
// so what the kind's description knows more exactly comes from there.
func (d *decision) immutablePaths(live *unstructured.Unstructured, refusal error) []addrs.Path {
	named := refusedPaths(refusal)
	predicted, err := kube.Predict(d.kind, live, d.fields)
	if err != nil {
		return named
	}
	d.after = predicted
	exact := d.immutableChanges()
	for _, path := range named {
		at := keyed(d.kind, d.before, path)
		if len(exact) > 0 && d.kind.At(at) == nil {
			continue // a name of the server's code: spec.persistentvolumesource
		}
		if !slices.ContainsFunc(exact, func(known addrs.Path) bool { return at.Contains(known) || known.Contains(at) }) {
			exact = append(exact, path)
		}
	}
	return exact
}

// DryRunReplacement asks the server what it would make of a replacement's new object. It
// is what stands between a mistake in the configuration and the loss of the old
// object: once that is gone it is too late to learn that the new one is refused.
//
// The error is a refusal, or that there is no answer. Where the server can't be
// asked about this object, or its answer says nothing, why says so.
func DryRunReplacement(ctx context.Context, cluster *kube.Cluster, c *Change) (answer *unstructured.Unstructured, why string, err error) {
	asked, withheld := withoutHeld(c.Object.GroupKind(), c.DesiredFields, c.Before)
	answer, err = cluster.DryRunReplacement(ctx, c.Kind, asked)
	switch kube.ReasonOf(err) {
	case kube.Forbidden:
		return nil, "this user may not dry-run: " + forbiddenVerb("create", c.Object, c.Kind), nil
	case kube.DryRunUnsupported:
		return nil, "an admission webhook does not support dry-run", nil
	case kube.QuotaExceeded, kube.QuotaUncounted: // which is what the server looks at last
		return nil, "the quota is checked once the old object is deleted", nil
	case kube.Invalid, kube.Immutable, kube.SchemaRejected, kube.Denied:
		if refusesOld(ctx, cluster, c, err) {
			return nil, "under a placeholder name, the server rejects the old object with the same error: " + wordsOf(err, c), nil
		}
	}
	if err == nil && withheld {
		return nil, "the old object still holds addresses or ports of the new one", nil
	}
	return answer, "", err
}

// resets reports whether a refusal is about what the server chose by itself, and a new
// object would have another value there.
func resets(ctx context.Context, p *planner, d *decision, refusal error) bool {
	if kube.ReasonOf(refusal) != kube.Invalid || len(d.resets) > 0 {
		return false
	}
	for _, field := range refusedPaths(refusal) {
		if !server.IsKeptChoice(d.kind, field) || !leaves(d, field) {
			continue
		}
		fields, _ := withoutHeld(d.object.GroupKind(), d.fields, d.before)
		answer, err := p.Cluster.DryRunReplacement(ctx, d.kind, fields)
		if err != nil {
			return false
		}
		before, _ := ValueAt(d.before, field)
		if value, ok := ValueAt(answer.Object, field); ok && value != before {
			d.resets, d.transfer = append(d.resets, Reset{field, value}), nil
		}
	}
	return len(d.resets) > 0
}

// refusesOld reports whether what the old object has at the same fields would be
// refused in the same words. Then it is not the new object that is at fault: its
// name may be the only one that the cluster allows, or what must be unique the
// old object's own.
func refusesOld(ctx context.Context, cluster *kube.Cluster, c *Change, refusal error) bool {
	old, _ := withoutHeld(c.Object.GroupKind(), wanted(c.Kind, c.Before, c.DesiredFields), c.Before)
	_, err := cluster.DryRunReplacement(ctx, c.Kind, old)
	return err != nil && err.Error() == refusal.Error()
}

// withoutHeld is an object without the addresses and ports that the old one
// holds: a Service's are nobody else's until it is gone, and then its own.
func withoutHeld(kind addrs.GroupKind, object, old map[string]any) (rest map[string]any, withheld bool) {
	spec, ok := object["spec"].(map[string]any)
	held, _ := old["spec"].(map[string]any)
	if kind != kinds.Service || !ok {
		return object, false
	}
	spec = maps.Clone(spec)
	drop := func(from map[string]any, name string, isHeld bool) {
		if _, there := from[name]; there && isHeld {
			delete(from, name)
			withheld = true
		}
	}
	if address := held["clusterIP"]; address != nil && address != corev1.ClusterIPNone && spec["clusterIP"] == address {
		drop(spec, "clusterIP", true)
		drop(spec, "clusterIPs", true)
	}
	drop(spec, "healthCheckNodePort", reflect.DeepEqual(jsonForm(spec["healthCheckNodePort"]), jsonForm(held["healthCheckNodePort"])))
	if ports, ok := spec["ports"].([]any); ok {
		ports = slices.Clone(ports)
		for i, port := range ports {
			withoutPort := cloneMap(port)
			drop(withoutPort, "nodePort", holdsNodePort(held, withoutPort["nodePort"]))
			ports[i] = withoutPort
		}
		spec["ports"] = ports
	}
	if !withheld {
		return object, false
	}
	rest = maps.Clone(object)
	rest["spec"] = spec
	return rest, true
}

func holdsNodePort(service map[string]any, number any) bool {
	ports, _ := service["ports"].([]any)
	return slices.ContainsFunc(ports, func(port any) bool {
		fields, _ := port.(map[string]any)
		return reflect.DeepEqual(jsonForm(fields["nodePort"]), jsonForm(number))
	})
}

// wordsOf is a refusal in the server's words, without secrets.
func wordsOf(refusal error, c *Change) string {
	var e *kube.Error
	if !errors.As(refusal, &e) {
		return refusal.Error()
	}
	return Masker(c).Hide(e.Message)
}
