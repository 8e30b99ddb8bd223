package diff

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"pgregory.net/rapid"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/yaml"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
)

// manifest reads an object from YAML, with the number types of the cluster's.
func manifest(t testing.TB, text string) map[string]any {
	t.Helper()
	if text == "" {
		return nil
	}
	raw, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var o map[string]any
	if err := utiljson.Unmarshal(raw, &o); err != nil {
		t.Fatal(err)
	}
	return o
}

func kindNamed(t testing.TB, name string) *kinds.Kind {
	t.Helper()
	kind, err := kinds.Builtin().Lookup(name, "")
	if err != nil {
		t.Fatal(err)
	}
	return kind
}

func pathsOf(t testing.TB, texts ...string) addrs.PathSet {
	t.Helper()
	set := addrs.NewPathSet()
	for _, text := range texts {
		p, err := addrs.ParsePath(text)
		if err != nil {
			t.Fatal(err)
		}
		set.Add(p)
	}
	return set
}

// ownedOf are the fields that kplan owns by an object's managedFields.
func ownedOf(t testing.TB, object map[string]any) *fieldpath.Set {
	t.Helper()
	for _, entry := range (&unstructured.Unstructured{Object: object}).GetManagedFields() {
		if entry.Manager != "kplan" {
			continue
		}
		set := &fieldpath.Set{}
		if err := set.FromJSON(entry.FieldsV1.GetRawReader()); err != nil {
			t.Fatal(err)
		}
		return set
	}
	return nil
}

// outline is a difference as one line per field that changes: its path and what
// becomes of it.
func outline(d *Difference) []string {
	var lines []string
	for _, c := range d.Children {
		if c.Shape == Gap || c.Op == NoOp {
			continue
		}
		line := string("=+-~"[c.Op]) + " " + c.Path.String()
		if c.Unknown {
			line += " unknown"
		}
		if c.Sensitive {
			line += " sensitive"
		}
		if c.ForcesReplacement {
			line += " replaces"
		}
		if c.Reordered {
			line += " reordered"
		}
		if c.Reencoded != "" {
			line += " respelled"
		}
		switch c.Shape {
		case Leaf:
			line += fmt.Sprintf(" %v -> %v", c.Before, c.After)
		case Text:
			line += " text"
		case Encoded:
			line += " " + string(c.Encoding)
		}
		lines = append(append(lines, line), outline(c)...)
	}
	return lines
}

