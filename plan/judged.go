package plan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/internal/redact"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/relations"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/state"
)

// The server judges an object by what exists when it is asked, and this plan may change
// what it judges by. So an answer holds only where it does not: a refusal that a change of
// this plan should cure is shown, and no error; what admission could make different once
// the plan is applied is a prediction.

// subject is an object that the server judges, and what this plan changes before it.
type subject struct {
	desired *hclspec.Desired
	kind    *kinds.Kind
	fields  map[string]any // of the object, as they are sent
	prior   []*Change      // of what the object comes after
}

// subject is the object of the change as the server judges it.
func (c *Change) subject() subject { return subject{c.Desired, c.Kind, c.DesiredFields, c.prior} }

// Judges are the changes of the plan to what the server judges or completes the object by.
// More may become of the object than the plan could show where there are any.
func (c *Change) Judges() []*Change { return c.subject().judges() }

// IsCured reports whether changes of the plan, made before this one, should cure the server's
// refusal of it.
func (c *Change) IsCured(refusal error) bool {
	return len(c.subject().curesOf(refusal)) > 0 || len(c.Yields) > 0 && refusesByGovernor(kube.ReasonOf(refusal))
}

// subjectOf is the object of a decision as the server judges it.
func subjectOf(d *decision) subject { return subject{d.desired, d.kind, d.fields, d.prior} }

// priorTo are the changes of this plan to what an object comes after.
func priorTo(d *decision, needs decisions) []*Change {
	var changes []*Change
	for _, addr := range d.needs {
		if c := needs[addr].change; c != nil && c.Action != NoOp && !c.Blocked {
			changes = append(changes, c)
		}
	}
	return changes
}

// judges are the prior changes to what the server judges or completes the object by: its
// answer may be another one afterwards.
func (s subject) judges() []*Change {
	return slices.DeleteFunc(slices.Clone(s.prior), func(c *Change) bool { return !s.isJudgedBy(c) })
}

func (s subject) isJudgedBy(c *Change) bool {
	switch c.Object.GroupKind() {
	case kinds.Namespace:
		return c.Action == Update && c.Object.Name == s.namespace() && c.relabels()
	case kinds.ServiceAccount, kinds.RuntimeClass:
		return s.kind.GroupKind() == kinds.Pod && s.refersTo(c.Object)
	}
	return s.isGoverned(c.Kind, c.Before) || s.isGoverned(c.Kind, c.DesiredFields)
}

// isGoverned reports whether the server judges the object by another of that kind with these
// fields.
func (s subject) isGoverned(kind *kinds.Kind, by map[string]any) bool {
	if by == nil {
		return false
	}
	g := relations.NewGovernor(kind, by, s.priorFields)
	return g != nil && g.Governs(s.kind, s.namespace(), s.fields)
}

// relabels reports whether an update changes the labels or annotations by which policies
// and webhooks pick namespaces, and Pod Security its level.
func (c *Change) relabels() bool {
	for path := range differences(c.Kind.Root, visible(c.Before), visible(c.After)) {
		if addrs.NewPath("metadata", "labels").Contains(path) || addrs.NewPath("metadata", "annotations").Contains(path) {
			return true
		}
	}
	return false
}

func (s subject) refersTo(o addrs.Object) bool {
	return slices.ContainsFunc(relations.References(s.kind, s.fields), func(ref relations.Reference) bool {
		return slices.Contains(ref.Names(), o.Identity())
	})
}

// priorFields are the fields of the object that a reference means, if the plan changes it.
func (s subject) priorFields(ref relations.Reference) map[string]any {
	for _, c := range s.prior {
		if slices.Contains(ref.Names(), c.Object.Identity()) {
			return c.DesiredFields
		}
	}
	return nil
}

func (s subject) namespace() string {
	if s.desired == nil {
		return ""
	}
	return s.desired.Object.Namespace
}

// whyUncertain returns why the server's answer may be another one once this plan is
// applied up to the object, "" where it holds.
func (s subject) whyUncertain() string {
	changes := s.judges()
	if len(changes) == 0 {
		return ""
	}
	var names []string
	for _, c := range changes {
		names = append(names, c.Addr.String())
	}
	return "the server judges it by " + words.And(names) + ", changed by this plan"
}

