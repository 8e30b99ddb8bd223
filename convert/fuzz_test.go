package convert

import (
	"strings"
	"testing"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/server"
)

// FuzzConvert reads any text. What is converted can be parsed, is laid out as fmt does it, and where it is valid, its
// objects are those of the text.
func FuzzConvert(f *testing.F) {
	for _, seed := range []string{
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  a: |\n    x\n    ${y}\n  # c\n  'b c': \"\\u0085\\n\"\n",
		"# head\n\n# more\napiVersion: v1 # v\nkind: Secret\nmetadata:\n  name: a # n\nstringData: {a: b}\ndata: {c: AAEC, d: YQ==}\n# foot\n",
		"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: x}\nspec:\n  replicas: 0x2\n  template:\n    spec:\n" +
			"      containers:\n      - name: a # b\n        args: [a, 'x\n\n          y', \"1\"]\n        env:\n        - {name: A, value: \"\"}\n",
		"kind: List\napiVersion: v1\nitems:\n- {apiVersion: v1, kind: Namespace, metadata: {name: x}}\n- apiVersion: v1\n  kind: Pod\n" +
			"  metadata: {generateName: x-, namespace: x}\n",
		"apiVersion: example.com/v1\nkind: Foo\nmetadata: {name: x}\nspec:\n  {a: &a {b: 1, for: [1, {c: d}], $x: null}, <<: *a, e: ~, f: 1e3}\n",
		"apiVersion: v1\nkind: Service\nmetadata: {name: s, uid: x}\nspec: {clusterIP: 1.2.3.4, ports: [{port: 80, protocol: TCP}]}\n",
		"apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: foos.example.com}\nspec: {group: example.com, " +
			"scope: Cluster, names: {kind: Foo, plural: foos}, versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: " +
			"{type: object, properties: {a: {type: string, nullable: true}}}}}]}\n---\n" +
			"apiVersion: example.com/v1\nkind: Foo\nmetadata: {name: x}\na: null\n",
	} {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, text string, files bool) {
		objects, diags := Read("fuzz.yaml", text)
		if diags.HasErrors() {
			return
		}
		before := map[addrs.Object]map[string]any{}
		live := false
		for _, o := range objects {
			before[identityOf(o)] = o.root.fields()
			live = live || o.isLive()
		}
		c, diags := New(objects, Options{SecretVariables: true, Files: files})
		if diags.HasErrors() {
			return
		}
		if formatted, diags := source.Format(c.Whole().Text, "x.kplan.hcl"); diags.HasErrors() || string(formatted) != string(c.Whole().Text) {
			t.Fatalf("%s\n%s", diagnostics(diags), c.Whole().Text)
		}
		if n := strings.Count(string(c.Whole().Text), "\n"); n != len(c.Whole().origin) {
			t.Fatalf("%d lines, and %d origins", n, len(c.Whole().origin))
		}
		found, diags := desired(t, c)
		if diags.HasErrors() {
			return
		}
		if len(found) != len(objects) {
			t.Fatalf("%d objects became %d:\n%s", len(objects), len(found), c.Whole().Text)
		}
		for _, d := range found {
			if want, ok := before[d.Object.Identity()]; ok {
				checkSame(t, d, want, live, c)
			}
		}
	})
}

// identityOf names an object by its manifest alone.
func identityOf(o *Object) addrs.Object {
	group, _, _ := addrs.SplitAPIVersion(o.apiVersion())
	metadata := o.root.field("metadata")
	id := addrs.Object{Group: group, Kind: o.kind(), Namespace: metadata.string("namespace"), Name: metadata.string("name")}
	return id
}

func checkSame(t *testing.T, d *hclspec.Desired, want map[string]any, live bool, c *Configuration) {
	if live || d.Kind.IsCustom() && d.Kind.Undefined {
		return
	}
	want = withoutNulls(d.Kind, comparable(want))
	if got := comparable(d.Fields); !d.Kind.Root.Equal(server.Applicable(d.Kind, want), server.Applicable(d.Kind, got)) {
		t.Fatalf("%#v\nbecame\n%#v\nby\n%s", want, got, c.Whole().Text)
	}
}

// withoutNulls is an object of a built-in kind as the API server reads it.
func withoutNulls(k *kinds.Kind, o map[string]any) map[string]any {
	if k.IsCustom() {
		return o
	}
	tree := jsonTree(o)
	removeNulls(tree, k.Root, false)
	return tree.fields()
}
