package relations

import (
	"slices"
	"strings"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/internal/manifest"
)

// Governor is an object by which the server judges or completes others that do not refer
// to it: a quota of their namespace, a default class, an admission policy.
type Governor struct {
	kind   addrs.GroupKind
	object map[string]any
	// Namespace is the only one in which it governs, "" for all.
	Namespace string
	// rules are what an admission policy or webhook is asked about, nil for all.
	rules []any
	all   bool
}

var (
	policyBinding   = addrs.GroupKind{Group: admissionGroup, Kind: "ValidatingAdmissionPolicyBinding"}
	mutatingBinding = addrs.GroupKind{Group: admissionGroup, Kind: "MutatingAdmissionPolicyBinding"}
)

// Mutates reports whether objects of the kind make the server change others before it
// stores them, in ways that their manifests do not show.
func Mutates(kind addrs.GroupKind) bool {
	switch kind {
	case kinds.MutatingWebhookConfiguration, mutatingPolicy, mutatingBinding:
		return true
	}
	return false
}

// IsGovernor reports whether objects of the kind may be governors.
func IsGovernor(kind addrs.GroupKind) bool {
	switch kind {
	case kinds.LimitRange, kinds.ResourceQuota, priorityClass, storageClass, ingressClass, policy, mutatingPolicy, policyBinding,
		mutatingBinding, kinds.ValidatingWebhookConfiguration, kinds.MutatingWebhookConfiguration:
		return true
	}
	return false
}

// NewGovernor returns what an object governs, nil where it governs nothing. Of a binding
// of an admission policy the policy says what that is: policyOf finds it by its reference
// and returns nil where it is not known, and then the binding may govern everything.
func NewGovernor(kind *kinds.Kind, object map[string]any, policyOf func(Reference) map[string]any) *Governor {
	g := &Governor{kind: kind.GroupKind(), object: object}
	switch g.kind {
	case kinds.LimitRange, kinds.ResourceQuota:
		g.Namespace = manifest.Text(manifest.Object(object, "metadata"), "namespace")
	case priorityClass:
		if !manifest.Flag(object, "globalDefault") {
			return nil
		}
	case storageClass:
		if !isDefault(object, "storageclass.kubernetes.io/is-default-class") {
			return nil
		}
	case ingressClass:
		if !isDefault(object, "ingressclass.kubernetes.io/is-default-class") {
			return nil
		}
	case policy, mutatingPolicy:
		g.rules = policyRules(object)
	case policyBinding, mutatingBinding:
		g.all = true
		for _, ref := range References(kind, object) {
			if bound := policyOf(ref); bound != nil {
				g.rules, g.all = policyRules(bound), false
			}
		}
	case kinds.ValidatingWebhookConfiguration, kinds.MutatingWebhookConfiguration:
		for _, hook := range manifest.List(object, "webhooks") {
			fields, _ := hook.(map[string]any)
			g.rules = append(g.rules, manifest.List(fields, "rules")...)
		}
	default:
		return nil
	}
	return g
}

func policyRules(policy map[string]any) []any {
	return manifest.List(manifest.Object(manifest.Object(policy, "spec"), "matchConstraints"), "resourceRules")
}

func isDefault(class map[string]any, annotation string) bool {
	annotations := manifest.Object(manifest.Object(class, "metadata"), "annotations")
	return manifest.Text(annotations, annotation) == "true"
}

// IsWebhook reports whether the governor is a configuration of webhooks.
func (g *Governor) IsWebhook() bool {
	return g.kind == kinds.ValidatingWebhookConfiguration || g.kind == kinds.MutatingWebhookConfiguration
}

// Governs reports whether the server judges an object of the kind by the governor.
func (g *Governor) Governs(kind *kinds.Kind, namespace string, object map[string]any) bool {
	if g.Namespace != "" && g.Namespace != namespace {
		return false
	}
	is := kind.GroupKind()
	switch g.kind {
	case kinds.LimitRange:
		return is == kinds.Pod || is == kinds.PersistentVolumeClaim
	case kinds.ResourceQuota:
		return g.counts(kind)
	case priorityClass:
		return is == kinds.Pod && manifest.Text(manifest.Object(object, "spec"), "priorityClassName") == ""
	case storageClass:
		_, named := manifest.Object(object, "spec")["storageClassName"]
		return is == kinds.PersistentVolumeClaim && !named
	case ingressClass:
		return is == ingress && manifest.Text(manifest.Object(object, "spec"), "ingressClassName") == ""
	}
	return !exempt[is] && (g.all || slices.ContainsFunc(g.rules, func(rule any) bool { return matches(rule, kind) }))
}

// GovernsPods reports whether the governor governs the pods, or the claims, that an object
// of the kind makes later.
func (g *Governor) GovernsPods(kind *kinds.Kind, namespace string, object map[string]any) bool {
	template, ok := kind.PodTemplate()
	if !ok || kind.GroupKind() == kinds.Pod {
		return false
	}
	value, _ := template.ValueIn(object)
	pod, _ := value.(map[string]any)
	return g.Governs(podKind, namespace, pod)
}

var podKind = &kinds.Kind{Version: "v1", Name: "Pod", Plural: "pods", Namespaced: true}

// exempt are the kinds that the server never asks a policy or webhook about.
var exempt = map[addrs.GroupKind]bool{
	policy: true, policyBinding: true, mutatingPolicy: true, mutatingBinding: true,
	kinds.ValidatingWebhookConfiguration: true, kinds.MutatingWebhookConfiguration: true,
}

// counts reports whether a quota counts objects of the kind.
func (g *Governor) counts(kind *kinds.Kind) bool {
	for name := range manifest.Object(manifest.Object(g.object, "spec"), "hard") {
		plural := kind.Plural
		if kind.Group != "" {
			plural += "." + kind.Group
		}
		counted, isCount := strings.CutPrefix(name, "count/")
		switch {
		case isCount && counted == plural, name == plural:
			return true
		case isCount:
		case kind.GroupKind() == kinds.Service && strings.HasPrefix(name, "services."):
			return true
		case kind.GroupKind() == kinds.PersistentVolumeClaim && isStorage(name):
			return true
		case kind.GroupKind() == kinds.Pod && isCompute(name):
			return true
		}
	}
	return false
}

// isStorage reports whether a quota's resource is one that claims ask for.
func isStorage(name string) bool {
	return name == "requests.storage" || strings.Contains(name, "storageclass.storage.k8s.io/")
}

// isCompute reports whether a quota's resource is one that containers ask for.
func isCompute(name string) bool {
	resource := strings.TrimPrefix(strings.TrimPrefix(name, "requests."), "limits.")
	switch resource {
	case "cpu", "memory", "ephemeral-storage":
		return true
	case "storage":
		return false
	}
	return resource != name && !strings.Contains(resource, "storageclass") || strings.HasPrefix(name, "hugepages-")
}

// matches reports whether a rule of a policy or a webhook is about objects of the kind.
func matches(rule any, kind *kinds.Kind) bool {
	fields, _ := rule.(map[string]any)
	has := func(list, name string) bool {
		names := manifest.Texts(fields, list)
		return slices.Contains(names, name) || slices.Contains(names, "*") || slices.Contains(names, "*/*")
	}
	switch scope := manifest.Text(fields, "scope"); {
	case scope == "Namespaced" && !kind.Namespaced, scope == "Cluster" && kind.Namespaced:
		return false
	}
	return has("apiGroups", kind.Group) && has("resources", kind.Plural)
}
