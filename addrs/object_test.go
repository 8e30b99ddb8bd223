package addrs

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseObject(t *testing.T) {
	for text, want := range map[string]Object{
		"v1 Pod acme/web":              {Version: "v1", Kind: "Pod", Namespace: "acme", Name: "web"},
		"v1 Namespace acme":            {Version: "v1", Kind: "Namespace", Name: "acme"},
		"apps/v1 Deployment acme/web":  {Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "acme", Name: "web"},
		"/ Pod acme/web":               {Kind: "Pod", Namespace: "acme", Name: "web"},
		"apps/ Deployment acme/web":    {Group: "apps", Kind: "Deployment", Namespace: "acme", Name: "web"},
		"v1 ClusterRole system:node":   {Version: "v1", Kind: "ClusterRole", Name: "system:node"},
		"rbac/v1 ClusterRole my  role": {Group: "rbac", Version: "v1", Kind: "ClusterRole", Name: "my  role"},
		"rbac/v1 Role acme/my role":    {Group: "rbac", Version: "v1", Kind: "Role", Namespace: "acme", Name: "my role"},
	} {
		got, err := ParseObject(text)
		if err != nil || got != want {
			t.Errorf("%s is read as %#v, %v", text, got, err)
		}
		if got.String() != text {
			t.Errorf("%s is written as %s", text, got)
		}
	}
}

func TestParseObjectRefuses(t *testing.T) {
	for _, text := range []string{
		"", " ", "  ", "Pod", "v1 Pod", "v1 Pod ", "v1  web", " Pod web", "Pod acme/web",
		"v1 Pod /web", "v1 Pod acme/", "v1 Pod acme/web/x", "v1 Po/d web", "a/b/v1 Pod web", "a/b/ Pod web", "/v1 Pod web",
	} {
		if o, err := ParseObject(text); err == nil {
			t.Errorf("%q was read as %#v", text, o)
		} else if !strings.Contains(err.Error(), "v1") {
			t.Errorf("%q: %v, which shows no example", text, err)
		}
	}
}

func TestObject(t *testing.T) {
	o := Object{Group: "apps", Version: "v1", Kind: "Deployment", Namespace: "acme", Name: "web"}
	older := o
	older.Version = "v1beta1"
	if o.Identity() != older.Identity() || o == older {
		t.Error("two versions of one object are equal, or have different identities")
	}
	if got := o.GroupKind().String() + " " + (GroupKind{Kind: "Pod"}).String(); got != "Deployment.apps Pod" {
		t.Errorf("kinds are %s", got)
	}
	if o.APIVersion() != "apps/v1" || o.QualifiedName() != "acme/web" || (Object{Name: "acme"}).QualifiedName() != "acme" {
		t.Errorf("the object's parts are %s and %s", o.APIVersion(), o.QualifiedName())
	}
}

func TestAPIVersion(t *testing.T) {
	for text, want := range map[string][2]string{
		"v1":                   {"", "v1"},
		"apps/v1":              {"apps", "v1"},
		"example.com/v1alpha1": {"example.com", "v1alpha1"},
	} {
		group, version, err := SplitAPIVersion(text)
		if err != nil || group != want[0] || version != want[1] || JoinAPIVersion(group, version) != text {
			t.Errorf("%s is %q and %q, %v", text, group, version, err)
		}
	}
	for _, text := range []string{"", "/", "/v1", "apps/", "a/b/v1", "a//v1"} {
		if group, version, err := SplitAPIVersion(text); err == nil {
			t.Errorf("%q was read as %q and %q", text, group, version)
		}
	}
}

func anObject(t *rapid.T) Object {
	name := rapid.StringMatching(`[a-z0-9]([a-z0-9.:-]{0,6}[a-z0-9])?`)
	return Object{
		Group:     rapid.OneOf(rapid.Just(""), name).Draw(t, "group"),
		Version:   rapid.SampledFrom([]string{"", "v1", "v1beta2"}).Draw(t, "version"),
		Kind:      rapid.StringMatching(`[A-Za-z][a-zA-Z0-9]{0,5}`).Draw(t, "kind"),
		Namespace: rapid.OneOf(rapid.Just(""), name).Draw(t, "namespace"),
		Name:      rapid.OneOf(name, rapid.Just("my role")).Draw(t, "name"),
	}
}

func TestObjectRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := anObject(t)
		if again, err := ParseObject(o.String()); err != nil || again != o {
			t.Fatalf("%s is read as %#v, %v", o, again, err)
		}
		data, err := json.Marshal(map[Object]Object{o: o})
		if err != nil {
			t.Fatal(err)
		}
		var decoded map[Object]Object
		if err := json.Unmarshal(data, &decoded); err != nil || decoded[o] != o {
			t.Fatalf("%s in JSON is %s, read as %v, %v", o, data, decoded, err)
		}
	})
}

func TestObjectCompare(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		objects := []Object{anObject(t), anObject(t), anObject(t)}
		a, b := objects[0], objects[1]
		if (a.Compare(b) == 0) != (a == b) || a.Compare(b) != -b.Compare(a) {
			t.Fatalf("%s and %s: %d and %d", a, b, a.Compare(b), b.Compare(a))
		}
		slices.SortFunc(objects, Object.Compare)
		if objects[0].Compare(objects[2]) > 0 {
			t.Fatalf("no order: %v", objects)
		}
	})
}

func FuzzParseObject(f *testing.F) {
	for _, seed := range []string{"v1 Pod acme/web", "apps/ Deployment acme/web", "/ Namespace acme", "rbac/v1 Role a/my role"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		o, err := ParseObject(text)
		if err != nil {
			return
		}
		if o.String() != text {
			t.Fatalf("%q is read as %#v, which is written as %q", text, o, o)
		}
	})
}