func TestDiff(t *testing.T) {
	for _, c := range []struct {
		name                   string
		kind                   string
		replaced               bool
		before, after, desired string
		unknown, sensitive     []string
		replace                []string
		want                   []string
		hidden                 Hidden
	}{
		{
			name: "nothing changes but the spelling", kind: "Pod",
			before: `{spec: {containers: [{name: a, resources: {requests: {cpu: 1000m, memory: 1024Mi}}}]}}`,
			after:  `{spec: {containers: [{name: a, resources: {requests: {cpu: "1", memory: 1Gi}}}]}}`,
			hidden: Hidden{Blocks: 1},
		},
		{
			name: "what the server keeps is no difference", kind: "Pod",
			before: `{apiVersion: v1, kind: Pod, metadata: {name: a, uid: x, resourceVersion: "1", generation: 1, managedFields: [{}], labels: {kplan.dev/stack: s}}, status: {phase: Running}}`,
			after:  `{metadata: {name: a, uid: y, annotations: {kplan.dev/address: Pod.a, kubectl.kubernetes.io/last-applied-configuration: "{}"}}}`,
			hidden: Hidden{Blocks: 1},
		},
		{
			name: "containers by name, ports by port and protocol", kind: "Pod",
			before: `{spec: {containers: [{name: a, image: a:1, ports: [{containerPort: 1, protocol: TCP}]}, {name: b}]}}`,
			after:  `{spec: {containers: [{name: c}, {name: a, image: a:2, ports: [{containerPort: 1, protocol: UDP}, {containerPort: 1, protocol: TCP, name: x}]}]}}`,
			want: []string{
				`~ spec`, `~ spec.containers`,
				`+ spec.containers[name="c"]`, `+ spec.containers[name="c"].name <nil> -> c`,
				`~ spec.containers[name="a"]`, `~ spec.containers[name="a"].image a:1 -> a:2`,
				`~ spec.containers[name="a"].ports`,
				`+ spec.containers[name="a"].ports[containerPort=1,protocol="UDP"]`,
				`+ spec.containers[name="a"].ports[containerPort=1,protocol="UDP"].containerPort <nil> -> 1`,
				`+ spec.containers[name="a"].ports[containerPort=1,protocol="UDP"].protocol <nil> -> UDP`,
				`~ spec.containers[name="a"].ports[containerPort=1,protocol="TCP"]`,
				`+ spec.containers[name="a"].ports[containerPort=1,protocol="TCP"].name <nil> -> x`,
				`- spec.containers[name="b"]`, `- spec.containers[name="b"].name b -> <nil>`,
			},
		},
		{
			name: "another order", kind: "Pod",
			before: `{spec: {containers: [{name: a}, {name: b}]}}`,
			after:  `{spec: {containers: [{name: b}, {name: a}]}}`,
			want:   []string{`~ spec`, `~ spec.containers reordered`},
		},
		{
			name: "the order of a set says nothing", kind: "Pod",
			before: `{metadata: {finalizers: [a/a, b/b]}}`,
			after:  `{metadata: {finalizers: [b/b, a/a]}}`,
			hidden: Hidden{Blocks: 1},
		},
		{
			name: "an inserted argument", kind: "Pod",
			before: `{spec: {containers: [{name: a, args: [a, b, c]}]}}`,
			after:  `{spec: {containers: [{name: a, args: [a, x, b, c]}]}}`,
			want: []string{
				`~ spec`, `~ spec.containers`, `~ spec.containers[name="a"]`, `~ spec.containers[name="a"].args`,
				`+ spec.containers[name="a"].args[1] <nil> -> x`,
			},
		},
		{
			name: "objects without keys are aligned", kind: "Role",
			before: `{rules: [{resources: [a], verbs: [get]}, {resources: [b], verbs: [get]}]}`,
			after:  `{rules: [{resources: [z], verbs: [get]}, {resources: [a], verbs: [get]}, {resources: [b], verbs: [list]}]}`,
			want: []string{
				`~ rules`,
				`+ rules[0]`, `+ rules[0].resources`, `+ rules[0].resources[0] <nil> -> z`, `+ rules[0].verbs`, `+ rules[0].verbs[0] <nil> -> get`,
				`~ rules[2]`, `~ rules[2].verbs`, `- rules[2].verbs[0] get -> <nil>`, `+ rules[2].verbs[0] <nil> -> list`,
			},
		},
		{
			name: "an object is compared with the one it has the most in common with", kind: "Role",
			before: `{rules: [{resources: [pods], verbs: [get]}, {resources: [jobs], verbs: [get, list]}]}`,
			after:  `{rules: [{resources: [secrets], verbs: [watch]}, {resources: [pods], verbs: [list]}, {resources: [jobs], verbs: [get]}]}`,
			want: []string{
				`~ rules`,
				`+ rules[0]`, `+ rules[0].resources`, `+ rules[0].resources[0] <nil> -> secrets`, `+ rules[0].verbs`, `+ rules[0].verbs[0] <nil> -> watch`,
				`~ rules[1]`, `~ rules[1].verbs`, `- rules[1].verbs[0] get -> <nil>`, `+ rules[1].verbs[0] <nil> -> list`,
				`~ rules[2]`, `~ rules[2].verbs`, `- rules[2].verbs[1] list -> <nil>`,
			},
		},
		{
			name: "a script among arguments is compared line by line", kind: "Pod",
			before: `{spec: {containers: [{name: a, command: [sh, -c, "one\ntwo\n"]}]}}`,
			after:  `{spec: {containers: [{name: a, command: [bash, -c, "one\n2\n"]}]}}`,
			want: []string{
				`~ spec`, `~ spec.containers`, `~ spec.containers[name="a"]`, `~ spec.containers[name="a"].command`,
				`- spec.containers[name="a"].command[0] sh -> <nil>`, `+ spec.containers[name="a"].command[0] <nil> -> bash`,
				`~ spec.containers[name="a"].command[2] text`,
			},
		},
		{
			name: "a creation shows the desired object as the server sees it", kind: "Service",
			desired: `{metadata: {name: s}, spec: {ports: [{port: 80}], selector: {a: b}}}`,
			after:   `{metadata: {name: s, uid: u}, spec: {ports: [{port: 80, protocol: TCP, targetPort: 80}], selector: {a: b}, type: ClusterIP, sessionAffinity: None}}`,
			unknown: []string{"spec.clusterIP", "metadata.uid", "status"},
			want: []string{
				`+ metadata`, `+ metadata.name <nil> -> s`,
				`+ spec`, `+ spec.clusterIP unknown <nil> -> <nil>`,
				`+ spec.ports`, `+ spec.ports[port=80,protocol="TCP"]`, `+ spec.ports[port=80,protocol="TCP"].port <nil> -> 80`,
				`+ spec.selector`, `+ spec.selector.a <nil> -> b`,
			},
			hidden: Hidden{Defaults: 4},
		},
		{
			name: "a creation without the server's answer shows the desired object", kind: "Namespace",
			desired: `{metadata: {name: s}}`,
			want:    []string{`+ metadata`, `+ metadata.name <nil> -> s`},
		},
		{
			name: "a deletion shows what kplan owns", kind: "ConfigMap",
			before: `{metadata: {name: c, namespace: ns, labels: {theirs: x, ours: mine}, managedFields: [
				{manager: kplan, operation: Apply, apiVersion: v1, fieldsV1: {"f:metadata": {"f:labels": {"f:ours": {}}}, "f:data": {"f:a": {}}}}]},
				data: {a: b, other: c}}`,
			want: []string{
				`- data`, `- data.a b -> <nil>`,
				`- metadata`, `- metadata.labels`, `- metadata.labels.ours mine -> <nil>`,
				`- metadata.name c -> <nil>`, `- metadata.namespace ns -> <nil>`,
			},
			hidden: Hidden{Defaults: 2},
		},
		{
			name: "a map of which kplan owns nothing", kind: "Namespace",
			before: `{metadata: {name: a, labels: {kubernetes.io/metadata.name: a}, managedFields: [{manager: kplan, operation: Apply, apiVersion: v1,
				fieldsV1: {"f:metadata": {"f:labels": {"f:kplan.dev/stack": {}}}}}]}}`,
			want:   []string{`- metadata`, `- metadata.name a -> <nil>`},
			hidden: Hidden{Defaults: 1},
		},
		{
			name: "a text that holds others is owned as a whole", kind: "ConfigMap",
			before: `{data: {a: '{"x": [1, {"y": 2}]}', other: '{"z": 1}'}, metadata: {managedFields: [
				{manager: kplan, operation: Apply, apiVersion: v1, fieldsV1: {"f:data": {"f:a": {}}}}]}}`,
			want: []string{
				`- data`, `- data.a json`, `- data.a`, `- data.a.x`, `- data.a.x[0] 1 -> <nil>`,
				`- data.a.x[1]`, `- data.a.x[1].y 2 -> <nil>`,
			},
			hidden: Hidden{Defaults: 1},
		},
		{
			name: "of a list's element kplan owns what it set", kind: "Pod",
			before: `{metadata: {managedFields: [{manager: kplan, operation: Apply, apiVersion: v1,
				fieldsV1: {"f:spec": {"f:containers": {'k:{"name":"a"}': {".": {}, "f:name": {}, "f:image": {}}}}}}]},
				spec: {containers: [{name: a, image: i, imagePullPolicy: Always}, {name: injected}]}}`,
			want: []string{
				`- spec`, `- spec.containers`, `- spec.containers[name="a"]`,
				`- spec.containers[name="a"].image i -> <nil>`, `- spec.containers[name="a"].name a -> <nil>`,
			},
			hidden: Hidden{Defaults: 2},
		},
		{
			name: "a replacement leaves out what only the server put in", kind: "Pod", replaced: true,
			before:  `{spec: {hostname: a, nodeName: n, tolerations: [{key: t}], containers: [{name: a, image: x, imagePullPolicy: Always}]}}`,
			after:   `{spec: {hostname: b, containers: [{name: a, image: x}]}}`,
			desired: `{spec: {hostname: b, containers: [{name: a, image: x}]}}`,
			replace: []string{"spec.hostname"},
			want:    []string{`~ spec`, `~ spec.hostname replaces a -> b`},
			hidden:  Hidden{Defaults: 3},
		},
		{
			name: "of spec the server does not say what it is", kind: "Pod", replaced: true,
			before:  `{metadata: {labels: {a: b}}, spec: {hostname: a, nodeName: nn, tolerations: [{key: t}], containers: [{name: a, image: x}]}}`,
			after:   `{metadata: {labels: {a: c}}, spec: {hostname: b, containers: [{name: a, image: z}, {name: b}]}}`,
			desired: `{metadata: {labels: {a: c}}, spec: {hostname: b, containers: [{name: a, image: z}, {name: b}]}}`,
			replace: []string{"spec"}, unknown: []string{"spec.nodeName"},
			want: []string{
				`~ metadata`, `~ metadata.labels`, `~ metadata.labels.a b -> c`,
				`~ spec`, `~ spec.containers`, `~ spec.containers[name="a"]`, `~ spec.containers[name="a"].image x -> z`,
				`+ spec.containers[name="b"] replaces`, `+ spec.containers[name="b"].name <nil> -> b`,
				`~ spec.hostname replaces a -> b`, `~ spec.nodeName unknown nn -> <nil>`,
			},
			hidden: Hidden{Defaults: 1},
		},
		{
			name: "secrets are masked", kind: "Secret",
			before:    `{data: {same: YQ==, other: YQ==, gone: YQ==}, metadata: {labels: {l: secret}}}`,
			after:     `{data: {same: YQ==, other: Yg==, new: YQ==}, metadata: {labels: {l: secret2}}}`,
			sensitive: []string{"data", "metadata.labels.l"},
			want: []string{
				`~ data`, `- data.gone sensitive <nil> -> <nil>`, `+ data.new sensitive <nil> -> <nil>`, `~ data.other sensitive <nil> -> <nil>`,
				`~ metadata`, `~ metadata.labels`, `~ metadata.labels.l sensitive <nil> -> <nil>`,
			},
		},
		{
			name: "a redacted secret is masked", kind: "Secret",
			before: `{data: "digest:1"}`, after: `{data: "digest:2"}`, sensitive: []string{"data"},
			want: []string{`~ data sensitive <nil> -> <nil>`},
		},
		{
			name: "a secret key is no name", kind: "Pod",
			before:    `{spec: {containers: [{name: hunter2, image: a}]}}`,
			after:     `{spec: {containers: [{name: hunter2, image: b}]}}`,
			sensitive: []string{"spec.containers[0].name"},
			want:      []string{`~ spec`, `~ spec.containers`, `~ spec.containers[0]`, `~ spec.containers[0].image a -> b`},
		},
		{
			name: "what is not known yet", kind: "ConfigMap",
			before: `{data: {a: x}}`, after: `{data: {}}`, unknown: []string{"data.a", "data.b"},
			want: []string{`~ data`, `~ data.a unknown x -> <nil>`, `+ data.b unknown <nil> -> <nil>`},
		},
		{
			name: "an element that is not known yet", kind: "Service",
			desired: `{spec: {ports: [{port: 1}]}}`, after: `{spec: {ports: [{port: 1}]}}`,
			unknown: []string{"spec.ports[0].nodePort"},
			want: []string{
				`+ spec`, `+ spec.ports`, `+ spec.ports[port=1,protocol="TCP"]`,
				`+ spec.ports[port=1,protocol="TCP"].nodePort unknown <nil> -> <nil>`,
				`+ spec.ports[port=1,protocol="TCP"].port <nil> -> 1`,
			},
		},
		{
			name: "texts that hold structure", kind: "ConfigMap",
			before: `{data: {j: '{"a":1,"b":[1]}', yml: "a: 1\nb: 2\n", t: "a\nb\n", form: '{"a":1}', comment: "a: 1 # x\nb: 1\n", twice: '{"a":1,"a":2}', docs: "a: 1\n---\nb: 1\n"}}`,
			after:  `{data: {j: '{"a":2,"b":[1]}', yml: "a: 1\nb: 3\n", t: "a\nc\n", form: '{"a": 1}', comment: "a: 1 # y\nb: 2\n", twice: '{"a":1,"a":3}', docs: "a: 1\n---\nb: 2\n"}}`,
			want: []string{
				`~ data`, `~ data.comment text`, `~ data.docs text`, `~ data.form respelled {"a":1} -> {"a": 1}`,
				`~ data.j json`, `~ data.j`, `~ data.j.a 1 -> 2`, `~ data.t text`, `~ data.twice {"a":1,"a":2} -> {"a":1,"a":3}`,
				`~ data.yml yaml`, `~ data.yml`, `~ data.yml.b 2 -> 3`,
			},
		},
		{
			name: "bytes", kind: "ConfigMap",
			before: `{binaryData: {text: YQ==, bin: /w==}}`, after: `{binaryData: {text: Yg==, bin: //8=}}`,
			want: []string{
				`~ binaryData`, `~ binaryData.bin {1 a8100ae6aa19} -> {2 ca2fd00fa001}`,
				`~ binaryData.text base64`, `~ binaryData.text a -> b`,
			},
		},
		{
			name: "a value of another sort", kind: "ConfigMap",
			before: `{data: {a: x}}`, after: `{data: x}`,
			want: []string{`~ data map[a:x] -> x`},
		},
		{
			name: "an empty object that is configured", kind: "NetworkPolicy",
			after:   `{metadata: {name: np}, spec: {podSelector: {}, policyTypes: [Ingress]}}`,
			desired: `{metadata: {name: np}, spec: {podSelector: {}}}`,
			want:    []string{`+ metadata`, `+ metadata.name <nil> -> np`, `+ spec`, `+ spec.podSelector`},
			hidden:  Hidden{Defaults: 1},
		},
		{
			name: "an object that becomes empty", kind: "NetworkPolicy",
			before:  `{spec: {podSelector: {matchLabels: {a: b}}}}`,
			after:   `{spec: {podSelector: {}}}`,
			desired: `{spec: {podSelector: {}}}`,
			want:    []string{`~ spec`, `~ spec.podSelector`, `- spec.podSelector.matchLabels`, `- spec.podSelector.matchLabels.a b -> <nil>`},
		},
		{
			name: "an object that is no longer empty", kind: "NetworkPolicy",
			before:  `{spec: {podSelector: {}}}`,
			after:   `{spec: {podSelector: {matchLabels: {a: b}}}}`,
			desired: `{spec: {podSelector: {matchLabels: {a: b}}}}`,
			want:    []string{`~ spec`, `~ spec.podSelector`, `+ spec.podSelector.matchLabels`, `+ spec.podSelector.matchLabels.a <nil> -> b`},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			change := Object{
				Kind: kindNamed(t, c.kind), Replaced: c.replaced,
				Before: manifest(t, c.before), After: manifest(t, c.after), Desired: manifest(t, c.desired),
				Unknown: pathsOf(t, c.unknown...), Sensitive: pathsOf(t, c.sensitive...),
				ReplacePaths: pathsOf(t, c.replace...).Sorted(),
			}
			change.Owned = ownedOf(t, change.Before)
			if change.After == nil {
				change.After = change.Desired
			}
			before := fmt.Sprint(change.Before, change.After, change.Desired)
			got := Of(change)
			if diff := cmp.Diff(c.want, outline(got)); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
			if got.Hidden.Defaults != c.hidden.Defaults || len(c.want) == 0 && got.Hidden != c.hidden {
				t.Errorf("hidden: %+v, want %+v", got.Hidden, c.hidden)
			}
			if len(c.want) == 0 && got.Op != NoOp {
				t.Errorf("op %v, want NoOp", got.Op)
			}
			if after := fmt.Sprint(change.Before, change.After, change.Desired); after != before {
				t.Errorf("the change was changed:\n%s\n%s", before, after)
			}
		})
	}
}