// curesOf are the prior changes that should cure a refusal.
func (s subject) curesOf(refusal error) []*Change {
	var e *kube.Error
	if !errors.As(refusal, &e) {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(s.prior), func(c *Change) bool { return !s.isCuredBy(c, e) })
}

// whyCured explains a refusal that changes of this plan should cure, "" for any other.
func whyCured(d *decision, refusal error) string {
	cures := subjectOf(d).curesOf(refusal)
	if len(cures) == 0 {
		return ""
	}
	masker := redact.New(secretsOf(d.desired, d.before, d.sensitive)...)
	var e *kube.Error
	errors.As(refusal, &e)
	return fmt.Sprintf("today the server refuses it: %s; %s should cure that",
		strings.TrimRight(masker.Hide(e.Message), ". "), describe(cures))
}

// whyPredicted explains a refusal that no longer holds once this plan is applied up to the
// object, "" for any other.
func whyPredicted(ctx context.Context, p *planner, d *decision, refusal error) string {
	if kube.ReasonOf(refusal) == kube.QuotaUncounted { // which cures itself
		return cmp.Or(whyCured(d, refusal), "a quota is not counted yet")
	}
	return cmp.Or(whyCured(d, refusal), whyFreed(ctx, p, d, refusal), whyWithdrawn(ctx, p, d, refusal))
}

// describe says what the plan does to objects: ServiceAccount.sa, created by this plan.
func describe(changes []*Change) string {
	var texts []string
	for _, c := range changes {
		texts = append(texts, fmt.Sprintf("%s, which would %s,", c.Addr, actionPhrases[c.Action]))
	}
	return words.And(texts)
}

// isCuredBy reports whether a change should cure a refusal: the refusal names it, or is of
// the sort that such a change cures, or the configuration says that the object depends
// on it.
func (s subject) isCuredBy(c *Change, refusal *kube.Error) bool {
	mentioned := mentions(refusal.Message, c.Object.Name)
	explicit := slices.Contains(s.desired.Awaits, c.Addr)
	switch refusal.Reason {
	case kube.NotFound, kube.Invalid:
		return mentioned && c.Object.Identity() != s.desired.Object.Identity() && strings.Contains(refusal.Message, "not found")
	case kube.Forbidden, kube.Escalation:
		return isRight(c.Object.GroupKind())
	case kube.QuotaExceeded, kube.QuotaUncounted:
		return c.Object.GroupKind() == kinds.ResourceQuota
	case kube.WebhookFailed:
		return explicit || mentioned || isWebhook(c.Object.GroupKind())
	case kube.Denied:
		return explicit || mentioned || s.isJudgedSilentlyBy(c, refusal.Message)
	}
	return false
}

// isJudgedSilentlyBy reports whether a denial may come of an object that it does not name.
func (s subject) isJudgedSilentlyBy(c *Change, denial string) bool {
	switch c.Object.GroupKind() {
	case kinds.LimitRange:
		return !strings.Contains(denial, "denied")
	case kinds.Namespace:
		return s.isJudgedBy(c)
	case kinds.ServiceAccount:
		return false
	}
	return isWebhook(c.Object.GroupKind()) && s.isJudgedBy(c) && mentionsAny(denial, webhookNames(c))
}

func isWebhook(kind addrs.GroupKind) bool {
	return kind == kinds.ValidatingWebhookConfiguration || kind == kinds.MutatingWebhookConfiguration
}

// isRight reports whether objects of the kind give rights.
func isRight(kind addrs.GroupKind) bool {
	return kind.Group == "rbac.authorization.k8s.io"
}

// webhookNames are the names that the server has for the webhooks of a configuration.
func webhookNames(c *Change) []string {
	var names []string
	for _, fields := range []map[string]any{c.Before, c.DesiredFields} {
		hooks, _ := fields["webhooks"].([]any)
		for _, hook := range hooks {
			fields, _ := hook.(map[string]any)
			if name, ok := fields["name"].(string); ok {
				names = append(names, name)
			}
		}
	}
	return names
}

func mentionsAny(text string, names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return mentions(text, name) })
}

// mentions reports whether a text has the name as a word of its own.
func mentions(text, name string) bool {
	return name != "" && regexp.MustCompile(`(^|[^-.a-z0-9])`+regexp.QuoteMeta(name)+`([^-.a-z0-9]|[.]?$|[.] )`).MatchString(text)
}

