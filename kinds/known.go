package kinds

import "kplan.dev/kplan/addrs"

// The kinds that kplan treats in ways of their own, beyond what their fields say.
var (
	Namespace                = addrs.GroupKind{Kind: "Namespace"}
	Pod                      = addrs.GroupKind{Kind: "Pod"}
	ConfigMap                = addrs.GroupKind{Kind: "ConfigMap"}
	Secret                   = addrs.GroupKind{Kind: "Secret"}
	Service                  = addrs.GroupKind{Kind: "Service"}
	ReplicationController    = addrs.GroupKind{Kind: "ReplicationController"}
	PersistentVolume         = addrs.GroupKind{Kind: "PersistentVolume"}
	PersistentVolumeClaim    = addrs.GroupKind{Kind: "PersistentVolumeClaim"}
	CustomResourceDefinition = addrs.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}
)