// TestDiffOfUnknownShape has the server know keys of a list that kplan does not:
// what kplan owns of it is shown all the same when it goes.
func TestDiffOfUnknownShape(t *testing.T) {
	kind := kinds.Opaque("example.com", "v1", "Widget", "widgets", true)
	before := manifest(t, `{metadata: {name: w, managedFields: [{manager: kplan, operation: Apply, apiVersion: example.com/v1, fieldsType: FieldsV1,
		fieldsV1: {f:spec: {f:items: {'k:{"id":"x"}': {.: {}, f:id: {}}, 'k:{"id":"y"}': {.: {}, f:id: {}}}}}}]}, spec: {items: [{id: x}, {id: y}]}}`)
	after := manifest(t, `{metadata: {name: w}, spec: {items: [{id: y}]}}`)
	got := outline(Of(Object{Kind: kind, Before: before, After: after, Desired: after, Owned: ownedOf(t, before)}))
	want := []string{`~ spec`, `~ spec.items`, `- spec.items[0]`, `- spec.items[0].id x -> <nil>`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// anyValue draws a value as JSON has it.
func anyValue(depth int) *rapid.Generator[any] {
	leaves := []*rapid.Generator[any]{
		rapid.Map(rapid.StringMatching(`[abc\n]{0,6}`), func(s string) any { return s }),
		rapid.Map(rapid.Int64Range(0, 3), func(n int64) any { return n }),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Map(rapid.SampledFrom([]string{`{"a":1}`, `{"a":2,"b":[1,2]}`, "a: 1\nb: 2\n", "a: 2\nb: 2\n", "x\ny\nz", "x\nz\n"}), func(s string) any { return s }),
	}
	if depth == 0 {
		return rapid.OneOf(leaves...)
	}
	inner := anyValue(depth - 1)
	return rapid.OneOf(append(leaves,
		rapid.Map(rapid.SliceOfN(inner, 0, 5), func(l []any) any { return l }),
		rapid.Map(rapid.MapOfN(rapid.SampledFrom([]string{"a", "b", "c.d/e", "name"}), inner, 0, 4), func(m map[string]any) any { return m }),
	)...)
}

func anyObject() *rapid.Generator[map[string]any] {
	return rapid.MapOfN(rapid.SampledFrom([]string{"spec", "data", "x"}), anyValue(3), 0, 3)
}

func anyChange(before, after map[string]any) Object { return Object{Before: before, After: after} }

func TestDiffOfEqualsIsSame(t *testing.T) {
	names := []string{"Pod", "Service", "Secret", "ConfigMap", "Deployment", "Role"}
	rapid.Check(t, func(t *rapid.T) {
		object := anyObject().Draw(t, "object")
		c := anyChange(object, manifestCopy(object))
		if i := rapid.IntRange(-1, len(names)-1).Draw(t, "kind"); i >= 0 {
			c.Kind, _ = kinds.Builtin().Lookup(names[i], "")
		}
		if d := Of(c); d.Op != NoOp || len(outline(d)) != 0 {
			t.Fatalf("differs from itself: %v", outline(d))
		}
	})
}

func manifestCopy(object map[string]any) map[string]any {
	raw, _ := json.Marshal(object)
	var c map[string]any
	_ = utiljson.Unmarshal(raw, &c)
	return c
}

// TestDiffShowsAll checks that a difference holds everything that is needed to
// make the one object from the other, and back.
func TestDiffShowsAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before, after := anyObject().Draw(t, "before"), anyObject().Draw(t, "after")
		d := Of(anyChange(before, after))
		if got := patched(asValue(before), d, Added); !reflect.DeepEqual(got, any(after)) {
			t.Fatalf("forth: %#v\nwant %#v\nby %v", got, after, outline(d))
		}
		if got := patched(asValue(after), d, Removed); !reflect.DeepEqual(got, any(before)) {
			t.Fatalf("back: %#v\nwant %#v\nby %v", got, before, outline(d))
		}
	})
}

