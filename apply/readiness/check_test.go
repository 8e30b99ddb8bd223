package readiness

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestIsOlder(t *testing.T) {
	at := func(uid, version string) *unstructured.Unstructured {
		return object(t, "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, uid: '"+uid+"', resourceVersion: '"+version+"'}}")
	}
	cases := []struct {
		name string
		a, b *unstructured.Unstructured
		want bool
	}{
		{"older", at("u", "9"), at("u", "10"), true},
		{"the same", at("u", "10"), at("u", "10"), false},
		{"newer", at("u", "11"), at("u", "10"), false},
		{"another object", at("v", "11"), at("u", "10"), true},
		{"versions that are no numbers", at("u", "a"), at("u", "b"), false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := isOlder(c.a, c.b); got != c.want {
				t.Errorf("got %v", got)
			}
		})
	}
}
