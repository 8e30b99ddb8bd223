package kinds_test

import (
	"errors"
	"testing"

	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/kindstest"
)

func TestLookup(t *testing.T) {
	for _, tc := range []struct {
		kind, apiVersion string
		want, plural     string
		namespaced       bool
	}{
		{"Pod", "", "v1", "pods", true},
		{"ReplicationController", "", "v1", "replicationcontrollers", true},
		{"Deployment", "", "apps/v1", "deployments", true},
		{"HorizontalPodAutoscaler", "", "autoscaling/v2", "horizontalpodautoscalers", true},
		{"HorizontalPodAutoscaler", "autoscaling/v1", "autoscaling/v1", "horizontalpodautoscalers", true},
		{"MutatingAdmissionPolicy", "", "admissionregistration.k8s.io/v1", "mutatingadmissionpolicies", false},
		{"PodGroup", "", "scheduling.k8s.io/v1beta1", "podgroups", true},
		{"ResourceClaim", "", "resource.k8s.io/v1", "resourceclaims", true},
		{"Event", "v1", "v1", "events", true},
		{"Endpoints", "", "v1", "endpoints", true},
		{"Namespace", "", "v1", "namespaces", false},
		{"CustomResourceDefinition", "", "apiextensions.k8s.io/v1", "customresourcedefinitions", false},
		{"APIService", "", "apiregistration.k8s.io/v1", "apiservices", false},
	} {
		k, err := kinds.Builtin().Lookup(tc.kind, tc.apiVersion)
		if err != nil {
			t.Errorf("%s %s: %v", tc.kind, tc.apiVersion, err)
			continue
		}
		if k.APIVersion() != tc.want || k.Plural != tc.plural || k.Namespaced != tc.namespaced {
			t.Errorf("%s %s: got %s %s namespaced=%t", tc.kind, tc.apiVersion, k.APIVersion(), k.Plural, k.Namespaced)
		}
	}
}

func TestLookupErrors(t *testing.T) {
	for _, tc := range []struct{ kind, apiVersion, nearest, message string }{
		{"pod", "", "Pod", "kind pod is not known; did you mean Pod?"},
		{"pods", "", "Pod", "kind pods is not known; did you mean Pod?"},
		{"Pods", "", "Pod", "kind Pods is not known; did you mean Pod?"},
		{"rc", "", "ReplicationController", "kind rc is not known; did you mean ReplicationController?"},
		{"svc", "", "Service", "kind svc is not known; did you mean Service?"},
		{"deploy", "", "Deployment", "kind deploy is not known; did you mean Deployment?"},
		{"ReplicationControler", "", "ReplicationController", "kind ReplicationControler is not known; did you mean ReplicationController?"},
		{"Configmap", "", "ConfigMap", "kind Configmap is not known; did you mean ConfigMap?"},
		{"networkpolicies", "", "NetworkPolicy", "kind networkpolicies is not known; did you mean NetworkPolicy?"},
		{"PodTemplateSpec", "", "PodTemplate", "kind PodTemplateSpec is not known; did you mean PodTemplate?"},
		{"Certificate", "", "", "kind Certificate is not known"},
		{"Deployment", "extensions/v1beta1", "", "kind Deployment is not known in API version extensions/v1beta1; it is in apps/v1"},
		{"HorizontalPodAutoscaler", "v1", "",
			"kind HorizontalPodAutoscaler is not known in API version v1; it is in autoscaling/v2 or autoscaling/v1"},
	} {
		_, err := kinds.Builtin().Lookup(tc.kind, tc.apiVersion)
		var unknown *kinds.UnknownError
		if !errors.As(err, &unknown) {
			t.Errorf("%s %s: got %v, want an UnknownError", tc.kind, tc.apiVersion, err)
			continue
		}
		if unknown.Nearest != tc.nearest || err.Error() != tc.message {
			t.Errorf("%s %s: got nearest %q, %q", tc.kind, tc.apiVersion, unknown.Nearest, err)
		}
	}
}

