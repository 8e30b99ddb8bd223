package plan

import (
	"fmt"
	"testing"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/state"
)

// tenantObjects are the objects of one of many tenants.
func tenantObjects(tenant string) []map[string]any {
	labels := map[string]any{"app.kubernetes.io/name": "app", "app.kubernetes.io/part-of": tenant}
	metadata := map[string]any{"name": "app", "namespace": tenant, "labels": labels}
	container := map[string]any{"name": "app", "image": "registry.example/app:1",
		"env":   []any{map[string]any{"name": "TENANT", "value": tenant}},
		"ports": []any{map[string]any{"name": "http", "containerPort": int64(8080)}}}
	spec := map[string]any{"containers": []any{container}}
	return []map[string]any{
		{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": tenant, "labels": labels}},
		{"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec},
		{"apiVersion": "v1", "kind": "ReplicationController", "metadata": metadata, "spec": map[string]any{"replicas": int64(2),
			"selector": labels, "template": map[string]any{"metadata": map[string]any{"labels": labels}, "spec": spec}}},
		{"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": map[string]any{"selector": labels,
			"ports": []any{map[string]any{"name": "http", "port": int64(80), "targetPort": "http"}}}},
	}
}

// The record of the applied fields of 1,000 objects makes the state grow by little:
// each object names a set, and those made from one block name the same.
func TestRecordIsSmall(t *testing.T) {
	s := state.New()
	for n := range 250 {
		tenant := fmt.Sprintf("tenant-%03d", n)
		for _, object := range tenantObjects(tenant) {
			kind, err := kinds.Builtin().Lookup(object["kind"].(string), "v1")
			if err != nil {
				t.Fatal(err)
			}
			addr := addrs.Resource{Type: kind.Name, Name: "app"}.Instance(addrs.StringKey(tenant))
			d := &hclspec.Desired{Addr: addr, Kind: kind, Fields: object}
			c := &Change{Kind: kind, Desired: d, DesiredFields: DesiredFields(d, s.StackID())}
			metadata := object["metadata"].(map[string]any)
			namespace, _ := metadata["namespace"].(string)
			s.Objects = append(s.Objects, state.Object{
				Addr: addr, Object: kind.Object(namespace, metadata["name"].(string)), UID: "0b1f4a52-6f0e-4d57-8a6c-6a1a2b7f9c11",
				Digest: s.Digest(c.DesiredFields), Applied: c.AppliedFields(s),
				Dependencies: []addrs.Instance{addrs.Resource{Type: "Namespace", Name: "app"}.Instance(addrs.StringKey(tenant))},
			})
		}
	}
	sizeOf := func(s *state.State) int {
		data, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		return len(data)
	}
	with := sizeOf(s)
	for i := range s.Objects {
		s.Objects[i].Applied = nil
	}
	without := sizeOf(s)
	t.Logf("%d objects: %d bytes without the record, %d with it", len(s.Objects), without, with)
	if with > without*120/100 {
		t.Errorf("the record makes %d bytes of %d", with, without)
	}
}
