package apply

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/plan"
)

// Reassignment is an object that is managed by one stack and is to be managed by another.
type Reassignment struct {
	From, To string // the IDs of the stacks
	Object   addrs.Object
	UID      string
	Addr     addrs.Instance // its address in the other stack
}

// ErrNotReassignable is the error of an object that is not there to be reassigned: it is gone, or another stack's.
var ErrNotReassignable = errors.New("it can't be moved")

// Find returns the live object. It may have the marks of the other stack already.
func (r Reassignment) Find(ctx context.Context, cluster *kube.Cluster) (*kinds.Kind, *unstructured.Unstructured, error) {
	kind, err := cluster.Lookup(r.Object.Kind, r.Object.APIVersion())
	if err != nil {
		return nil, nil, err
	}
	no := func(format string, args ...any) (*kinds.Kind, *unstructured.Unstructured, error) {
		return nil, nil, fmt.Errorf("%s "+format+" %w", append(append([]any{r.Object}, args...), ErrNotReassignable)...)
	}
	live, err := cluster.Get(ctx, kind, r.Object.Namespace, r.Object.Name)
	switch {
	case kube.ReasonOf(err) == kube.NotFound:
		return no("is not in the cluster:")
	case err != nil:
		return nil, nil, err
	case string(live.GetUID()) != r.UID:
		return no("was deleted and recreated by someone else:")
	case live.GetDeletionTimestamp() != nil:
		return no("is being deleted:")
	}
	if stack := plan.ManagingStack(live, r.From); stack != "" && stack != r.To {
		return no("is managed by the stack %s by now:", stack)
	}
	return kind, live, nil
}

// Reassign gives the object the marks of the other stack, and then their ownership to kplan's applies, by which it is known
// whose an object is. Both can be repeated; in between, both stacks take the object for theirs.
func (r Reassignment) Reassign(ctx context.Context, cluster *kube.Cluster) error {
	for attempt := 1; ; attempt++ {
		kind, live, err := r.Find(ctx, cluster)
		if err != nil {
			return err
		}
		live, err = cluster.Mark(ctx, kind, live, r.To, r.Addr.String())
		if err == nil {
			err = r.own(ctx, cluster, kind, live)
		}
		if kube.ReasonOf(err) != kube.ResourceVersionChanged || attempt == releaseAttempts {
			return err
		}
	}
}

// own has kplan's applies own the marks, where they do not yet.
func (r Reassignment) own(ctx context.Context, cluster *kube.Cluster, kind *kinds.Kind, live *unstructured.Unstructured) error {
	owned, err := ownership.Transfer{APIVersion: kind.APIVersion(), Fields: ownership.NewSet(plan.OwnMarks...)}.Of(live)
	if err != nil || ownership.SameOwners(live.Object, owned.Object) {
		return err
	}
	_, err = cluster.TransferFields(ctx, kind, owned)
	return err
}
