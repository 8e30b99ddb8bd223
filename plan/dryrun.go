package plan

import (
	"context"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/internal/redact"
	"kplan.dev/kplan/kube"
)

// dryRunTries is how often an object is looked at when it changes between the look
// and the dry-run: its controller may write several times a second.
const dryRunTries = 8

// backOff waits for whoever writes to an object, twice as much after each try: all
// tries together take more than a second.
func backOff(ctx context.Context, try int) {
	select {
	case <-time.After(10 * time.Millisecond << (try - 1)):
	case <-ctx.Done():
	}
}

// verdict is what the answer to the dry-run of an update comes to.
type verdict struct {
	outcome outcome
	paths   []addrs.Path // of immutable and staleDefaulted
	err     error        // of refused
}

type outcome byte

const (
	answered       outcome = iota // the answer is what the object would become
	stale                         // the object has changed since it was looked at
	immutable                     // fields change that can't be changed in place
	staleDefaulted                // defaults of an earlier configuration don't fit this one
	conflicting                   // another manager owns fields
	forbidden                     // this user may not ask
	noDryRun                      // an admission webhook does not support dry-run
	refused                       // there is no answer, or the object is not acceptable
)

// dryRunUpdate asks the server what it would make of the desired fields.
func (p *planner) dryRunUpdate(ctx context.Context, d *decision, live *unstructured.Unstructured) (hclspec.Observed, error) {
	for try := 1; ; {
		transferred, err := d.withTransferredFields(live)
		if err != nil {
			return hclspec.Observed{}, err
		}
		answer, err := d.ask(ctx, p.Cluster, live, transferred)
		switch v := d.verdictOf(live, transferred, err); v.outcome {
		case answered:
			return p.computedUpdate(ctx, d, live, answer)
		case stale:
			if try == dryRunTries {
				return hclspec.Observed{}, v.err
			}
			backOff(ctx, try)
			try++
			if live, err = p.Cluster.Get(ctx, d.kind, d.object.Namespace, d.object.Name); err == nil {
				err = p.found(d, live)
			}
			if err != nil {
				return hclspec.Observed{}, err
			}
		case staleDefaulted:
			d.transfer = append(d.transfer, v.paths...) // and ask again
		case immutable:
			updates, seen, err := replaceIfDifferent(ctx, p, d, v.paths)
			if updates {
				err = p.found(d, live)
			}
			if err != nil || !updates {
				return seen, err
			}
		case conflicting:
			d.blocked = true
			seen, err := p.predictUpdate(ctx, d, live, "another manager owns fields of it")
			if err != nil {
				return seen, err
			}
			return seen, conflict(d, live, conflictsOf(v.err))
		case forbidden:
			return p.predictUpdateAndConflicts(ctx, d, transferred, "this user may not dry-run: "+forbiddenVerb("patch", d.object, d.kind))
		case noDryRun:
			return p.predictUpdateAndConflicts(ctx, d, transferred, "an admission webhook does not support dry-run")
		case refused:
			if resets(ctx, p, d, v.err) {
				continue
			}
			if why := whyPredicted(ctx, p, d, v.err); why != "" {
				return p.predictUpdateAndConflicts(ctx, d, transferred, why)
			}
			return hclspec.Observed{}, v.err
		}
	}
}

// verdictOf decides what the answer to a dry-run comes to. A server names what does not
// fit together before it comes to what can't be changed, so a refusal of values may
// hide immutable fields.
func (d *decision) verdictOf(live, transferred *unstructured.Unstructured, err error) verdict {
	if err == nil {
		return verdict{outcome: answered}
	}
	if version := kube.UnservedVersion(err); version != "" && !slices.Contains(d.dead, version) {
		d.dead = append(d.dead, version)
		return verdict{outcome: staleDefaulted} // and ask again
	}
	err = discreet(err, redact.New(secretsOf(d.desired, d.before, d.sensitive)...))
	switch kube.ReasonOf(err) {
	case kube.ResourceVersionChanged:
		return verdict{outcome: stale, err: err}
	case kube.Immutable:
		return verdict{outcome: immutable, paths: d.immutablePaths(transferred, err)}
	case kube.FieldConflict:
		return verdict{outcome: conflicting, err: err}
	case kube.Forbidden:
		return verdict{outcome: forbidden}
	case kube.DryRunUnsupported:
		return verdict{outcome: noDryRun}
	case kube.Invalid:
		predicted, predictErr := kube.Predict(d.kind, live, d.fields)
		if predictErr != nil {
			break
		}
		d.after = predicted
		if paths := d.immutableChanges(); len(paths) > 0 {
			return verdict{outcome: immutable, paths: paths}
		}
		if paths := staleFields(d, live, err); len(paths) > 0 {
			return verdict{outcome: staleDefaulted, paths: paths}
		}
		err = explained(d, live, err)
	}
	return verdict{outcome: refused, err: err}
}

// ask returns what the server would make of the desired fields once kplan owns the
// fields that it has to own first, stale defaults among them.
func (d *decision) ask(
	ctx context.Context, cluster *kube.Cluster, live, transferred *unstructured.Unstructured,
) (*unstructured.Unstructured, error) {
	answer, err := d.dryRunApply(ctx, cluster, live, transferred)
	if err != nil || d.adopts || d.isLive(answer, nil) {
		return answer, err
	}
	before := d.transfer
	transferred, err = d.transferStale(live)
	if err != nil || len(d.transfer) == len(before) {
		return answer, err
	}
	renewed, err := cluster.DryRunAfterTransfer(ctx, d.kind, transferred, d.fields)
	switch kube.ReasonOf(err) {
	case kube.Invalid, kube.Immutable, kube.Denied: // better what was accepted
		d.transfer = before
		return answer, nil
	}
	if err == nil && d.looksSame(answer.Object, renewed.Object) {
		d.transfer = before
		return answer, nil
	}
	return renewed, err
}

// dryRunApply dry-runs an apply. Where each field of a conflict may become kplan's,
// it forces them.
func (d *decision) dryRunApply(
	ctx context.Context, cluster *kube.Cluster, live, transferred *unstructured.Unstructured,
) (*unstructured.Unstructured, error) {
	if transferred != live {
		if err := conflictsBeforeTransfer(ctx, d, cluster); err != nil {
			return nil, err
		}
		return cluster.DryRunAfterTransfer(ctx, d.kind, transferred, d.fields)
	}
	options := kube.ApplyOptions{UID: d.uid, ResourceVersion: d.resourceVersion}
	fields := withResets(d.fields, d.resets)
	answer, err := cluster.DryRunApply(ctx, d.kind, fields, options)
	if kube.ReasonOf(err) == kube.FieldConflict && mayForce(d, err) {
		take(d, conflictsOf(err))
		options.Force = true
		return cluster.DryRunApply(ctx, d.kind, fields, options)
	}
	return answer, err
}

// conflictsBeforeTransfer is the error of an apply that would take fields from other
// managers that may not be taken: what is dry-run after a transfer takes them all.
// An adoption has looked for them by itself.
func conflictsBeforeTransfer(ctx context.Context, d *decision, cluster *kube.Cluster) error {
	if d.adopts {
		return nil
	}
	_, err := cluster.DryRunApply(ctx, d.kind, d.fields, kube.ApplyOptions{UID: d.uid, ResourceVersion: d.resourceVersion})
	if kube.ReasonOf(err) != kube.FieldConflict {
		return nil
	}
	if !mayForce(d, err) {
		return err
	}
	take(d, conflictsOf(err))
	return nil
}