// patched is the other side of a difference, made from one side: After with
// Added for toward, Before with Removed.
func patched(value any, d *Difference, toward Op) any {
	side := d.After
	if toward == Removed {
		side = d.Before
	}
	switch {
	case d.Op == NoOp:
		return value
	case d.Op == toward && d.isComposed():
		return whole(d, toward)
	case d.Op == Changed && d.Shape == Entries:
		object := value.(map[string]any)
		result := map[string]any{}
		for name, v := range object {
			result[name] = v
		}
		for _, c := range d.Children {
			if result[c.Name] = patched(result[c.Name], c, toward); c.Op != Changed && c.Op != toward {
				delete(result, c.Name)
			}
		}
		return result
	case d.Op == Changed && d.Shape == Elements:
		return patchedList(value.([]any), d, toward)
	case d.Shape == Text && d.Op == Changed:
		return patchedText(value.(string), d.Lines, toward)
	}
	return side
}

// whole is a value that only one side has.
func whole(d *Difference, toward Op) any {
	if d.Shape == Elements {
		list := []any{}
		for _, c := range d.Children {
			list = append(list, patched(nil, c, toward))
		}
		return list
	}
	object := map[string]any{}
	for _, c := range d.Children {
		object[c.Name] = patched(nil, c, toward)
	}
	return object
}

