package relations

import (
	"testing"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
)

func TestHolds(t *testing.T) {
	claim := addrs.Object{Kind: "PersistentVolumeClaim", Namespace: "acme", Name: "c"}
	devices := addrs.Object{Group: "resource.k8s.io", Kind: "ResourceClaim", Namespace: "acme", Name: "c"}
	_, attached := object(t, `{apiVersion: v1, kind: PersistentVolume, metadata: {
		finalizers: [kubernetes.io/pv-protection, external-attacher/disk-example]}}`)
	class := addrs.Object{Group: "storage.k8s.io", Kind: "VolumeAttributesClass", Name: "c"}
	for _, test := range []struct {
		name, object string
		held         addrs.Object
		uses, holds  bool
	}{
		{"pod with a node", `{apiVersion: v1, kind: Pod, metadata: {namespace: acme},
			spec: {nodeName: node-1, volumes: [{name: v, persistentVolumeClaim: {claimName: c}}]}}`, claim, true, true},
		{"pod without a node", `{apiVersion: v1, kind: Pod, metadata: {namespace: acme},
			spec: {volumes: [{name: v, persistentVolumeClaim: {claimName: c}}]}}`, claim, true, false},
		{"pod elsewhere", `{apiVersion: v1, kind: Pod, metadata: {namespace: other},
			spec: {nodeName: node-1, volumes: [{name: v, persistentVolumeClaim: {claimName: c}}]}}`, claim, false, false},
		{"pod with devices", `{apiVersion: v1, kind: Pod, metadata: {namespace: acme},
			spec: {nodeName: node-1, resourceClaims: [{name: v, resourceClaimName: c}]}}`, devices, true, true},
		{"claim of a class", `{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {namespace: acme},
			spec: {volumeAttributesClassName: c}}`, class, true, true},
		{"volume of a class", `{apiVersion: v1, kind: PersistentVolume, spec: {volumeAttributesClassName: c}}`, class, true, true},
		{"claim of a volume", `{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {namespace: acme}, spec: {volumeName: c}}`,
			addrs.Object{Kind: "PersistentVolume", Name: "c"}, true, true},
		{"attachment of a volume", `{apiVersion: storage.k8s.io/v1, kind: VolumeAttachment,
			spec: {source: {persistentVolumeName: c}}}`,
			addrs.Object{Kind: "PersistentVolume", Name: "c"}, true, true},
		{"attachment of another volume", `{apiVersion: storage.k8s.io/v1, kind: VolumeAttachment,
			spec: {source: {persistentVolumeName: d}}}`,
			addrs.Object{Kind: "PersistentVolume", Name: "c"}, false, false},
		{"pod with a secret", `{apiVersion: v1, kind: Pod, metadata: {namespace: acme},
			spec: {nodeName: node-1, volumes: [{name: v, secret: {secretName: c}}]}}`,
			addrs.Object{Kind: "Secret", Namespace: "acme", Name: "c"}, false, false},
		{"claim of a storage class", `{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {namespace: acme},
			spec: {storageClassName: c}}`,
			addrs.Object{Group: "storage.k8s.io", Kind: "StorageClass", Name: "c"}, false, false},
		{"pod of a priority", `{apiVersion: v1, kind: Pod, metadata: {namespace: acme},
			spec: {nodeName: node-1, priorityClassName: c}}`,
			addrs.Object{Group: "scheduling.k8s.io", Kind: "PriorityClass", Name: "c"}, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			kind, fields := object(t, test.object)
			if got := Uses(kind, fields, test.held); got != test.uses {
				t.Errorf("uses: %v", got)
			}
			if got := Holds(kind, fields, test.held, attached); got != test.holds {
				t.Errorf("holds: %v", got)
			}
		})
	}
}

// An attachment keeps a volume once the driver's attacher has put its finalizer on that.
func TestHoldsUnmarked(t *testing.T) {
	kind, fields := object(t, `{apiVersion: storage.k8s.io/v1, kind: VolumeAttachment, spec: {source: {persistentVolumeName: c}}}`)
	if Holds(kind, fields, addrs.Object{Kind: "PersistentVolume", Name: "c"}, map[string]any{}) {
		t.Error("an attachment keeps a volume that has no finalizer")
	}
}

func TestClaimTemplate(t *testing.T) {
	_, set := object(t, `{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: web},
		spec: {volumeClaimTemplates: [{metadata: {name: data}}]}}`)
	for name, want := range map[string]bool{
		"data-web-0": true, "data-web-12": true, "data-web-": false, "data-web-x": false, "data-web2-0": false, "log-web-0": false,
		"data-web": false,
	} {
		if got := ClaimTemplate(set, name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A StatefulSet drops claims only if its policy says so, and only those of pods that go.
func TestClaimsDropped(t *testing.T) {
	set := func(spec string) map[string]any {
		_, set := object(t, `{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: web}, spec: {volumeClaimTemplates: [{metadata: {name: data}}],
			`+spec+`}}`)
		return set
	}
	const deletes, keeps = `persistentVolumeClaimRetentionPolicy: {whenScaled: Delete}`, `persistentVolumeClaimRetentionPolicy: {whenDeleted: Delete}`
	for _, test := range []struct {
		name, before, after string
		drops, stays        []string
	}{
		{"fewer", `replicas: 3`, `replicas: 1, ` + deletes, []string{"data-web-1", "data-web-2"}, []string{"data-web-0", "data-web-3", "log-web-1"}},
		{"none", `replicas: 2000000000`, `replicas: 0, ` + deletes, []string{"data-web-0", "data-web-1999999999"}, nil},
		{"to the default", `replicas: 2`, deletes, []string{"data-web-1"}, []string{"data-web-0"}},
		{"another start", `replicas: 2`, `replicas: 2, ordinals: {start: 1}, ` + deletes, []string{"data-web-0"}, []string{"data-web-1"}},
		{"more", `replicas: 1`, `replicas: 3, ` + deletes, nil, nil},
		{"kept", `replicas: 3`, `replicas: 1, ` + keeps, nil, nil},
		{"kept by default", `replicas: 3`, `replicas: 1`, nil, nil},
	} {
		drops := ClaimsDropped(set(test.before), set(test.after))
		if (drops == nil) != (test.drops == nil) {
			t.Errorf("%s: drops any is %v", test.name, drops != nil)
			continue
		}
		for _, claim := range test.drops {
			if !drops(claim) {
				t.Errorf("%s: %s stays", test.name, claim)
			}
		}
		for _, claim := range test.stays {
			if drops(claim) {
				t.Errorf("%s: %s goes", test.name, claim)
			}
		}
	}
}

// TestHoldersAcyclic: what holds another is deleted first, which has an end.
func TestHoldersAcyclic(t *testing.T) {
	var visit func(kind addrs.GroupKind, way []addrs.GroupKind)
	visit = func(kind addrs.GroupKind, way []addrs.GroupKind) {
		if len(way) > len(holders) {
			t.Fatalf("a cycle: %v", way)
		}
		for _, by := range HoldersOf(kind) {
			visit(by, append(way, by))
		}
	}
	for kind := range holders {
		visit(kind, nil)
	}
	if len(HoldersOf(kinds.Secret)) > 0 {
		t.Error("nothing holds a Secret")
	}
}