// Claims are the node ports and cluster IPs that a Service has or asks for: no other may
// have them.
func Claims(service map[string]any) []string {
	spec, _ := service["spec"].(map[string]any)
	var claims []string
	add := func(what string, value any) {
		if value != nil && value != "" && value != corev1.ClusterIPNone {
			claims = append(claims, fmt.Sprintf("%s %v", what, value))
		}
	}
	if spec["type"] != string(corev1.ServiceTypeExternalName) {
		add("address", spec["clusterIP"])
	}
	ports, _ := spec["ports"].([]any)
	for _, port := range ports {
		fields, _ := port.(map[string]any)
		add("port", fields["nodePort"])
	}
	add("port", spec["healthCheckNodePort"])
	return claims
}

// SharesClaims reports whether two Services can't exist beside each other.
func SharesClaims(a, b map[string]any) bool {
	of := Claims(b)
	return slices.ContainsFunc(Claims(a), func(claim string) bool { return slices.Contains(of, claim) })
}

// whyFreed explains a refusal of a Service whose ports or addresses others have that this
// plan takes from them, "" for any other.
func whyFreed(ctx context.Context, p *planner, d *decision, refusal error) string {
	var e *kube.Error
	if !errors.As(refusal, &e) || e.Reason != kube.Invalid || !strings.Contains(e.Message, "already allocated") {
		return ""
	}
	texts := findYields(ctx, p, d)
	if len(texts) == 0 {
		return ""
	}
	return fmt.Sprintf("today the server refuses it: %s; %s", strings.TrimRight(e.Message, ". "), strings.Join(texts, "; "))
}

// findYields records the Services that have ports or addresses which this one gets, if this
// plan takes them from all of those, and says so. A dry-run looks at ports only: that an
// address is taken the server finds out when it creates the Service.
func findYields(ctx context.Context, p *planner, d *decision) (texts []string) {
	if d.object.GroupKind() != kinds.Service || len(Claims(d.fields)) == 0 {
		return nil
	}
	services, err := p.live.of(d.kind)(ctx)
	if err != nil {
		return nil
	}
	var yields []addrs.Object
	for identity, live := range services {
		if identity == d.object.Identity() || !SharesClaims(live.Object, d.fields) {
			continue
		}
		action := givesUp(p, identity, live, d)
		if action == "" {
			return nil
		}
		yields = append(yields, identity)
		texts = append(texts, fmt.Sprintf("%s, which would %s, gives it up first", p.owned[identity].Addr, actionPhrases[action]))
	}
	slices.SortFunc(yields, addrs.Object.Compare)
	slices.Sort(texts)
	d.yields = yields
	return texts
}

// whyWithdrawn explains a refusal by a quota, a policy or the like that this plan deletes, or
// changes so that it no longer governs the object, "" for any other. It records what goes
// first.
func whyWithdrawn(ctx context.Context, p *planner, d *decision, refusal error) string {
	var e *kube.Error
	if !errors.As(refusal, &e) || !refusesByGovernor(e.Reason) {
		return ""
	}
	var texts []string
	for _, o := range p.state.Objects {
		c := withdrawal(ctx, p, o)
		if c != nil && !subjectOf(d).isGoverned(c.Kind, c.DesiredFields) && subjectOf(d).isRefusedBy(c, e.Message) {
			d.yields = append(d.yields, o.Object.Identity())
			texts = append(texts, fmt.Sprintf("%s, which would %s, goes first", o.Addr, actionPhrases[c.Action]))
		}
	}
	if len(texts) == 0 {
		return ""
	}
	masker := redact.New(secretsOf(d.desired, d.before, d.sensitive)...)
	return fmt.Sprintf("today the server refuses it: %s; %s", strings.TrimRight(masker.Hide(e.Message), ". "), strings.Join(texts, "; "))
}

// refusesByGovernor reports whether what the server refuses something by may be an object
// that neither refers to it nor is referred to.
func refusesByGovernor(reason kube.Reason) bool {
	return reason == kube.QuotaExceeded || reason == kube.Denied || reason == kube.WebhookFailed
}