func patchedList(list []any, d *Difference, toward Op) []any {
	result, at := []any{}, 0
	for _, c := range d.Children {
		switch {
		case c.Shape == Gap:
			result = append(result, list[at:at+c.Hidden.Elements]...)
			at += c.Hidden.Elements
		case c.Op == NoOp || c.Op == Changed:
			result = append(result, patched(list[at], c, toward))
			at++
		case c.Op == toward:
			result = append(result, patched(nil, c, toward))
		default:
			at++
		}
	}
	return append(result, list[at:]...)
}

func patchedText(text string, lines []Line, toward Op) string {
	var b strings.Builder
	rest := splitLines(text)
	for _, l := range lines {
		switch {
		case l.Skipped > 0:
			b.WriteString(strings.Join(rest[:l.Skipped], ""))
			rest = rest[l.Skipped:]
			continue
		case l.Op == toward || l.Op == NoOp:
			b.WriteString(l.Text)
			if !l.NoEnd {
				b.WriteString("\n")
			}
		}
		if l.Op != toward {
			rest = rest[1:]
		}
	}
	return b.String()
}

// TestDiffKeepsSecrets checks that no part of a difference holds what a field
// that is marked holds.
func TestDiffKeepsSecrets(t *testing.T) {
	const canary = "c4n4ry"
	paths := []string{
		"data.a", "metadata.labels.a", "spec.containers[0].env[0].value", "spec.containers[0].args[0]", "spec.containers",
		"spec.containers[0].name", "spec.tolerations[0]", "metadata.finalizers[0]", "metadata.annotations",
	}
	rapid.Check(t, func(t *rapid.T) {
		path, _ := addrs.ParsePath(rapid.SampledFrom(paths).Draw(t, "path"))
		secret := func(label string) any {
			return canary + rapid.SampledFrom([]string{"", "1", "\n2\n3", `{"a":`}).Draw(t, label)
		}
		action := rapid.SampledFrom([]string{"create", "update", "replace", "delete"}).Draw(t, "action")
		c := Object{Sensitive: addrs.NewPathSet(path), Replaced: action == "replace"}
		if kind := rapid.SampledFrom([]string{"", "Pod", "ConfigMap"}).Draw(t, "kind"); kind != "" {
			c.Kind, _ = kinds.Builtin().Lookup(kind, "")
		}
		if action != "create" {
			c.Before = holding(path.Steps(), secret("before")).(map[string]any)
		}
		if action != "delete" {
			c.After = holding(path.Steps(), secret("after")).(map[string]any)
			above := path.Steps()[:rapid.IntRange(1, len(path.Steps())).Draw(t, "steps")]
			switch rapid.SampledFrom([]string{"", "unknown", "text"}).Draw(t, "becomes") {
			case "unknown":
				var unknown addrs.Path
				for _, step := range above {
					unknown = unknown.Append(step)
				}
				c.Unknown = addrs.NewPathSet(unknown)
			case "text": // so that it can't be compared part by part
				c.After = holding(above, "text").(map[string]any)
			}
			c.Desired = c.After
		}
		if text := fmt.Sprintf("%+v", flat(Of(c))); strings.Contains(text, canary) {
			t.Fatalf("%s is in %s", canary, text)
		}
		before, after := Views(c)
		if text := fmt.Sprintf("%v%v", before, after); strings.Contains(text, canary) {
			t.Fatalf("%s is in %s", canary, text)
		}
	})
}

