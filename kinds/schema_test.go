package kinds_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	crdapply "k8s.io/apiextensions-apiserver/pkg/client/applyconfiguration"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	runtimeschema "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/client-go/applyconfigurations"
	"k8s.io/client-go/kubernetes/scheme"
	apiregistration "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	apiserviceapply "k8s.io/kube-aggregator/pkg/client/applyconfiguration"
	"sigs.k8s.io/structured-merge-diff/v6/schema"
	"sigs.k8s.io/structured-merge-diff/v6/typed"

	"kplan.dev/kplan/kinds"
)

// converter is the oracle: what Kubernetes' own client library knows of the
// lists and maps of a kind.
func converter(k *kinds.Kind) managedfields.TypeConverter {
	s := runtime.NewScheme()
	switch k.Group {
	case apiextensions.GroupName:
		must(apiextensions.AddToScheme(s))
		return crdapply.NewTypeConverter(s)
	case apiregistration.GroupName:
		must(apiregistration.AddToScheme(s))
		return apiserviceapply.NewTypeConverter(s)
	}
	return applyconfigurations.NewTypeConverter(scheme.Scheme)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// typedByOracle is the object as the oracle sees it.
func typedByOracle(k *kinds.Kind, obj map[string]any) (*typed.TypedValue, error) {
	full := map[string]any{"apiVersion": k.APIVersion(), "kind": k.Name}
	for name, v := range obj {
		full[name] = v
	}
	return converter(k).ObjectToTyped(&unstructured.Unstructured{Object: full})
}

// Whether a plan finds nothing to do hangs on list keys and atomicity, so they
// must be those of Kubernetes, for every field of every kind.
func TestSchemaIsThatOfKubernetes(t *testing.T) {
	for _, k := range kinds.Builtin().Kinds() {
		t.Run(k.APIVersion()+"/"+k.Name, func(t *testing.T) {
			tv, err := typedByOracle(k, nil)
			if err != nil {
				t.Fatal(err)
			}
			ours := k.Parseable()
			c := comparison{t: t, ours: ours.Schema, theirs: tv.Schema(), seen: map[[2]string]bool{}}
			c.ref(k.Name, ours.TypeRef, tv.TypeRef())
		})
	}
}

type comparison struct {
	t            *testing.T
	ours, theirs *schema.Schema
	seen         map[[2]string]bool
}

func (c *comparison) ref(at string, ours, theirs schema.TypeRef) {
	if ours.NamedType != nil && theirs.NamedType != nil {
		pair := [2]string{*ours.NamedType, *theirs.NamedType}
		if c.seen[pair] {
			return
		}
		c.seen[pair] = true
	}
	a, ok := c.ours.Resolve(ours)
	b, ok2 := c.theirs.Resolve(theirs)
	if !ok || !ok2 {
		c.t.Errorf("%s: resolved ours %t, theirs %t", at, ok, ok2)
		return
	}
	if (a.Scalar == nil) != (b.Scalar == nil) || a.Scalar != nil && *a.Scalar != *b.Scalar {
		c.t.Errorf("%s: scalar %s, want %s", at, show(a), show(b))
	}
	c.list(at, a.List, b.List)
	c.mapping(at, a.Map, b.Map)
}

func show(a schema.Atom) string {
	s := ""
	if a.Scalar != nil {
		s += string(*a.Scalar)
	}
	return s + fmt.Sprintf(" list=%t map=%t", a.List != nil, a.Map != nil)
}

func (c *comparison) list(at string, ours, theirs *schema.List) {
	if ours == nil || theirs == nil {
		if ours != nil || theirs != nil {
			c.t.Errorf("%s: list %t, want %t", at, ours != nil, theirs != nil)
		}
		return
	}
	if ours.ElementRelationship != theirs.ElementRelationship || !slices.Equal(ours.Keys, theirs.Keys) {
		c.t.Errorf("%s: %s %v, want %s %v", at, ours.ElementRelationship, ours.Keys, theirs.ElementRelationship, theirs.Keys)
	}
	c.ref(at+"[]", ours.ElementType, theirs.ElementType)
}

func (c *comparison) mapping(at string, ours, theirs *schema.Map) {
	if ours == nil || theirs == nil {
		if ours != nil || theirs != nil {
			c.t.Errorf("%s: map %t, want %t", at, ours != nil, theirs != nil)
		}
		return
	}
	separable := func(r schema.ElementRelationship) bool { return r == "" || r == schema.Separable }
	if separable(ours.ElementRelationship) != separable(theirs.ElementRelationship) {
		c.t.Errorf("%s: relation %q, want %q", at, ours.ElementRelationship, theirs.ElementRelationship)
	}
	for _, f := range theirs.Fields {
		own, ok := ours.FindField(f.Name)
		if !ok {
			c.t.Errorf("%s.%s: missing", at, f.Name)
			continue
		}
		c.fieldDefault(at+"."+f.Name, own.Default, f.Default)
		c.ref(at+"."+f.Name, own.Type, f.Type)
	}
	for _, f := range ours.Fields {
		if _, ok := theirs.FindField(f.Name); !ok {
			c.t.Errorf("%s.%s: not a field", at, f.Name)
		}
	}
	if open, want := ours.ElementType != (schema.TypeRef{}), theirs.ElementType != (schema.TypeRef{}); open != want {
		c.t.Errorf("%s: takes any key %t, want %t", at, open, want)
	} else if open {
		c.ref(at+"{}", ours.ElementType, theirs.ElementType)
	}
}

// fieldDefault compares defaults of scalars, which replace absent keys.
func (c *comparison) fieldDefault(at string, ours, theirs any) {
	if _, isMap := theirs.(map[any]any); isMap {
		return
	}
	if _, isMap := theirs.(map[string]any); isMap {
		return
	}
	if fmt.Sprint(ours) != fmt.Sprint(theirs) {
		c.t.Errorf("%s: default %#v, want %#v", at, ours, theirs)
	}
}

// goValue is the object as the Go type of its kind holds it.
func goValue(k *kinds.Kind, obj map[string]any) (runtime.Object, error) {
	value, err := scheme.Scheme.New(gvk(k))
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(obj)
	if err != nil {
		return nil, err
	}
	return value, json.Unmarshal(text, value)
}

// roundTrip is the object after the Go type of its kind has read and written it.
func roundTrip(t testing.TB, k *kinds.Kind, obj map[string]any) map[string]any {
	t.Helper()
	value, err := goValue(k, obj)
	if err != nil {
		t.Fatal(err)
	}
	out, err := runtime.DefaultUnstructuredConverter.ToUnstructured(value)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func gvk(k *kinds.Kind) runtimeschema.GroupVersionKind {
	return runtimeschema.GroupVersionKind{Group: k.Group, Version: k.Version, Kind: k.Name}
}