func TestLookupAmbiguous(t *testing.T) {
	_, err := kinds.Builtin().Lookup("Event", "")
	var ambiguous *kinds.AmbiguousError
	if !errors.As(err, &ambiguous) {
		t.Fatalf("got %v, want an AmbiguousError", err)
	}
	want := "kind Event is served by several API groups; apiVersion must be v1 or events.k8s.io/v1"
	if err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

// What can be sent to the API but not kept there is no kind to kplan.
func TestPseudoKindsAreLeftOut(t *testing.T) {
	for _, kind := range []string{
		"Binding", "ComponentStatus", "TokenRequest", "TokenReview", "SelfSubjectReview", "SubjectAccessReview",
		"LocalSubjectAccessReview", "SelfSubjectAccessReview", "SelfSubjectRulesReview", "ImageReview", "AdmissionReview",
		"Scale", "PodList", "List", "DeleteOptions", "PodTemplateSpec", "PodExecOptions", "Status", "RangeAllocation",
		"SerializedReference", "PodStatusResult", "DeploymentRollback", "APIGroup",
	} {
		if k, err := kinds.Builtin().Lookup(kind, ""); err == nil {
			t.Errorf("%s is known as %s", kind, k.APIVersion())
		}
	}
	if _, err := kinds.Builtin().Lookup("Eviction", "policy/v1"); err == nil {
		t.Error("policy/v1 Eviction is known")
	}
}

func TestAt(t *testing.T) {
	for _, tc := range []struct {
		kind, path string
		want       kinds.Type
		name       string
	}{
		{"Pod", "spec", kinds.Object, "spec"},
		{"Pod", "spec.containers", kinds.List, "containers"},
		{"Pod", "spec.containers[0]", kinds.Object, ""},
		{"Pod", `spec.containers[name="app"].image`, kinds.String, "image"},
		{"Pod", "spec.containers[0].resources.limits", kinds.Map, "limits"},
		{"Pod", "spec.containers[0].resources.limits.cpu", kinds.Quantity, ""},
		{"Pod", `metadata.annotations["a.b/c"]`, kinds.String, ""},
		{"Pod", "metadata.ownerReferences[0].uid", kinds.String, "uid"},
		{"Pod", "metadata.creationTimestamp", kinds.Time, "creationTimestamp"},
		{"Pod", "kind", kinds.String, "kind"},
		{"Service", "spec.ports[0].targetPort", kinds.IntOrString, "targetPort"},
		{"Secret", "data", kinds.Map, "data"},
		{"Secret", "data[tls.crt]", kinds.Bytes, ""},
		{"ControllerRevision", "data.spec.whatever[3].x", kinds.Any, ""},
		{"CustomResourceDefinition", "spec.versions[0].schema.openAPIV3Schema.properties.spec.properties.a.maximum", kinds.Number, "maximum"},
		{"CustomResourceDefinition", "spec.versions[0].schema.openAPIV3Schema.properties.spec.default", kinds.Any, "default"},
	} {
		f := lookup(t, tc.kind).At(path(t, tc.path))
		if f == nil {
			t.Errorf("%s %s: no such field", tc.kind, tc.path)
			continue
		}
		if f.Type != tc.want || f.Name != tc.name {
			t.Errorf("%s %s: got type %v name %q", tc.kind, tc.path, f.Type, f.Name)
		}
	}
	for _, tc := range [][2]string{
		{"Pod", "spec.replicas"}, {"Pod", "spec.containers.name"}, {"Pod", "spec[0]"}, {"Pod", "spec.nodeName.x"},
		{"Pod", "metadata.annotations[0]"},
	} {
		if f := lookup(t, tc[0]).At(path(t, tc[1])); f != nil {
			t.Errorf("%s %s: got %v, want none", tc[0], tc[1], f)
		}
	}
}

var (
	decode      = kindstest.Decode
	decodeValue = kindstest.DecodeValue
	lookup      = kindstest.Lookup
	path        = kindstest.Path
	fromCRD     = kindstest.FromCRD
	database    = kindstest.Database
)