// holding is an object with a value at a field.
func holding(steps []addrs.Step, value any) any {
	switch {
	case len(steps) == 0:
		return value
	case steps[0].IsIndex():
		return []any{holding(steps[1:], value)}
	}
	return map[string]any{steps[0].Field: holding(steps[1:], value)}
}

// flat is everything in a difference.
func flat(d *Difference) []any {
	all := []any{d.Path, d.Name, d.Keys, d.Lines, d.Before, d.After}
	for _, c := range d.Children {
		all = append(all, flat(c)...)
	}
	return all
}

func longText(lines int) string {
	var b strings.Builder
	for i := range lines {
		fmt.Fprintf(&b, "line %d of a text that is long\n", i)
	}
	return b.String()
}

func manyEntries(n int) []any {
	env := make([]any, n)
	for i := range env {
		env[i] = map[string]any{"name": fmt.Sprintf("E%d", i), "value": "v"}
	}
	return env
}

// large are changes of large objects at one field.
func large(t testing.TB) map[string]Object {
	text := longText(20000)
	yamlText := strings.ReplaceAll(text, " of", ": of")
	withEnv := func(env []any) map[string]any {
		return map[string]any{"spec": map[string]any{"containers": []any{map[string]any{"name": "a", "env": env}}}}
	}
	withArgs := func(args []any) map[string]any {
		return map[string]any{"spec": map[string]any{"containers": []any{map[string]any{"name": "a", "args": args}}}}
	}
	withData := func(text string) map[string]any { return map[string]any{"data": map[string]any{"text": text}} }
	env, args := manyEntries(5000), make([]any, 20000)
	for i := range args {
		args[i] = fmt.Sprint("arg", i)
	}
	otherArgs := append([]any{"new"}, args...)
	otherEnv := append([]any{map[string]any{"name": "NEW", "value": "v"}}, manyEntries(5000)...)
	otherEnv[2500] = map[string]any{"name": "E2499", "value": "w"}
	configMap, pod := kindNamed(t, "ConfigMap"), kindNamed(t, "Pod")
	return map[string]Object{
		"20k lines": {Kind: configMap, Before: withData(text), After: withData(strings.Replace(text, "line 9999 ", "line x ", 1))},
		"20k lines of yaml": {Kind: configMap, Before: withData(yamlText),
			After: withData(strings.Replace(yamlText, "line 9999:", "line x:", 1))},
		"250 KiB of yaml": {Kind: configMap, Before: withData(yamlText[:250<<10]),
			After: withData(strings.Replace(yamlText[:250<<10], "line 999:", "line x:", 1))},
		"20k other lines": {Kind: configMap, Before: withData(text), After: withData(strings.ReplaceAll(text, "line", "row"))},
		"a line of 1 MiB": {Kind: configMap, Before: withData(strings.Repeat("a", 1<<20)), After: withData(strings.Repeat("a", 1<<20) + "b")},
		"5,000 entries":   {Kind: pod, Before: withEnv(env), After: withEnv(otherEnv)},
		"20k arguments":   {Kind: pod, Before: withArgs(args), After: withArgs(otherArgs)},
	}
}

