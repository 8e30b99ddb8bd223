package apply

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/relations"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/plan"
)

// mutates reports whether anything in the cluster, or in the plan, may make the server
// change objects before it stores them. It is asked for once, and only where the plan has
// predictions.
func mutates(ctx context.Context, cluster *kube.Cluster, p *plan.Plan) bool {
	for _, c := range p.Changes {
		if relations.Mutates(c.Object.GroupKind()) && c.Action != plan.Delete && c.Action != plan.Forget {
			return true
		}
	}
	for _, kind := range []string{"MutatingWebhookConfiguration", "MutatingAdmissionPolicyBinding"} {
		found, err := cluster.Lookup(kind, "")
		if err != nil {
			continue // this server has no such thing
		}
		if objects, err := cluster.ListMetadata(ctx, found, kube.ListOptions{}); err != nil || len(objects) > 0 {
			return true
		}
	}
	return false
}

// confirm asks the server again what it would make of a predicted change, right before it
// is written, and refuses to write what would not be what the plan shows. A refusal is
// reported when it is written.
func (w *writer) confirm(ctx context.Context, c *plan.Change) error {
	if c.Certainty != plan.Predicted || c.Action == plan.NoOp || !w.mutates(ctx) {
		return nil
	}
	answer, err := w.dryRun(ctx, c)
	if err != nil || answer == nil {
		return nil
	}
	var texts []string
	for _, d := range c.Deviations(answer.Object) {
		if d.Configured {
			texts = append(texts, fmt.Sprintf("%s is %s in the plan and would be %s", d.Path, valueText(c, d, d.Shown), valueText(c, d, d.Made)))
		}
	}
	if len(texts) == 0 {
		return nil
	}
	w.journal.recordNotAttempted(c.Object)
	return hcl.Diagnostics{{
		Severity: hcl.DiagError,
		Summary:  "Result would differ from the plan",
		Detail: fmt.Sprintf("%s (%s): admission in the cluster would make something else of it: %s. It was left unchanged. Plan again.",
			c.Addr, c.Object, strings.Join(texts, "; ")),
		Subject: c.Range.Ptr(),
	}}
}

// dryRun asks what the server would make of a change now, nil where it can't be asked.
func (w *writer) dryRun(ctx context.Context, c *plan.Change) (*unstructured.Unstructured, error) {
	switch c.Action {
	case plan.Create:
		return w.cluster.DryRunCreate(ctx, c.Kind, c.DesiredFields)
	case plan.Replace:
		answer, _, err := plan.DryRunReplacement(ctx, w.cluster, c)
		return answer, err
	}
	if c.TransfersOwnership() {
		return nil, nil
	}
	_, answer, err := w.dryRunAgain(ctx, c, c.Force)
	return answer, err
}

// deviations warns of what the server made other than the plan shows. What it makes of a
// predicted object beside the desired fields is worth a word where admission of the cluster
// or of the plan had a hand in it.
func (w *writer) deviations(ctx context.Context, c *plan.Change, live *unstructured.Unstructured) hcl.Diagnostics {
	if c.Action == plan.NoOp {
		return nil
	}
	all := c.Deviations(live.Object)
	if len(all) == 0 {
		return nil
	}
	additions := c.Certainty == plan.Computed || len(c.Judges()) > 0 || w.mutates(ctx)
	managers := ownership.Of(live.Object)
	var texts []string
	for _, d := range all {
		switch {
		case !d.Configured && isByOthers(c, managers, d):
		case d.Shown != nil && (d.Configured || additions):
			texts = append(texts, fmt.Sprintf("%s is %s, in the plan %s", d.Path, valueText(c, d, d.Made), valueText(c, d, d.Shown)))
		case d.Shown == nil && additions:
			texts = append(texts, fmt.Sprintf("%s is %s, and the plan has no such value", d.Path, valueText(c, d, d.Made)))
		}
	}
	if len(texts) == 0 {
		return nil
	}
	return hcl.Diagnostics{{
		Severity: hcl.DiagWarning,
		Summary:  "Result differs from the plan",
		Detail: fmt.Sprintf("%s (%s): the server made something else of it than the plan shows: %s.",
			c.Addr, c.Object, strings.Join(texts, "; ")),
		Subject: c.Range.Ptr(),
	}}
}

// isByOthers reports whether a value beside the desired fields may be what others have
// made of the object after the plan, rather than the server of the change.
func isByOthers(c *plan.Change, managers ownership.Record, d plan.Deviation) bool {
	if managers.OtherEntry(d.Path) != nil {
		return true
	}
	before, there := plan.ValueAt(c.Before, d.Path)
	return there && c.Action != plan.Replace && reflect.DeepEqual(before, d.Shown)
}

// longestDeviation is how much of a value a message repeats.
const longestDeviation = 80

func valueText(c *plan.Change, d plan.Deviation, value any) string {
	switch {
	case value == nil:
		return "absent"
	case d.Sensitive || c.Object.GroupKind() == kinds.Secret:
		return "another sensitive value"
	}
	text, err := json.Marshal(value)
	if err != nil || len(text) > longestDeviation {
		return "another value"
	}
	return plan.Masker(c).Hide(string(text))
}

// How long the server may take to hear of what this run has changed: its admission
// watches accounts, classes and policies like everybody else, and a controller counts
// what a quota has room for.
const (
	cureTimeout  = 10 * time.Second
	quotaTimeout = 30 * time.Second
)

// How long admission takes to hear of what it judges by: it watches the objects, and looks
// every second for new policies.
const (
	settleTime       = 300 * time.Millisecond
	policySettleTime = 1500 * time.Millisecond
)

// settle waits until the server may be expected to judge by what this run has changed.
func (w *writer) settle(ctx context.Context, c *plan.Change) {
	var until time.Time
	for _, judge := range c.Judges() {
		written, ok := w.written.Load(judge.Object.Identity())
		if !ok {
			continue
		}
		end := written.(time.Time).Add(settleTime)
		if judge.Object.Group == "admissionregistration.k8s.io" {
			end = written.(time.Time).Add(policySettleTime)
		}
		if end.After(until) {
			until = end
		}
	}
	if rest := time.Until(until); rest > 0 {
		w.shutdown.sleep(ctx, rest)
	}
}

// whileCured writes a change, again and again as long as it is refused for something that
// this run has changed already.
func (w *writer) whileCured(
	ctx context.Context, c *plan.Change, note func(string), write func() (*unstructured.Unstructured, error),
) (*unstructured.Unstructured, error) {
	start := time.Now()
	for {
		live, err := w.quotas.await(ctx, c, note, write)
		timeout := cureTimeout
		switch {
		case err == nil:
			return live, nil
		case kube.ReasonOf(err) == kube.QuotaUncounted:
			return nil, err
		case kube.ReasonOf(err) == kube.QuotaExceeded && (c.Action == plan.Replace || c.IsCured(err)):
			timeout = quotaTimeout
		case !c.IsCured(err):
			return nil, err
		}
		if time.Since(start) > timeout || !w.shutdown.sleep(ctx, timeout/100) {
			return nil, err
		}
	}
}
