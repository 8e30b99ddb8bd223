package server_test

import (
	"reflect"
	"testing"

	"kplan.dev/kplan/kinds/server"
)

func TestApplicable(t *testing.T) {
	for _, tc := range []struct {
		manifest, rest string
		overwritten    bool
	}{
		{`{kind: ClusterRole, aggregationRule: {}, rules: []}`, `{kind: ClusterRole, aggregationRule: {}}`, false},
		{`{kind: ClusterRole, aggregationRule: {}, rules: [{verbs: [get]}]}`, `{kind: ClusterRole, aggregationRule: {}}`, true},
		{`{kind: ClusterRole, aggregationRule: {}}`, `{kind: ClusterRole, aggregationRule: {}}`, false},
		{`{kind: ClusterRole, rules: [{verbs: [get]}]}`, `{kind: ClusterRole, rules: [{verbs: [get]}]}`, false},
		{`{kind: ClusterRole, aggregationRule: null, rules: []}`, `{kind: ClusterRole, aggregationRule: null, rules: []}`, false},
		{`{kind: ConfigMap, data: {}, binaryData: {}}`, `{kind: ConfigMap}`, false},
		{`{kind: ConfigMap, data: {a: b}, binaryData: null}`, `{kind: ConfigMap, data: {a: b}, binaryData: null}`, false},
		{`{kind: Secret, data: {}, immutable: true}`, `{kind: Secret, immutable: true}`, false},
		{`{kind: Role, rules: []}`, `{kind: Role, rules: []}`, false},
	} {
		obj := decode(t, tc.manifest)
		k := lookup(t, obj["kind"].(string))
		if got := server.Applicable(k, obj); !reflect.DeepEqual(got, decode(t, tc.rest)) {
			t.Errorf("%s: applied is %v", tc.manifest, got)
		}
		if got := len(server.Overwritten(k, obj)) > 0; got != tc.overwritten {
			t.Errorf("%s: overwritten %t", tc.manifest, got)
		}
		if !reflect.DeepEqual(obj, decode(t, tc.manifest)) {
			t.Errorf("%s was changed", tc.manifest)
		}
	}
}