func TestDiffOfLargeObjectsIsQuick(t *testing.T) {
	for name, c := range large(t) {
		start := time.Now() // a quadratic one takes minutes
		d := Of(c)
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("%s: %v", name, took)
		}
		if d.Op != Changed {
			t.Errorf("%s: no change", name)
		}
	}
	lines := leafOf(Of(large(t)["20k lines"])).Lines
	if len(lines) > 10 {
		t.Errorf("one changed line is shown as %d lines", len(lines))
	}
}

func leafOf(d *Difference) *Difference {
	for len(d.Children) > 0 {
		d = d.Children[0]
	}
	return d
}

func BenchmarkDiff(b *testing.B) {
	changes := large(b)
	names := []string{}
	for name := range changes {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Of(changes[name])
			}
		})
	}
}

func FuzzStructure(f *testing.F) {
	for _, seed := range []string{`{"a":1}`, "a: 1\nb: &x 2\n", "[1, {a: b}]", "a: !!binary YQ==\n", "- a\n- b\n", "%YAML 1.1\n---\na: b",
		"a: *x\nb\n"} {
		f.Add(seed, seed+" ")
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		c := anyChange(map[string]any{"data": before}, map[string]any{"data": after})
		if d := Of(c); (d.Op == NoOp) != (before == after) {
			t.Errorf("op %v for %q and %q", d.Op, before, after)
		}
	})
}
