package plan_test

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// webhooks is a server of admission webhooks, and the authority of its certificate as
// their configurations have it. It serves /lower, /stamp and /deny.
type webhooks struct{ url, authority string }

func serveWebhooks(t *testing.T) webhooks {
	var stamp atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("/lower", review(func(o *unstructured.Unstructured, answer *admissionv1.AdmissionResponse) {
		if up, ok, _ := unstructured.NestedString(o.Object, "data", "up"); ok && o.GetKind() == "ConfigMap" {
			patch(answer, "/data/up", strings.ToLower(up))
		}
	}))
	mux.HandleFunc("/stamp", review(func(o *unstructured.Unstructured, answer *admissionv1.AdmissionResponse) {
		annotations := o.GetAnnotations()
		if annotations == nil {
			annotations = map[string]string{}
		}
		annotations["example.com/stamp"] = strconv.FormatInt(stamp.Add(1), 10)
		patch(answer, "/metadata/annotations", annotations)
	}))
	mux.HandleFunc("/deny", review(func(o *unstructured.Unstructured, answer *admissionv1.AdmissionResponse) {
		if answer.Allowed = o.GetLabels()["color"] != "blue"; !answer.Allowed {
			answer.Result.Message = "no blue things"
		}
	}))
	server := httptest.NewTLSServer(mux)
	t.Cleanup(server.Close)
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	return webhooks{server.URL, base64.StdEncoding.EncodeToString(certificate)}
}

// review answers an admission review.
func review(judge func(*unstructured.Unstructured, *admissionv1.AdmissionResponse)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var asked admissionv1.AdmissionReview
		object := &unstructured.Unstructured{}
		if json.NewDecoder(r.Body).Decode(&asked) != nil || json.Unmarshal(asked.Request.Object.Raw, &object.Object) != nil {
			http.Error(w, "no review", http.StatusBadRequest)
			return
		}
		answer := admissionv1.AdmissionReview{TypeMeta: asked.TypeMeta}
		answer.Response = &admissionv1.AdmissionResponse{UID: asked.Request.UID, Allowed: true, Result: &metav1.Status{}}
		judge(object, answer.Response)
		json.NewEncoder(w).Encode(answer)
	}
}

func patch(answer *admissionv1.AdmissionResponse, pointer string, value any) {
	kind := admissionv1.PatchTypeJSONPatch
	answer.PatchType = &kind
	answer.Patch, _ = json.Marshal([]any{map[string]any{"op": "add", "path": pointer, "value": value}})
}
