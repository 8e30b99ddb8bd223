package plan

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/state"
)

// create plans an object that is not there, as far as kplan knows.
func (p *planner) create(ctx context.Context, d *decision) (hclspec.Observed, error) {
	if d.notDryRunnable != "" {
		if d.mayExist {
			return p.predictCreateIfAbsent(ctx, d, d.notDryRunnable)
		}
		return d.predictCreate(d.notDryRunnable)
	}
	answer, err := p.Cluster.DryRunCreate(ctx, d.kind, d.fields)
	if err == nil {
		return d.computedCreate(answer), nil
	}
	if why := whyPredicted(ctx, p, d, err); why != "" {
		return p.predictCreateIfAbsent(ctx, d, why)
	}
	switch kube.ReasonOf(err) {
	case kube.AlreadyExists:
		live, err := p.Cluster.Get(ctx, d.kind, d.object.Namespace, d.object.Name)
		if err != nil {
			return hclspec.Observed{}, err
		}
		return p.claim(ctx, d, live)
	case kube.Forbidden:
		return p.predictCreateIfAbsent(ctx, d, "this user may not dry-run: "+forbiddenVerb("create", d.object, d.kind))
	case kube.DryRunUnsupported:
		return p.predictCreateIfAbsent(ctx, d, "an admission webhook does not support dry-run")
	}
	return hclspec.Observed{}, err
}

// predictCreateIfAbsent predicts a creation after making sure that there is nothing of
// that name, which the rejected dry-run did not report.
func (p *planner) predictCreateIfAbsent(ctx context.Context, d *decision, why string) (hclspec.Observed, error) {
	kind := p.served(d.kind)
	live, err := p.Cluster.Get(ctx, kind, d.object.Namespace, d.object.Name)
	if err == nil {
		return p.claim(ctx, d, inVersion(live, kind, d.kind))
	}
	switch kube.ReasonOf(err) {
	case kube.NotFound, kube.NamespaceMissing:
		return d.predictCreate(why)
	}
	return hclspec.Observed{}, err
}

// claim goes on with an object that bears this stack's label, as one does whose
// making was recorded too late; any other is refused.
func (p *planner) claim(ctx context.Context, d *decision, live *unstructured.Unstructured) (hclspec.Observed, error) {
	if d.recorded && d.entry.UID == string(live.GetUID()) {
		d.reason = NoReason // it is there, only its label was removed
		return p.update(ctx, d, live)
	}
	if entry, ok := recordedAs(p, live); ok && !d.recorded { // two groups serve it
		d.entry, d.recorded, d.rules.record = entry, true, &record{d: d, state: p.state}
		return p.update(ctx, d, live)
	}
	if p.adopts(d.addr) || !d.recorded && MadeBy(live, p.state.StackID()) {
		return p.adopt(ctx, d, live)
	}
	return refuseUnmanaged(d.desired, live, "")
}

// recordedAs is the entry of the state that a live object has under another name: an
// object that two API groups serve is one object, as its uid tells.
func recordedAs(p *planner, live *unstructured.Unstructured) (state.Object, bool) {
	i := slices.IndexFunc(p.state.Objects, func(o state.Object) bool { return o.UID == string(live.GetUID()) })
	if i < 0 {
		return state.Object{}, false
	}
	return p.state.Objects[i], true
}

// computedCreate plans a creation from the server's own answer.
func (d *decision) computedCreate(answer *unstructured.Unstructured) hclspec.Observed {
	d.action, d.certainty, d.answered = Create, Computed, true
	d.after, d.unknown = withoutAllocated(d.kind, answer.Object, d.fields)
	d.sensitive = d.sensitivePaths(d.after)
	if d.why = subjectOf(d).whyUncertain(); d.why != "" {
		d.certainty = Predicted
		return hclspec.Observed{} // what admission adds may be something else
	}
	return hclspec.Observed{Object: WithoutOwn(d.after), Unknown: d.unknown}
}

// predictCreate plans a creation that the server could not be asked about.
func (d *decision) predictCreate(why string) (hclspec.Observed, error) {
	predicted, err := kube.Predict(d.kind, nil, d.fields)
	if err != nil {
		return hclspec.Observed{}, err
	}
	d.action, d.certainty, d.why = Create, Predicted, why
	d.after, d.unknown = withoutAllocated(d.kind, predicted, d.fields)
	d.unknown.AddAll(d.desired.Unknown)
	d.sensitive = d.sensitivePaths(d.after)
	// What the server adds by itself is not known, so references see no more
	// than the desired fields.
	return hclspec.Observed{}, nil
}

// offlineWhy is the reason of every prediction that is made offline.
const offlineWhy = "offline"

// predictOffline plans an object without asking the cluster: the state knows
// whether it exists, and by a digest whether its desired fields are those that were
// last applied.
func (d *decision) predictOffline(s *state.State) (hclspec.Observed, error) {
	predicted, err := kube.Predict(d.kind, nil, d.fields)
	if err != nil {
		return hclspec.Observed{}, err
	}
	d.certainty, d.why = Predicted, offlineWhy
	d.after, d.unknown = withoutAllocated(d.kind, predicted, d.fields)
	d.unknown.AddAll(d.desired.Unknown)
	d.sensitive = d.sensitivePaths(d.after)
	switch {
	case d.recorded && d.entry.Digest == s.Digest(d.fields):
		d.action, d.before = NoOp, d.after
	case d.recorded:
		d.action = Update
	default:
		d.action = Create
	}
	return hclspec.Observed{}, nil
}
