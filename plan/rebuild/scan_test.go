package rebuild

import (
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/kinds"
)

const stackID = "s"

var configMaps = &kinds.Kind{Version: "v1", Name: "ConfigMap", Plural: "configmaps", Namespaced: true}

// live is an object that kplan has applied in a version, "" for one that it has not.
func live(name, uid, address, appliedIn string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{}}
	u.SetNamespace("n")
	u.SetName(name)
	u.SetUID(types.UID(uid))
	u.SetLabels(map[string]string{addrs.StackLabel: stackID})
	u.SetAnnotations(map[string]string{addrs.AddressAnnotation: address})
	u.SetManagedFields([]metav1.ManagedFieldsEntry{{Manager: "kubectl", Operation: metav1.ManagedFieldsOperationUpdate, APIVersion: "v1"}})
	if appliedIn != "" {
		u.SetManagedFields([]metav1.ManagedFieldsEntry{{Manager: ownership.Manager, Operation: metav1.ManagedFieldsOperationApply,
			APIVersion: appliedIn, FieldsType: "FieldsV1", FieldsV1: &metav1.FieldsV1{Raw: []byte(`{"f:data":{}}`)}}})
	}
	return u
}

func address(t *testing.T, text string) addrs.Instance {
	t.Helper()
	addr, err := addrs.ParseInstance(text)
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

// TestScanTakes: an object counts that kplan has applied, not one to which somebody
// has copied the label, and its address only if an object of this kind can have it.
func TestScanTakes(t *testing.T) {
	l := &scanner{seen: map[string]int{}}
	l.addFound(configMaps, []*unstructured.Unstructured{
		live("a", "1", `ConfigMap.a["x"]`, "v1"),
		live("copied", "2", "ConfigMap.copied", ""),
		live("other-kind", "3", "Secret.b", "v1"),
		live("garbage", "4", "no address", "v1"),
	})
	want := []Scanned{
		{Stack: stackID, UID: "1", Object: configMaps.Object("n", "a"), Addr: address(t, `ConfigMap.a["x"]`)},
		{Stack: stackID, UID: "3", Object: configMaps.Object("n", "other-kind")},
		{Stack: stackID, UID: "4", Object: configMaps.Object("n", "garbage")},
	}
	if !slices.Equal(l.found.Objects, want) {
		t.Errorf("found %v, want %v", l.found.Objects, want)
	}
}

// TestScanOfTwoGroups: an object that two groups serve is found twice and counts once,
// in the group and the version that kplan has applied.
func TestScanOfTwoGroups(t *testing.T) {
	core := &kinds.Kind{Version: "v1", Name: "Event", Plural: "events", Namespaced: true}
	named := &kinds.Kind{Group: "events.k8s.io", Version: "v1", Name: "Event", Plural: "events", Namespaced: true}
	for _, order := range [][]*kinds.Kind{{core, named}, {named, core}} {
		l := &scanner{seen: map[string]int{}}
		for _, kind := range order {
			l.addFound(kind, []*unstructured.Unstructured{live("e", "1", "Event.e", "events.k8s.io/v1beta1")})
		}
		want := named.Object("n", "e")
		want.Version = "v1beta1"
		if len(l.found.Objects) != 1 || l.found.Objects[0].Object != want {
			t.Errorf("found %v, want %v", l.found.Objects, want)
		}
	}
}

// TestScanOf: the objects of one stack come in the order in which they were made, those
// of one second by namespace and name.
func TestScanOf(t *testing.T) {
	at := func(second int64, stack, namespace, name string) Scanned {
		return Scanned{Stack: stack, Object: configMaps.Object(namespace, name), Made: time.Unix(second, 0)}
	}
	scan := &Scan{Objects: []Scanned{
		at(2, "s", "a", "late"), at(1, "s", "b", "x"), at(1, "t", "a", "other"), at(1, "s", "a", "z"), at(1, "s", "a", "y"),
	}}
	var names []string
	for _, o := range scan.Of("s") {
		names = append(names, o.Object.Namespace+"/"+o.Object.Name)
	}
	if want := []string{"a/y", "a/z", "b/x", "a/late"}; !slices.Equal(names, want) {
		t.Errorf("%q, want %q", names, want)
	}
	if got := scan.Stacks(); !slices.Equal(got, []string{"s", "t"}) {
		t.Errorf("stacks %q", got)
	}
}
