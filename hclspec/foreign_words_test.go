package hclspec_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestForeignWords: what other tools call it is one error that says what to write.
func TestForeignWords(t *testing.T) {
	inConfigMap := func(text string) string {
		return "resource \"Namespace\" \"n\" {\n  metadata { name = \"n\" }\n}\nresource \"ConfigMap\" \"a\" {\n" +
			"  metadata { name = \"a\" }\n  " + text + "\n}\n"
	}
	inContainer := func(text string) string {
		return "resource \"Pod\" \"a\" {\n  metadata { name = \"a\" }\n  spec {\n    containers {\n      name = \"a\"\n      image = \"i\"\n" +
			"      " + text + "\n    }\n  }\n}\n"
	}
	for _, test := range []struct{ text, want string }{
		{inConfigMap(`data = { a = Namespace.n.name }`), `It is in metadata: metadata.name.`},
		{inConfigMap(`data = { a = Namespace.n.namespace }`), `It is in metadata: metadata.namespace.`},
		{inConfigMap(`data = { a = Namespace.n.labels.x }`), `It is in metadata: metadata.labels.`},
		{inConfigMap(`data = { a = Namespace.n.annotations["x"] }`), `It is in metadata: metadata.annotations.`},
		{inConfigMap(`data = { a = Namespace.n.uid }`), `It is in metadata: metadata.uid.`},
		{inConfigMap(`namespace = "n"`), `It is in metadata: metadata.namespace.`},
		{inConfigMap(`labels = { a = "b" }`), `It is in metadata: metadata.labels.`},
		{inConfigMap(`data = { a = each.key }`), `each exists only in a block with for_each.`},
		{inConfigMap(`data = { a = each.value }`), `each exists only in a block with for_each.`},
		{inConfigMap(`data = { a = count.index }`), `count exists only in a block with count.`},
		{inConfigMap(`depends_on = ["Namespace.n"]`), `A reference is written without quotes: [Namespace.n].`},
		{inConfigMap(`lifecycle = {}`), `lifecycle is a block: it is written without an equals sign.`},
		{inConfigMap(`count {}`), `count is an argument: count = ….`},
		{inConfigMap("data:\n    a: b"), `manifest = yamldecode(file("name.yaml")).`},
		{inContainer("ports:\n      - containerPort: 80"), `manifest = yamldecode(file("name.yaml")).`},
		{inContainer(`image_pull_policy = "Always"`), `Did you mean "imagePullPolicy"?`},
		{inContainer(`port { containerPort = 80 }`), `Did you mean "ports"?`},
		{inContainer(`volume_mount { name = "a" }`), `Did you mean "volumeMounts"?`},
		{"resource \"ConfigMap\" \"a\" {\n  manifest {\n    kind = \"ConfigMap\"\n  }\n}\n", `It is written manifest = { … }.`},
		{inConfigMap(`data = { a = "cd ${HOME}" }`), `If ${HOME} is meant as text, for a shell for example, write $${HOME}.`},
		{inConfigMap(`data = { a = "${name}/x" }`), `If ${name} is meant as text, for a shell for example, write $${name}.`},
		{inConfigMap("data = { a = <<-EOT\n    cd ${HOME}\n    EOT\n  }"), `write $${HOME}.`},
		{inConfigMap(`data = { a = "${CMD:-sleep}" }`), `you can escape it by starting with "$${" instead of just "${".`},
		{inConfigMap(`data = { a = HOME }`), `To write text, put it in quotes: "HOME".`},
		{inConfigMap("data = { a = <<\"EOT\"\n    x\n    EOT\n  }"), `The word has no quotes, and nothing else is in its line.`},
		{inConfigMap("data = { a = <<'EOT'\n    x: y\n    EOT\n  }"), `The word has no quotes, and nothing else is in its line.`},
		{inConfigMap("data = { a = <<EOT # x\nx\nEOT\n  }"), `The word has no quotes, and nothing else is in its line.`},
		{inConfigMap("data = { a = <<-EOT\n    x\n    EOF\n  }"), `The text that begins here has no end: a line with nothing but EOT.`},
		{inConfigMap("data = { a = <<-EOT\n    x\n    EOT }"), `The text that begins here has no end: a line with nothing but EOT.`},
		{inConfigMap(`data = { a = $HOME }`), `A reference is written without it: var.name. In a text it is "${var.name}".`},
		{inConfigMap(`data = { a = "\${HOME}" }`), `For a "${" that stays as it is write "$${"; a "$" without a brace needs nothing.`},
		{inConfigMap(`data = { a = "\%{x}" }`), `For a "%{" that stays as it is write "%%{"; a "%" without a brace needs nothing.`},
		{inConfigMap(`data = { a = "%{REQUEST_URI}" }`), `For a "%{" that stays as it is write "%%{".`},
		{inConfigMap(`data = { a = {{ .Values.a }} }`), `{{ … }} is a template of Helm or Go.`},
		{inConfigMap("{{- if .Values.a }}\n  data = { a = {{ .Values.a | quote }} }\n{{- end }}"), `{{ … }} is a template of Helm or Go.`},
		{inConfigMap(`data = { a = "${{ secrets.TOKEN }}" }`), `write $${{ … }}.`},
		{"resource \"ConfigMap\" \"a\" {\n  manifest = yamldecode(\"apiVersion: v1\\nkind: List\\nitems: []\")\n}\n",
			`The block's first label is ConfigMap, but the manifest has "List".`},
		{"apiVersion: v1\nkind: ConfigMap\n", `manifest = yamldecode(file("name.yaml")).`},
		{`resource "kubernetes_namespace" "a" {}`, `Did you mean "Namespace"?`},
		{`resource "kubernetes_deployment_v1" "a" {}`, `Did you mean "Deployment"?`},
		{`resource "kubernetes_horizontal_pod_autoscaler_v2" "a" {}`, `Did you mean "HorizontalPodAutoscaler"?`},
		{`provider "kubernetes" {}`, `The cluster block inside the kplan block configures the cluster.`},
		{`terraform {}`, `The block for kplan's own settings is called kplan.`},
		{`module "m" {}`, `The argument "source" is required`},
		{`ephemeral "a" "b" {}`, `kplan has no ephemeral resources.`},
		{`Deployment "a" {}`, `resource "Deployment" "name" { … }`},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "main.kplan.hcl"), []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		diags := evaluateAll(context.Background(), dir)
		if len(diags) != 1 || !strings.Contains(diags[0].Detail, test.want) {
			t.Errorf("%s: %v, want one error with %q", test.text, diags, test.want)
		}
	}
}
