package relations

import (
	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
)

// rule is a field that holds the name of another object.
type rule struct {
	// at is the field path, in which [] stands for each element of a list.
	at string
	to addrs.GroupKind
	// optional means that the object works without the other, whose name has a meaning of
	// its own.
	optional bool
	// untyped means that at is an object with the name and, instead of to, the kind.
	untyped bool
}

const (
	rbacGroup      = "rbac.authorization.k8s.io"
	admissionGroup = "admissionregistration.k8s.io"
	storageGroup   = "storage.k8s.io"
	networkGroup   = "networking.k8s.io"
)

// The kinds that others refer to.
var (
	storageClass   = addrs.GroupKind{Group: storageGroup, Kind: "StorageClass"}
	volumeClass    = addrs.GroupKind{Group: storageGroup, Kind: "VolumeAttributesClass"}
	priorityClass  = addrs.GroupKind{Group: "scheduling.k8s.io", Kind: "PriorityClass"}
	ingressClass   = addrs.GroupKind{Group: networkGroup, Kind: "IngressClass"}
	ingress        = addrs.GroupKind{Group: networkGroup, Kind: "Ingress"}
	clusterRole    = addrs.GroupKind{Group: rbacGroup, Kind: "ClusterRole"}
	priorityLevel  = addrs.GroupKind{Group: "flowcontrol.apiserver.k8s.io", Kind: "PriorityLevelConfiguration"}
	resourceClaim  = addrs.GroupKind{Group: "resource.k8s.io", Kind: "ResourceClaim"}
	claimTemplate  = addrs.GroupKind{Group: "resource.k8s.io", Kind: "ResourceClaimTemplate"}
	attachment     = addrs.GroupKind{Group: storageGroup, Kind: "VolumeAttachment"}
	deviceClass    = addrs.GroupKind{Group: "resource.k8s.io", Kind: "DeviceClass"}
	policy         = addrs.GroupKind{Group: admissionGroup, Kind: "ValidatingAdmissionPolicy"}
	mutatingPolicy = addrs.GroupKind{Group: admissionGroup, Kind: "MutatingAdmissionPolicy"}
)

// clusterWide are those of them that have no namespace.
var clusterWide = map[addrs.GroupKind]bool{
	kinds.PersistentVolume: true, storageClass: true, volumeClass: true, priorityClass: true, kinds.RuntimeClass: true, ingressClass: true,
	clusterRole: true, priorityLevel: true, deviceClass: true, policy: true, mutatingPolicy: true,
	kinds.Namespace: true, {Kind: "Node"}: true,
	kinds.CustomResourceDefinition: true,
}

// everyKind holds for objects of all kinds.
var everyKind = []rule{
	{at: "metadata.ownerReferences[]", untyped: true},
}

// podSpec is what pods and templates of pods refer to.
func podSpec() []rule {
	rules := []rule{
		{at: "serviceAccountName", to: kinds.ServiceAccount},
		{at: "serviceAccount", to: kinds.ServiceAccount}, // its old name
		{at: "priorityClassName", to: priorityClass},
		{at: "runtimeClassName", to: kinds.RuntimeClass},
		{at: "imagePullSecrets[].name", to: kinds.Secret},
		{at: "volumes[].configMap.name", to: kinds.ConfigMap},
		{at: "volumes[].secret.secretName", to: kinds.Secret},
		{at: "volumes[].projected.sources[].configMap.name", to: kinds.ConfigMap},
		{at: "volumes[].projected.sources[].secret.name", to: kinds.Secret},
		{at: "volumes[].persistentVolumeClaim.claimName", to: kinds.PersistentVolumeClaim},
		{at: "volumes[].ephemeral.volumeClaimTemplate.spec.storageClassName", to: storageClass},
		{at: "volumes[].csi.nodePublishSecretRef.name", to: kinds.Secret},
		{at: "volumes[].azureFile.secretName", to: kinds.Secret},
		{at: "resourceClaims[].resourceClaimName", to: resourceClaim},
		{at: "resourceClaims[].resourceClaimTemplateName", to: claimTemplate},
	}
	for _, driver := range []string{"cephfs", "cinder", "flexVolume", "iscsi", "rbd", "scaleIO", "storageos"} {
		rules = append(rules, rule{at: "volumes[]." + driver + ".secretRef.name", to: kinds.Secret})
	}
	for _, list := range []string{"initContainers[].", "containers[].", "ephemeralContainers[]."} {
		rules = append(rules,
			rule{at: list + "envFrom[].configMapRef.name", to: kinds.ConfigMap},
			rule{at: list + "envFrom[].secretRef.name", to: kinds.Secret},
			rule{at: list + "env[].valueFrom.configMapKeyRef.name", to: kinds.ConfigMap},
			rule{at: list + "env[].valueFrom.secretKeyRef.name", to: kinds.Secret},
		)
	}
	return rules
}

