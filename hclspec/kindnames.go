package hclspec

import (
	"strings"

	"kplan.dev/kplan/addrs"
)

// commonKinds are the kinds that a misspelled first label most likely means.
// It only serves to guess: which kinds there are, the cluster knows.
var commonKinds = []string{
	"Namespace", "Pod", "ReplicationController", "Service", "ConfigMap", "Secret", "ServiceAccount",
	"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Ingress", "IngressClass",
	"NetworkPolicy", "PersistentVolume", "PersistentVolumeClaim", "StorageClass", "ResourceQuota",
	"LimitRange", "PodDisruptionBudget", "HorizontalPodAutoscaler", "Role", "RoleBinding", "ClusterRole",
	"ClusterRoleBinding", "CustomResourceDefinition", "PriorityClass", "PodTemplate", "Endpoints",
	"EndpointSlice", "APIService", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration",
	"RuntimeClass", "Lease", "CSIDriver", "Node",
}

var shortKinds = map[string]string{
	"ns": "Namespace", "po": "Pod", "rc": "ReplicationController", "svc": "Service", "cm": "ConfigMap",
	"sa": "ServiceAccount", "deploy": "Deployment", "sts": "StatefulSet", "ds": "DaemonSet", "rs": "ReplicaSet",
	"cj": "CronJob", "ing": "Ingress", "netpol": "NetworkPolicy", "pv": "PersistentVolume",
	"pvc": "PersistentVolumeClaim", "sc": "StorageClass", "quota": "ResourceQuota", "limits": "LimitRange",
	"pdb": "PodDisruptionBudget", "hpa": "HorizontalPodAutoscaler", "crd": "CustomResourceDefinition",
	"pc": "PriorityClass", "ep": "Endpoints", "no": "Node",
}

// guessKind is the kind that a label which can't be one most likely means:
// pod, pods, deploy, config-map, kubernetes_config_map_v1. It is "" for none.
func guessKind(label string) string {
	if kind, ok := shortKinds[label]; ok {
		return kind
	}
	word := strings.TrimPrefix(label, "kubernetes_")
	for _, version := range []string{"_v1", "_v2", "_v1beta1", "_v2beta2"} {
		word = strings.TrimSuffix(word, version)
	}
	word = strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(word))
	lower := make([]string, len(commonKinds))
	for i, kind := range commonKinds {
		lower[i] = strings.ToLower(kind)
		switch word {
		case lower[i], lower[i] + "s", lower[i] + "es", strings.TrimSuffix(lower[i], "y") + "ies":
			return kind
		}
	}
	if near := addrs.Nearest(word, lower); near != "" {
		for i, name := range lower {
			if name == near {
				return commonKinds[i]
			}
		}
	}
	return ""
}
