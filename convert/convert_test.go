package convert

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "write the results into testdata")

// TestGolden converts the first file of each archive in testdata, in the way that its comment says, and compares
// the result with the second.
func TestGolden(t *testing.T) {
	paths, err := filepath.Glob("testdata/golden/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) { checkGolden(t, path) })
	}
}

func checkGolden(t *testing.T, path string) {
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	in, want := archive.Files[0], archive.Files[1]
	objects, diags := Read(in.Name, string(in.Data))
	var got strings.Builder
	diags = append(diags, Write(&got, objects, Options{SecretVariables: strings.Contains(string(archive.Comment), "-secrets=variables")})...)
	for _, d := range diags {
		got.WriteString(d.Error() + "\n")
	}
	if *update {
		archive.Files[1].Data = []byte(got.String())
		if err := os.WriteFile(path, txtar.Format(archive), 0o600); err != nil {
			t.Fatal(err)
		}
	} else if got.String() != string(want.Data) {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want.Data)
	}
}

// TestReadForms reads a text in the forms in which files come.
func TestReadForms(t *testing.T) {
	const one = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n"
	for name, text := range map[string]string{
		"byte order mark": "\ufeff" + one,
		"CRLF":            strings.ReplaceAll("# x\n"+one, "\n", "\r\n"),
		"empty documents": "---\n---\n# nothing\n---\n" + one + "---\n\n...\n---\n",
		"JSON":            `{"apiVersion": "v1",` + "\n\t" + `"kind": "Namespace", "metadata": {"name": "a"}}`,
		"flow":            "{apiVersion: v1, kind: Namespace, metadata: {name: a}}",
		"list":            "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Namespace\n  metadata: {name: a}\n",
		"list of a kind":  "apiVersion: v1\nkind: NamespaceList\nitems:\n- metadata: {name: a}\n",
		"list in a list":  "kind: List\nitems: [{kind: List, items: [{apiVersion: v1, kind: Namespace, metadata: {name: a}}]}]\n",
		"anchors":         "x: &m {name: a}\napiVersion: v1\nkind: Namespace\nmetadata: {<<: *m}\n",
	} {
		objects, diags := Read("x.yaml", text)
		if diags.HasErrors() || len(objects) != 1 {
			t.Errorf("%s: %d objects, %s", name, len(objects), diagnostics(diags))
			continue
		}
		c, diags := New(objects, Options{})
		if diags.HasErrors() || c.Blocks[0].Address.String() != "Namespace.a" {
			t.Errorf("%s: %v %s", name, c.Blocks, diagnostics(diags))
		}
	}
}

// TestEmptyList: a list without items has no objects, and is no mistake.
func TestEmptyList(t *testing.T) {
	if objects, diags := Read("x.yaml", "apiVersion: v1\nkind: List\nitems: []\n"); len(objects) != 0 || diags.HasErrors() {
		t.Error(objects, diags)
	}
}

func TestIdentifier(t *testing.T) {
	for _, test := range []struct {
		parts []string
		want  string
	}{
		{[]string{"web-app"}, "web_app"},
		{[]string{"system:kube-scheduler"}, "system_kube_scheduler"},
		{[]string{"acme", "web.v2"}, "acme_web_v2"},
		{[]string{"3scale"}, "_3scale"},
		{[]string{"", "--"}, "_"},
	} {
		if got := identifier(test.parts...); got != test.want {
			t.Errorf("%q became %s, not %s", test.parts, got, test.want)
		}
	}
}

// TestFromJSON writes an object of a cluster, with an import block.
func TestFromJSON(t *testing.T) {
	o := FromJSON(map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "data": map[string]any{"b": "1", "a": "x\ny\n"},
		"metadata": map[string]any{"namespace": "acme", "name": "web", "labels": map[string]any{"app": "web"}, "resourceVersion": "7"},
	})
	o.Import, o.Managers = true, []string{"release-bot"}
	var got strings.Builder
	if diags := Write(&got, []*Object{o}, Options{}); diags.HasErrors() {
		t.Fatal(diagnostics(diags))
	}
	const want = `resource "ConfigMap" "web" {
  metadata {
    name      = "web"
    namespace = "acme"
    labels    = { app = "web" }
  }
  data = {
    a = <<-EOT
      x
      y
    EOT
    b = "1"
  }
}

import {
  to       = ConfigMap.web
  managers = ["release-bot"]
}
`
	if got.String() != want {
		t.Errorf("got\n%s", got.String())
	}
}