// byKind is what objects of single kinds refer to, besides their pods.
var byKind = map[addrs.GroupKind][]rule{
	{Kind: "ServiceAccount"}: {
		{at: "imagePullSecrets[].name", to: kinds.Secret},
		{at: "secrets[].name", to: kinds.Secret, optional: true},
	},
	{Kind: "Secret"}: {{at: "metadata.annotations.kubernetes\x00io/service-account\x00name", to: kinds.ServiceAccount}},
	{Kind: "PersistentVolumeClaim"}: {
		{at: "spec.storageClassName", to: storageClass},
		{at: "spec.volumeAttributesClassName", to: volumeClass},
		{at: "spec.volumeName", to: kinds.PersistentVolume},
		{at: "spec.dataSource", untyped: true},
		{at: "spec.dataSourceRef", untyped: true},
	},
	{Kind: "PersistentVolume"}: {
		{at: "spec.storageClassName", to: storageClass, optional: true},
		{at: "spec.volumeAttributesClassName", to: volumeClass},
		{at: "spec.claimRef.name", to: kinds.PersistentVolumeClaim, optional: true},
		{at: "spec.csi.controllerPublishSecretRef.name", to: kinds.Secret},
		{at: "spec.csi.controllerExpandSecretRef.name", to: kinds.Secret},
		{at: "spec.csi.nodeStageSecretRef.name", to: kinds.Secret},
		{at: "spec.csi.nodePublishSecretRef.name", to: kinds.Secret},
		{at: "spec.csi.nodeExpandSecretRef.name", to: kinds.Secret},
	},
	{Group: storageGroup, Kind: "VolumeAttachment"}: {{at: "spec.source.persistentVolumeName", to: kinds.PersistentVolume}},
	{Group: "apps", Kind: "StatefulSet"}: {
		{at: "spec.serviceName", to: kinds.Service},
		{at: "spec.volumeClaimTemplates[].spec.storageClassName", to: storageClass},
	},
	{Group: networkGroup, Kind: "Ingress"}: {
		{at: "spec.ingressClassName", to: ingressClass},
		{at: "spec.defaultBackend.service.name", to: kinds.Service},
		{at: "spec.defaultBackend.resource", untyped: true},
		{at: "spec.rules[].http.paths[].backend.service.name", to: kinds.Service},
		{at: "spec.rules[].http.paths[].backend.resource", untyped: true},
		{at: "spec.tls[].secretName", to: kinds.Secret},
	},
	{Group: networkGroup, Kind: "IngressClass"}:             {{at: "spec.parameters", untyped: true}},
	{Group: "autoscaling", Kind: "HorizontalPodAutoscaler"}: {{at: "spec.scaleTargetRef", untyped: true}},
	{Group: rbacGroup, Kind: "RoleBinding"}:                 {{at: "roleRef", untyped: true}, {at: "subjects[]", untyped: true}},
	{Group: rbacGroup, Kind: "ClusterRoleBinding"}:          {{at: "roleRef", untyped: true}, {at: "subjects[]", untyped: true}},
	{Group: "resource.k8s.io", Kind: "ResourceClaim"}:       {{at: "spec.devices.requests[].exactly.deviceClassName", to: deviceClass}},
	{Group: "resource.k8s.io", Kind: "ResourceClaimTemplate"}: {
		{at: "spec.spec.devices.requests[].exactly.deviceClassName", to: deviceClass},
	},
	{Group: "flowcontrol.apiserver.k8s.io", Kind: "FlowSchema"}: {{at: "spec.priorityLevelConfiguration.name", to: priorityLevel}},
	{Group: "apiregistration.k8s.io", Kind: "APIService"}:       {{at: "spec.service.name", to: kinds.Service}},
	{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}: {
		{at: "spec.conversion.webhook.clientConfig.service.name", to: kinds.Service},
	},
	{Group: admissionGroup, Kind: "ValidatingWebhookConfiguration"}:   {{at: "webhooks[].clientConfig.service.name", to: kinds.Service}},
	{Group: admissionGroup, Kind: "MutatingWebhookConfiguration"}:     {{at: "webhooks[].clientConfig.service.name", to: kinds.Service}},
	{Group: admissionGroup, Kind: "ValidatingAdmissionPolicyBinding"}: {{at: "spec.policyName", to: policy}},
	{Group: admissionGroup, Kind: "MutatingAdmissionPolicyBinding"}:   {{at: "spec.policyName", to: mutatingPolicy}},
}
