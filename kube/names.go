package kube

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
)

// resourcePath is the URL path of a kind's objects in a namespace, "" for all,
// or of the one with that name.
func resourcePath(k *kinds.Kind, namespace, name string) string {
	parts := []string{"/api", k.Version}
	if k.Group != "" {
		parts = []string{"/apis", k.Group, k.Version}
	}
	if namespace != "" {
		parts = append(parts, "namespaces", namespace)
	}
	parts = append(parts, k.Plural)
	if name != "" {
		parts = append(parts, name)
	}
	return strings.Join(parts, "/")
}

func objectOf(k *kinds.Kind, live *unstructured.Unstructured) addrs.Object {
	return k.Object(live.GetNamespace(), live.GetName())
}

// checkNamed refuses a call whose namespace does not fit the kind: it would
// ask for another object than was meant.
func checkNamed(op string, k *kinds.Kind, namespace, name string) error {
	fail := func(format string, args ...any) error {
		return &Error{Op: op, Object: k.Object(namespace, name), Reason: Invalid, Message: fmt.Sprintf(format, args...)}
	}
	switch {
	case name == "":
		return fail("the object has no name")
	case name == "." || name == ".." || strings.ContainsAny(name, "/%"):
		return fail("%q is not a name an object can have", name)
	case k.Namespaced && namespace == "":
		return fail("objects of this kind live in a namespace, and none is given")
	case !k.Namespaced && namespace != "":
		return fail("objects of this kind do not live in a namespace, but %q is given", namespace)
	case namespace == "." || namespace == ".." || strings.ContainsAny(namespace, "/%"):
		return fail("%q is not a name a namespace can have", namespace)
	}
	return nil
}