// isRefusedBy reports whether a refusal comes of the object that c deletes or changes.
func (s subject) isRefusedBy(c *Change, message string) bool {
	return s.isJudgedBy(c) && (mentions(message, c.Object.Name) || mentionsAny(message, webhookNames(c)) || s.isJudgedSilentlyBy(c, message))
}

// withdrawal is what this plan does to an object by which the server judges others, nil for
// any other object, and where it is left to another time.
func withdrawal(ctx context.Context, p *planner, o state.Object) *Change {
	if !relations.IsGovernor(o.Object.GroupKind()) || !p.scope.has(o.Addr) {
		return nil
	}
	kind, err := p.Cluster.Lookup(o.Object.Kind, o.Object.APIVersion())
	if err != nil {
		return nil
	}
	live, err := p.live.of(kind)(ctx)
	if err != nil || live[o.Object.Identity()] == nil {
		return nil
	}
	c := &Change{Addr: o.Addr, Object: o.Object, Kind: kind, Action: Delete, Before: live[o.Object.Identity()].Object}
	switch desired := p.wanted()[o.Object.Identity()]; {
	case desired == nil && leavingReason(p, o) != "", desired != nil && len(desired.Unknown) > 0:
		return nil
	case desired != nil:
		c.Action, c.DesiredFields = Update, desired.Fields
		if isReplaced(p, desired, live[o.Object.Identity()]) {
			c.Action = Replace
		}
	}
	return c
}

// isReplaced reports whether this plan replaces an object that it has not come to yet, as
// far as its kind, its resource and the options show.
func isReplaced(p *planner, desired *hclspec.Desired, live *unstructured.Unstructured) bool {
	if anyMatches(p.Replace, desired.Addr) {
		return true
	}
	d := &decision{desired: desired, kind: desired.Kind, fields: DesiredFields(desired, p.state.StackID()), before: live.Object}
	predicted, err := kube.Predict(d.kind, live, d.fields)
	if err != nil {
		return false // and the object is refused
	}
	d.after = predicted
	return len(d.immutableChanges())+len(d.triggers()) > 0
}

// wantedIn are the objects of the configuration by identity.
func wantedIn(p *planner) map[addrs.Object]*hclspec.Desired {
	wanted := map[addrs.Object]*hclspec.Desired{}
	for _, d := range p.preview().Desired() {
		wanted[Named(d, p.state).Object.Identity()] = d
	}
	return wanted
}

// givesUp is what this plan does to a Service so that another gets what it has, "" if it
// keeps that.
func givesUp(p *planner, identity addrs.Object, live *unstructured.Unstructured, to *decision) Action {
	entry, owned := p.owned[identity]
	if !owned || !p.scope.has(entry.Addr) {
		return ""
	}
	desired := p.wanted()[identity]
	switch {
	case desired == nil && leavingReason(p, entry) != "":
		return ""
	case desired == nil:
		return Delete
	case len(desired.Unknown) > 0 || SharesClaims(desired.Fields, to.fields):
		return ""
	}
	switch {
	case isReplaced(p, desired, live):
		return Replace
	case keepsPorts(live.Object, desired.Fields), keepsAddress(live.Object, desired.Fields, to.fields):
		return ""
	}
	return Update
}

var clusterIP = addrs.NewPath("spec", "clusterIP")

// keepsAddress reports whether a Service keeps an address that another is to get, since the
// configuration does not speak of it.
func keepsAddress(live, desired, to map[string]any) bool {
	kind, _ := ValueAt(desired, addrs.NewPath("spec", "type"))
	has, _ := ValueAt(live, clusterIP)
	sets, configured := ValueAt(desired, clusterIP)
	gets, _ := ValueAt(to, clusterIP)
	return kind != string(corev1.ServiceTypeExternalName) && has == gets && has != nil && (!configured || sets == has)
}

// keepsPorts reports whether a Service keeps a port or an address that the configuration
// does not speak of.
func keepsPorts(live, desired map[string]any) bool {
	old, _ := live["spec"].(map[string]any)
	spec, _ := desired["spec"].(map[string]any)
	if old["type"] != spec["type"] {
		return false // another type has ports of its own, or none
	}
	ports, _ := spec["ports"].([]any)
	return slices.ContainsFunc(ports, func(port any) bool {
		fields, _ := port.(map[string]any)
		return fields["nodePort"] == nil
	})
}
