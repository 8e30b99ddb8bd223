package render

import (
	"bytes"
	"testing"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/state"
)

func someState(t testing.TB) *state.State {
	t.Helper()
	web, err := addrs.ParseInstance(`module.shop.Pod.web["a"]`)
	if err != nil {
		t.Fatal(err)
	}
	ns, err := addrs.ParseInstance("Namespace.tenant")
	if err != nil {
		t.Fatal(err)
	}
	s := &state.State{Lineage: "l", Serial: 7, Cluster: "c"}
	s.Objects = []state.Object{
		{Addr: ns, Object: addrs.Object{Version: "v1", Kind: "Namespace", Name: "acme"}, UID: "u1"},
		{Addr: web, Object: addrs.Object{Version: "v1", Kind: "Pod", Namespace: "acme", Name: "web"}, UID: "u2",
			Dependencies: []addrs.Instance{ns}},
	}
	s.Outputs = map[string]state.Output{
		"url":      {Value: "http://acme", Type: "string"},
		"password": {Sensitive: true, Type: "string", Digest: "d"},
	}
	return s
}

func TestStateJSON(t *testing.T) {
	var b bytes.Buffer
	if err := StateJSON(&b, someState(t), "0.1.0"); err != nil {
		t.Fatal(err)
	}
	golden(t, "state_json", b.Bytes())
}
