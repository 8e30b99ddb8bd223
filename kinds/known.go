package kinds

import (
	"slices"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds/internal/manifest"
)

// The kinds that kplan treats specially, beyond what their fields describe.
var (
	Namespace                = addrs.GroupKind{Kind: "Namespace"}
	Pod                      = addrs.GroupKind{Kind: "Pod"}
	ConfigMap                = addrs.GroupKind{Kind: "ConfigMap"}
	Secret                   = addrs.GroupKind{Kind: "Secret"}
	Service                  = addrs.GroupKind{Kind: "Service"}
	ReplicationController    = addrs.GroupKind{Kind: "ReplicationController"}
	ServiceAccount           = addrs.GroupKind{Kind: "ServiceAccount"}
	LimitRange               = addrs.GroupKind{Kind: "LimitRange"}
	ResourceQuota            = addrs.GroupKind{Kind: "ResourceQuota"}
	PersistentVolume         = addrs.GroupKind{Kind: "PersistentVolume"}
	PersistentVolumeClaim    = addrs.GroupKind{Kind: "PersistentVolumeClaim"}
	StatefulSet              = addrs.GroupKind{Group: "apps", Kind: "StatefulSet"}
	CustomResourceDefinition = addrs.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}
	RuntimeClass             = addrs.GroupKind{Group: "node.k8s.io", Kind: "RuntimeClass"}

	ValidatingWebhookConfiguration = addrs.GroupKind{Group: "admissionregistration.k8s.io", Kind: "ValidatingWebhookConfiguration"}
	MutatingWebhookConfiguration   = addrs.GroupKind{Group: "admissionregistration.k8s.io", Kind: "MutatingWebhookConfiguration"}
)

// IsTransient reports whether objects of the kind come and go with others, so that
// nobody misses them.
func IsTransient(kind string) bool {
	return kind == "Event" || kind == "Endpoints" || kind == "EndpointSlice"
}

// IsInEveryNamespace reports whether the cluster itself makes such an object in every
// namespace.
func IsInEveryNamespace(o addrs.Object) bool {
	return o.Group == "" && (o.Kind == "ConfigMap" && o.Name == "kube-root-ca.crt" || o.Kind == "ServiceAccount" && o.Name == "default")
}

// IsKeptByCluster reports whether the cluster itself keeps an object, so that a deletion is
// refused, or undone at once or by the next start of an API server. What only the object
// tells is known where there is a live one.
func IsKeptByCluster(o addrs.Object, live map[string]any) bool {
	if slices.Contains(clusterKeeps[o.GroupKind().String()], o.QualifiedName()) || IsInEveryNamespace(o) {
		return true
	}
	metadata := manifest.Object(live, "metadata")
	labels, annotations := manifest.Object(metadata, "labels"), manifest.Object(metadata, "annotations")
	switch o.Group {
	case "rbac.authorization.k8s.io":
		return manifest.Text(labels, "kubernetes.io/bootstrapping") == "rbac-defaults"
	case "apiregistration.k8s.io":
		return manifest.Text(labels, "kube-aggregator.kubernetes.io/automanaged") != ""
	case "flowcontrol.apiserver.k8s.io":
		return manifest.Text(annotations, "apf.kubernetes.io/autoupdate-spec") != ""
	}
	return false
}

// clusterKeeps are objects that the cluster itself keeps, by their qualified names.
var clusterKeeps = map[string][]string{ // kind.group
	"Namespace":                      {"default", "kube-system", "kube-public", "kube-node-lease"},
	"Service":                        {"default/kubernetes"},
	"Endpoints":                      {"default/kubernetes"},
	"EndpointSlice.discovery.k8s.io": {"default/kubernetes"},
	"ConfigMap": {"kube-system/extension-apiserver-authentication",
		"kube-system/kube-apiserver-legacy-service-account-token-tracking"},
	"ServiceCIDR.networking.k8s.io":                           {"kubernetes"},
	"PriorityClass.scheduling.k8s.io":                         {"system-cluster-critical", "system-node-critical"},
	"FlowSchema.flowcontrol.apiserver.k8s.io":                 {"exempt", "catch-all"},
	"PriorityLevelConfiguration.flowcontrol.apiserver.k8s.io": {"exempt", "catch-all"},
}

// DefinedBy is the kind that a CustomResourceDefinition defines.
func DefinedBy(definition map[string]any) addrs.GroupKind {
	spec, _ := definition["spec"].(map[string]any)
	group, _ := spec["group"].(string)
	names, _ := spec["names"].(map[string]any)
	kind, _ := names["kind"].(string)
	return addrs.GroupKind{Group: group, Kind: kind}
}

// ServerMetadata names the fields of metadata that only the API server writes.
var ServerMetadata = []string{
	"uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
	"managedFields", "selfLink",
}
