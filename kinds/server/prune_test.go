package server_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apimachinery/pkg/runtime"

	"kplan.dev/kplan/kinds/kindstest"
	"kplan.dev/kplan/kinds/server"
)

// TestPruned compares with what the API server prunes.
func TestPruned(t *testing.T) {
	crd := decode(t, kindstest.Widget+`
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              known: {type: string}
              list: {type: array, items: {type: object, properties: {a: {type: integer}}}}
              map: {type: object, additionalProperties: {type: object, properties: {a: {type: integer}}}}
              open: {type: object, x-kubernetes-preserve-unknown-fields: true, properties: {a: {type: integer}, o: {type: object, properties: {a: {type: integer}}}}}
              any: {x-kubernetes-preserve-unknown-fields: true}
              template: {type: object, x-kubernetes-embedded-resource: true, properties: {spec: {type: object, properties: {a: {type: integer}}}}}
`)
	object := decode(t, `
apiVersion: example.com/v1
kind: Widget
metadata: {name: w, managedFields: [{manager: kplan, fieldsV1: {"f:spec": {"f:gone": {}}}}]}
extra: x
spec:
  known: k
  gone: {a: 1}
  list: [{a: 1, b: 2}, {b: 2}]
  map: {x: {a: 1, b: 2}}
  open: {a: 1, b: {c: d}, o: {a: 1, b: 2}}
  any: [1, {a: [b]}]
  template: {apiVersion: v1, kind: Pod, metadata: {name: x}, spec: {a: 1, b: 2}, extra: x}
`)
	want := runtime.DeepCopyJSON(object)
	pruning.Prune(want, kindstest.Structural(t, crd, "v1"), true)
	want["metadata"] = object["metadata"]
	if diff := cmp.Diff(want, server.Pruned(fromCRD(t, crd)[0], object)); diff != "" {
		t.Errorf("-server +kplan:\n%s", diff)
	}
}
