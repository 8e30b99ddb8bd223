package records

import (
	"fmt"
	"strings"
	"testing"

	"kplan.dev/kplan/convert/live"
)

// Each type of the Kubernetes provider has a kind, or a reason why it has none.
func TestTerraformTypes(t *testing.T) {
	for line := range strings.Lines(`
kubernetes_api_service apiregistration.k8s.io/v1 APIService
kubernetes_cluster_role_binding_v1 rbac.authorization.k8s.io/v1 ClusterRoleBinding
kubernetes_config_map v1 ConfigMap
kubernetes_cron_job_v1 batch/v1 CronJob
kubernetes_csi_driver_v1 storage.k8s.io/v1 CSIDriver
kubernetes_daemon_set_v1 apps/v1 DaemonSet
kubernetes_daemonset apps/v1 DaemonSet
kubernetes_deployment_v1 apps/v1 Deployment
kubernetes_endpoint_slice_v1 discovery.k8s.io/v1 EndpointSlice
kubernetes_endpoints_v1 v1 Endpoints
kubernetes_horizontal_pod_autoscaler_v2 autoscaling/v2 HorizontalPodAutoscaler
kubernetes_horizontal_pod_autoscaler_v1 autoscaling/v1 HorizontalPodAutoscaler
kubernetes_ingress_class_v1 networking.k8s.io/v1 IngressClass
kubernetes_ingress_v1 networking.k8s.io/v1 Ingress
kubernetes_job_v1 batch/v1 Job
kubernetes_limit_range v1 LimitRange
kubernetes_mutating_webhook_configuration_v1 admissionregistration.k8s.io/v1 MutatingWebhookConfiguration
kubernetes_namespace v1 Namespace
kubernetes_network_policy networking.k8s.io/v1 NetworkPolicy
kubernetes_persistent_volume_claim_v1 v1 PersistentVolumeClaim
kubernetes_pod_disruption_budget_v1 policy/v1 PodDisruptionBudget
kubernetes_priority_class_v1 scheduling.k8s.io/v1 PriorityClass
kubernetes_replication_controller v1 ReplicationController
kubernetes_resource_quota_v1 v1 ResourceQuota
kubernetes_runtime_class_v1 node.k8s.io/v1 RuntimeClass
kubernetes_secret_v1 v1 Secret
kubernetes_service v1 Service
kubernetes_service_account_v1 v1 ServiceAccount
kubernetes_stateful_set apps/v1 StatefulSet
kubernetes_storage_class storage.k8s.io/v1 StorageClass
kubernetes_validating_webhook_configuration_v1 admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration
`) {
		var kind, apiVersion, name string
		if n, _ := fmt.Sscan(line, &kind, &apiVersion, &name); n != 3 {
			continue
		}
		got, why := terraformReference(kind, []byte(`{"metadata": [{"name": "web", "namespace": "acme"}]}`))
		if want := (live.Reference{APIVersion: apiVersion, Kind: name, Namespace: "acme", Name: "web"}); got != want || why != "" {
			t.Errorf("%s: got %v and %q, want %v", kind, got, why, want)
		}
	}
	for kind, want := range map[string]string{
		"kubernetes_labels":                     "it sets fields",
		"kubernetes_config_map_v1_data":         "it sets fields",
		"kubernetes_default_service_account_v1": "it sets fields",
		"kubernetes_node_taint":                 "it sets fields",
		"kubernetes_pod_security_policy":        "knows no such kind",
		"helm_release":                          "it is a release of Helm",
		"aws_instance":                          "no object of Kubernetes",
	} {
		if ref, why := terraformReference(kind, []byte(`{"metadata": [{"name": "web"}]}`)); !strings.Contains(why, want) || ref != (live.Reference{}) {
			t.Errorf("%s: got %v and %q, want %q", kind, ref, why, want)
		}
	}
}

// Attributes that are not as the provider writes them are left out, each with its address.
func TestTerraformAttributes(t *testing.T) {
	for _, kind := range []string{"kubernetes_secret", "kubernetes_manifest", "kubectl_manifest"} {
		for _, attributes := range []string{`{}`, `null`, `[]`, `"hunter2"`, `{"metadata": []}`, `{"metadata": [{"name": 3}]}`, `{"manifest": 1}`,
			`{"manifest": {"value": "hunter2"}}`, `{"object": {"value": {"kind": 1, "metadata": "x"}}}`, `{"kind": "Pod"}`} {
			record, err := Terraform(fmt.Appendf(nil, `{"version": 4, "resources": [{"module": "module.a[\"b\"]", "mode": "managed",
				"type": %q, "name": "x", "instances": [{"index_key": "k", "attributes": %s}]}]}`, kind, attributes))
			if err != nil || len(record.References) > 0 {
				t.Errorf("%s %s: got %v, %v", kind, attributes, record, err)
				continue
			}
			want := live.Left{What: `module.a["b"].` + kind + `.x["k"]`, Why: withoutName}
			if len(record.Left) != 1 || record.Left[0] != want {
				t.Errorf("%s %s: got %v, want %v", kind, attributes, record.Left, want)
			}
		}
	}
}

// What is no state says so, and a value in it is not quoted.
func TestTerraformInvalid(t *testing.T) {
	for text, want := range map[string]string{
		``:                                       "no JSON",
		`hunter2`:                                "no JSON",
		`[]`:                                     "no JSON",
		`{}`:                                     "not in the format",
		`{"version": 3}`:                         "format of version 3",
		`{"format_version":"1.2"}`:               "it has no values",
		`{"version": 4, "resources": "hunter2"}`: "no JSON",
	} {
		_, err := Terraform([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}
