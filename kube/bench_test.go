package kube

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/kinds"
)

// podPage is a page of a list of pods as the API server sends it, each owned by
// kplan and by the kubelet.
func podPage(b testing.TB, pods int) []byte {
	const pod = `{"metadata":{"name":"single","namespace":"t%05d","uid":"4a4b2d3e-%012d","resourceVersion":"%d","generation":1,
 "creationTimestamp":"2026-01-01T00:00:00Z","labels":{"kplan.dev/stack":"s","name":"single","tenant":"t%05[1]d"},
 "annotations":{"kplan.dev/address":"Pod.t%05[1]d"},
 "managedFields":[
  {"manager":"kplan","operation":"Apply","apiVersion":"v1","time":"2026-01-01T00:00:00Z","fieldsType":"FieldsV1","fieldsV1":
   {"f:metadata":{"f:annotations":{"f:kplan.dev/address":{}},"f:labels":{"f:kplan.dev/stack":{},"f:name":{},"f:tenant":{}}},
    "f:spec":{"f:containers":{"k:{\"name\":\"app\"}":{".":{},"f:image":{},"f:name":{},
     "f:ports":{"k:{\"containerPort\":9080,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{}}},
     "f:resources":{"f:requests":{"f:cpu":{},"f:memory":{}}}}}}}},
  {"manager":"kubelet","operation":"Update","apiVersion":"v1","time":"2026-01-01T00:00:01Z","fieldsType":"FieldsV1","subresource":"status","fieldsV1":
   {"f:status":{"f:conditions":{"k:{\"type\":\"Ready\"}":{".":{},"f:status":{},"f:type":{}},"k:{\"type\":\"Initialized\"}":{".":{},"f:status":{},"f:type":{}}},
    "f:containerStatuses":{},"f:phase":{},"f:podIP":{},"f:startTime":{}}}}]},
 "spec":{"containers":[{"name":"app","image":"registry.example/app:1","ports":[{"containerPort":9080,"protocol":"TCP"}],
   "resources":{"requests":{"cpu":"1m","memory":"1Mi"}},"terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File","imagePullPolicy":"IfNotPresent"}],
  "restartPolicy":"Always","terminationGracePeriodSeconds":30,"dnsPolicy":"ClusterFirst","serviceAccountName":"default","nodeName":"node-1",
  "securityContext":{},"schedulerName":"default-scheduler","enableServiceLinks":true,"preemptionPolicy":"PreemptLowerPriority"},
 "status":{"phase":"Running","podIP":"10.0.0.1","startTime":"2026-01-01T00:00:00Z",
  "conditions":[{"type":"Ready","status":"True"},{"type":"Initialized","status":"True"}],
  "containerStatuses":[{"name":"app","ready":true,"restartCount":0,"image":"registry.example/app:1","started":true}]}}`
	var text bytes.Buffer
	text.WriteString(`{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[`)
	for i := range pods {
		if i > 0 {
			text.WriteByte(',')
		}
		fmt.Fprintf(&text, pod, i, i, i)
	}
	text.WriteString(`]}`)
	var compact bytes.Buffer
	if err := json.Compact(&compact, text.Bytes()); err != nil {
		b.Fatal(err)
	}
	return compact.Bytes()
}

// BenchmarkDecodeList is a page of a list, from its text to objects that share
// what they have in common.
func BenchmarkDecodeList(b *testing.B) {
	text, kind := podPage(b, pageSize), builtinKind(b, "Pod")
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		page := &listPage{}
		if err := utiljson.Unmarshal(text, page); err != nil {
			b.Fatal(err)
		}
		if len(page.objects(kind, ownership.NewInterner())) != pageSize {
			b.Fatal("objects are missing")
		}
	}
}

// TestClientGoDecodesListsTwice: the decoder of client-go's dynamic client reads each
// item of a list twice, for which it takes twice the memory (docs/decisions/0023).
func TestClientGoDecodesListsTwice(t *testing.T) {
	text := podPage(t, pageSize)
	times := func(decode func() error) float64 {
		return testing.AllocsPerRun(1, func() {
			if err := decode(); err != nil {
				t.Fatal(err)
			}
		})
	}
	theirs := times(func() error { return new(unstructured.UnstructuredList).UnmarshalJSON(text) })
	ours := times(func() error { return utiljson.Unmarshal(text, &listPage{}) })
	if theirs < ours*1.5 {
		t.Errorf("client-go allocates %.0f times for a page, kplan %.0f times", theirs, ours)
	}
}

// BenchmarkShare is what sharing adds to that.
func BenchmarkShare(b *testing.B) {
	page := &listPage{}
	if err := utiljson.Unmarshal(podPage(b, pageSize), page); err != nil {
		b.Fatal(err)
	}
	objects := page.objects(builtinKind(b, "Pod"), ownership.NewInterner())
	b.ReportAllocs()
	for b.Loop() {
		s := ownership.NewInterner()
		for _, obj := range objects {
			s.Intern(obj.Object)
		}
	}
}

// BenchmarkPredict is the prediction of an object that is to be made, and of one
// that is to be changed.
func BenchmarkPredict(b *testing.B) {
	page := &listPage{}
	if err := utiljson.Unmarshal(podPage(b, 1), page); err != nil {
		b.Fatal(err)
	}
	kind := builtinKind(b, "Pod")
	live := page.objects(kind, ownership.NewInterner())[0]
	desired := map[string]any{
		"metadata": map[string]any{"name": "single", "namespace": "t00000", "labels": map[string]any{"name": "single"}},
		"spec": map[string]any{"containers": []any{map[string]any{
			"name": "app", "image": "registry.example/app:2", "ports": []any{map[string]any{"containerPort": int64(9080)}},
		}}},
	}
	for _, of := range []struct {
		name string
		live *unstructured.Unstructured
	}{{"create", nil}, {"update", live}} {
		b.Run(of.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Predict(kind, of.live, desired); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func builtinKind(b testing.TB, name string) *kinds.Kind {
	kind, err := kinds.Builtin().Lookup(name, "")
	if err != nil {
		b.Fatal(err)
	}
	return kind
}
