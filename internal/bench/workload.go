package main

import (
	"embed"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"sigs.k8s.io/yaml"
)

//go:embed templates
var templateFiles embed.FS

var templates = template.Must(template.ParseFS(templateFiles, "templates/*.tmpl"))

// workload is the tenants that one tool makes: each a namespace, and in it a
// pod, a replication controller and a service.
type workload struct {
	prefix   string // of the namespaces, so that two tools never meet
	tenants  int
	replicas int
	// changed asks for another image in every replication controller: a quarter
	// of all objects.
	changed bool
}

// objectsPerTenant is how many objects each tenant has.
const objectsPerTenant = 4

// tenant is what the templates see.
type tenant struct {
	Name, Namespace, Image, PodImage string
	Replicas                         int
}

func (w workload) list() []tenant {
	image := "registry.example/app:1"
	if w.changed {
		image = "registry.example/app:2"
	}
	tenants := make([]tenant, w.tenants)
	for i := range tenants {
		name := fmt.Sprintf("t%05d", i)
		tenants[i] = tenant{name, w.prefix + "-" + name, image, "registry.example/app:1", w.replicas}
	}
	return tenants
}

// writeBlocks writes a file of HCL for each tenant, with a block for each of
// its objects.
func (w workload) writeBlocks(dir string) error {
	return w.writeEach(dir, ".kplan.hcl", "blocks.hcl.tmpl")
}

// writeForEach writes one file of HCL with a block for each kind.
func (w workload) writeForEach(dir string) error {
	return writeTemplate(filepath.Join(dir, "tenants.kplan.hcl"), "each.hcl.tmpl", w.list())
}

// writeTerraform writes a file for each tenant.
func (w workload) writeTerraform(dir string) error {
	provider := "terraform {\n  required_providers {\n    kubernetes = { source = \"hashicorp/kubernetes\" }\n  }\n}\n"
	if err := writeText(filepath.Join(dir, "provider.tf"), provider); err != nil {
		return err
	}
	return w.writeEach(dir, ".tf", "tenant.tf.tmpl")
}

func (w workload) writeEach(dir, suffix, name string) error {
	for _, t := range w.list() {
		if err := writeTemplate(filepath.Join(dir, t.Name+suffix), name, t); err != nil {
			return err
		}
	}
	return nil
}

// writeYAML writes a file for each tenant.
func (w workload) writeYAML(dir string) error {
	for _, t := range w.list() {
		var docs []string
		for _, object := range t.manifests(nil) {
			doc, err := yaml.Marshal(object)
			if err != nil {
				return err
			}
			docs = append(docs, string(doc))
		}
		if err := writeText(filepath.Join(dir, t.Name+".yaml"), strings.Join(docs, "---\n")); err != nil {
			return err
		}
	}
	return nil
}

// writeChart writes a chart for Helm.
func (w workload) writeChart(dir string) error {
	if err := writeText(filepath.Join(dir, "Chart.yaml"), "apiVersion: v2\nname: bench\nversion: 0.1.0\n"); err != nil {
		return err
	}
	return w.writeYAML(filepath.Join(dir, "templates"))
}

// writeObjects writes what the bare client sends, one list of objects.
func (w workload) writeObjects(dir string) error {
	var all []object
	for _, t := range w.list() {
		all = append(all, t.manifests(object{bareLabel: w.prefix})...)
	}
	text, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return writeText(filepath.Join(dir, objectsFile), string(text))
}

type object = map[string]any

// pods is how many there are once the controllers have made theirs.
func (w workload) pods() int { return w.tenants * (1 + w.replicas) }

// manifests are the tenant's objects, with labels added to each.
func (t tenant) manifests(labels object) []object {
	metadata := func(name string) object {
		m := object{"name": name, "labels": merged(labels, object{"name": name, "tenant": t.Name})}
		if name != t.Namespace {
			m["namespace"] = t.Namespace
		}
		return m
	}
	container := func(image string) object {
		return object{
			"name": "app", "image": image,
			"ports":     []any{object{"containerPort": 9080}},
			"resources": object{"requests": object{"cpu": "1m", "memory": "1Mi"}},
		}
	}
	selector := object{"name": "app", "tenant": t.Name}
	return []object{
		{"apiVersion": "v1", "kind": "Namespace", "metadata": metadata(t.Namespace)},
		{"apiVersion": "v1", "kind": "Pod", "metadata": metadata("single"), "spec": object{"containers": []any{container(t.PodImage)}}},
		{"apiVersion": "v1", "kind": "ReplicationController", "metadata": metadata("app"), "spec": object{
			"replicas": t.Replicas, "selector": selector,
			"template": object{"metadata": object{"labels": selector}, "spec": object{"containers": []any{container(t.Image)}}},
		}},
		{"apiVersion": "v1", "kind": "Service", "metadata": metadata("app"), "spec": object{
			"selector": selector,
			"ports":    []any{object{"port": 80, "targetPort": 9080}},
		}},
	}
}

func merged(a, b object) object {
	m := object{}
	for _, from := range []object{a, b} {
		for key, value := range from {
			m[key] = value
		}
	}
	return m
}

func writeTemplate(path, name string, data any) error {
	var text strings.Builder
	if err := templates.ExecuteTemplate(&text, name, data); err != nil {
		return err
	}
	return writeText(path, text.String())
}

func writeText(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), 0o600)
}
