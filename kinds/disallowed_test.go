package kinds_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/kindstest"
)

func TestDisallowed(t *testing.T) {
	k := fromCRD(t, database(t))[0]
	for manifest, want := range map[string]string{
		`{spec: {engine: postgress}}`:    `spec.engine: Value not allowed: spec.engine must be postgres or mysql. Did you mean "postgres"?`,
		`{spec: {engine: db2}}`:          `spec.engine: Value not allowed: spec.engine must be postgres or mysql.`,
		`{spec: {engine: mysql}}`:        "",
		`{spec: {engine: null, x: [1]}}`: "",
	} {
		var got []string
		for _, p := range k.UnsupportedValues(decode(t, manifest)) {
			got = append(got, fmt.Sprintf("%s: %s: %s", p.Path, p.Summary, p.Detail))
		}
		if strings.Join(got, "\n") != want {
			t.Errorf("%s: got %q, want %q", manifest, got, want)
		}
	}
	pod := decode(t, `{kind: Pod, spec: {restartPolicy: Sometimes}}`)
	if problems := lookup(t, "Pod").UnsupportedValues(pod); len(problems) > 0 {
		t.Errorf("of a built-in kind nothing is said for sure: %v", problems)
	}
}

// The Kubernetes project keeps an object of each kind with every field filled
// in. They are what the server reads and writes, so nothing may be wrong with
// them, and all that kinds says of them must agree with the Go types.
func TestObjectsWithEveryField(t *testing.T) {
	tested := 0
	for _, k := range kinds.Builtin().Kinds() {
		obj := fullObject(t, k)
		if obj == nil {
			continue
		}
		tested++
		t.Run(k.APIVersion()+"/"+k.Name, func(t *testing.T) {
			compareWithServer(t, k, obj)
			if !k.Root.Equal(obj, k.Root.Canonical(obj)) {
				t.Error("not equal to its canonical form")
			}
			if !k.Root.Equal(obj, roundTrip(t, k, obj)) {
				t.Error("not equal to what the Go type makes of it")
			}
		})
	}
	if tested < 60 {
		t.Errorf("only %d objects found", tested)
	}
}

// fullObject is the object of that kind in the module k8s.io/api, nil if there
// is none.
func fullObject(t testing.TB, k *kinds.Kind) map[string]any {
	t.Helper()
	group := k.Group
	if group == "" {
		group = "core"
	}
	text, err := os.ReadFile(filepath.Join(apiModule(), "testdata", "HEAD", group+"."+k.Version+"."+k.Name+".json"))
	if err != nil {
		return nil
	}
	var obj map[string]any
	if err := json.Unmarshal(text, &obj); err != nil {
		t.Fatal(err)
	}
	return kindstest.WholeNumbers(obj).(map[string]any)
}

// apiModule is the directory of the module k8s.io/api.
var apiModule = sync.OnceValue(func() string {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "k8s.io/api").Output()
	must(err)
	return strings.TrimSpace(string(out))
})
