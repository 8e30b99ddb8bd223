package kinds

import "kplan.dev/kplan/addrs"

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
