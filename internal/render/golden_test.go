package render

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/plan"
)

var updateGolden = flag.Bool("update", false, "rewrite the golden files")

// golden compares what was written with testdata/name.golden.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *updateGolden {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, got) {
		t.Errorf("%s (-want +got; rewrite it with -update):\n%s", file, cmp.Diff(string(want), string(got)))
	}
}

// object reads an object from YAML, with the number types of the cluster's.
func object(t testing.TB, text string) map[string]any {
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

// changed is a change made by hand: of the object that stands at that address,
// with its sides in YAML.
type changed struct {
	addr, apiVersion       string
	namespace, name        string
	action                 plan.Action
	before, after, desired string
	unknown, sensitive     []string
	replacePaths           []string
	edit                   func(*plan.Change)
}

func (c changed) change(t testing.TB) *plan.Change {
	t.Helper()
	addr, err := addrs.ParseInstance(c.addr)
	if err != nil {
		t.Fatal(err)
	}
	kind, err := kinds.Builtin().Lookup(addr.Resource.Type, c.apiVersion)
	if err != nil {
		t.Fatal(err)
	}
	result := &plan.Change{
		Addr: addr, Kind: kind, Object: kind.Object(c.namespace, c.name),
		Action: c.action, Certainty: plan.Computed,
		Before: object(t, c.before), After: object(t, c.after), DesiredFields: object(t, c.desired),
		Unknown: pathSet(t, c.unknown), Sensitive: pathSet(t, c.sensitive),
		ReplacePaths: paths(t, c.replacePaths),
	}
	if c.edit != nil {
		c.edit(result)
	}
	return result
}

func paths(t testing.TB, texts []string) []addrs.Path {
	t.Helper()
	var all []addrs.Path
	for _, text := range texts {
		p, err := addrs.ParsePath(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

func pathSet(t testing.TB, texts []string) addrs.PathSet {
	t.Helper()
	return addrs.NewPathSet(paths(t, texts)...)
}

func planOf(t testing.TB, changes ...changed) *plan.Plan {
	t.Helper()
	p := &plan.Plan{Mode: plan.Normal, Lineage: "l", Serial: 3, Cluster: "c", Host: "h"}
	for _, c := range changes {
		p.Changes = append(p.Changes, c.change(t))
	}
	return p
}
