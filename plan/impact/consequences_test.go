package impact

import (
	"reflect"
	"testing"

	"kplan.dev/kplan/addrs"
)

// A namespace goes only when the cluster knows that nothing is left in it, which
// it can't ask an API that does not answer. It is tried with dependents of its
// own, since such an API would keep the namespaces of all other tests.
func TestNamespaceWaitsForAPI(t *testing.T) {
	around := &dependents{silent: []string{"metrics.k8s.io/v1beta1"}}
	for _, test := range []struct {
		object addrs.Object
		want   []Consequence
	}{
		{addrs.Object{Version: "v1", Kind: "Namespace", Name: "a"},
			[]Consequence{{WaitsForAPI, addrs.GroupKind{Kind: "Namespace"}, 1, []string{"metrics.k8s.io/v1beta1"}}}},
		{addrs.Object{Version: "v1", Kind: "ConfigMap", Namespace: "a", Name: "a"}, nil},
	} {
		d := Deletion{Object: test.object, Live: map[string]any{}}
		if got := around.consequences(d); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %v, want %v", test.object, got, test.want)
		}
	}
}
