package convert

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"pgregory.net/rapid"
	"sigs.k8s.io/yaml"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/kindstest"
)

// desired evaluates a configuration, with the values of its variables.
func desired(t testing.TB, c *Configuration) ([]*hclspec.Desired, hcl.Diagnostics) {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, text []byte) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range c.Files(func(string) string { return "" }) {
		write(f.Name, f.Text)
		if formatted, diags := source.Format(f.Text, f.Name); string(formatted) != string(f.Text) {
			t.Errorf("not as fmt has it: %v\n%s", diags, f.Text)
		}
	}
	for _, b := range c.Blocks {
		if b.Manifest != "" {
			write(b.Manifest, b.ManifestText)
		}
	}
	write("x.auto.kpvars.hcl", c.Values())
	loaded, diags := config.Load(context.Background(), dir)
	if diags.HasErrors() {
		return nil, diags
	}
	values, diags := loaded.ReadVariables(config.Inputs{})
	if diags.HasErrors() {
		return nil, diags
	}
	known := kinds.OpenSet{Set: kinds.Builtin()}
	preview, diags := hclspec.NewPreview(context.Background(), loaded, hclspec.Options{Variables: values, Kinds: known})
	return preview.Desired(), diags
}

// converted reads and converts YAML, and evaluates the result.
func converted(t testing.TB, text string, opts Options) ([]*hclspec.Desired, string) {
	t.Helper()
	objects, diags := Read("test.yaml", text)
	var c *Configuration
	if !diags.HasErrors() {
		c, diags = New(objects, opts)
	}
	if diags.HasErrors() {
		t.Fatalf("%v\n%s", diagnostics(diags), text)
	}
	result := string(c.Whole().Text)
	found, diags := desired(t, c)
	for _, d := range diags {
		refused := strings.Contains(d.Detail, "The API server refuses") || strings.Contains(d.Detail, "the control plane overwrites")
		if d.Severity == hcl.DiagError && !refused {
			t.Fatalf("%v\n%s\n%s", diagnostics(diags), text, result)
		}
	}
	return found, result
}

func diagnostics(diags hcl.Diagnostics) string {
	var b strings.Builder
	for _, d := range diags {
		fmt.Fprintf(&b, "%s: %s\n", d.Error(), d.Detail)
	}
	return b.String()
}

// checkRoundTrip compares what comes of objects with what they were, by the equality of the API.
func checkRoundTrip(t testing.TB, objects []map[string]any, opts Options) {
	t.Helper()
	var text strings.Builder
	for _, o := range objects {
		one, err := yaml.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		text.WriteString("---\n" + string(one))
	}
	found, result := converted(t, text.String(), opts)
	byIdentity := map[addrs.Object]*hclspec.Desired{}
	for _, d := range found {
		byIdentity[d.Object.Identity()] = d
	}
	for _, o := range objects {
		k := kindstest.KindOf(t, o)
		metadata := o["metadata"].(map[string]any)
		namespace, _ := metadata["namespace"].(string)
		if namespace == "" && k.Namespaced {
			namespace = "default"
		}
		d := byIdentity[k.Object(namespace, metadata["name"].(string)).Identity()]
		if d == nil {
			t.Fatalf("%s %s is missing in\n%s", k.Name, metadata["name"], result)
			return
		}
		want, got := comparable(o), comparable(d.Fields)
		if !k.Root.Equal(want, got) {
			w, _ := yaml.Marshal(want)
			g, _ := yaml.Marshal(got)
			t.Fatalf("%s %s:\n%s\nbecame:\n%s\nby:\n%s", k.Name, metadata["name"], w, g, result)
		}
	}
}

// comparable is an object without what the server alone sets, and with stringData as the server has it.
func comparable(o map[string]any) map[string]any {
	o = maps.Clone(o)
	delete(o, "status")
	metadata := maps.Clone(o["metadata"].(map[string]any))
	for _, name := range kinds.ServerMetadata {
		delete(metadata, name)
	}
	if metadata["name"] != nil {
		delete(metadata, "generateName")
	}
	if metadata["namespace"] == "default" {
		delete(metadata, "namespace")
	}
	o["metadata"] = metadata
	if texts, ok := o["stringData"].(map[string]any); ok {
		data, _ := o["data"].(map[string]any)
		data = maps.Clone(data)
		if data == nil {
			data = map[string]any{}
		}
		for key, value := range texts {
			data[key] = base64.StdEncoding.EncodeToString([]byte(value.(string)))
		}
		o["data"] = data
		delete(o, "stringData")
	}
	return o
}

// TestRoundTripMinimal converts an object of every built-in kind.
func TestRoundTripMinimal(t *testing.T) {
	objects := kindstest.Minimal(t)
	for _, o := range objects {
		checkRoundTrip(t, []map[string]any{o}, Options{})
		checkRoundTrip(t, []map[string]any{o}, Options{SecretVariables: true, Files: true})
	}
	checkRoundTrip(t, objects, Options{})
}

// generator draws objects by their schemas.
type generator struct {
	t     *rapid.T
	count int
}

var pieces = []string{"a", "Z", "0", " ", "  ", "\n", "\n\n", "\t", "\"", "\\", "${", "$${", "%{", "%%{", "$", "{", "}", "é", "界", "😀", "#",
	"//", "/*",
	"EOT", "\nEOT\n", "<<-EOT", "'", ":", "- ", "\r", "\r\n", "\u00a0", "\u200b", "\x01", "~", "true", "1.10", "0777", "null", "y"}

func (g *generator) text() string {
	switch rapid.IntRange(0, 3).Draw(g.t, "text") {
	case 0:
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 12).Draw(g.t, "pieces"), "")
	case 1:
		lines := rapid.SliceOfN(rapid.SampledFrom([]string{"", "x", "  y", "\tz", "a ${b}", " ", "if [ x ]; then"}), 1, 6).Draw(g.t, "lines")
		return strings.Join(lines, "\n")
	}
	return g.name()
}

func (g *generator) name() string {
	return rapid.StringMatching(`[a-z][a-z0-9]{0,8}`).Draw(g.t, "name")
}

func (g *generator) unique() string {
	g.count++
	return fmt.Sprintf("n%d", g.count)
}

func (g *generator) value(f *kinds.Field, depth int) any {
	switch f.Type {
	case kinds.Object:
		return g.object(f, depth)
	case kinds.Map:
		m := map[string]any{}
		for range rapid.IntRange(0, 2).Draw(g.t, "entries") {
			key := g.unique()
			if child := f.Field(key); child != nil {
				m[key] = g.value(child, depth-1)
			}
		}
		return m
	case kinds.List:
		return g.list(f, depth)
	case kinds.String:
		if len(f.Enum) > 0 {
			return rapid.SampledFrom(f.Enum).Draw(g.t, "enum")
		}
		return g.text()
	case kinds.Integer:
		if f.Int32 {
			return int64(rapid.Int32().Draw(g.t, "int32"))
		}
		return rapid.Int64().Draw(g.t, "int64")
	case kinds.Number:
		return rapid.Float64Range(-1e6, 1e6).Draw(g.t, "number")
	case kinds.Boolean:
		return rapid.Bool().Draw(g.t, "boolean")
	case kinds.Quantity:
		return rapid.SampledFrom([]any{"100m", "1Gi", int64(2), 0.5, "1e3", "12E", "1.5Gi", "0"}).Draw(g.t, "quantity")
	case kinds.IntOrString:
		return rapid.SampledFrom([]any{int64(80), "http", "25%", "80"}).Draw(g.t, "port")
	case kinds.Time:
		return rapid.SampledFrom([]any{"2026-01-02T03:04:05Z", "2026-01-02T03:04:05+02:00"}).Draw(g.t, "time")
	case kinds.Duration:
		return rapid.SampledFrom([]any{"30s", "1m30s", "0s"}).Draw(g.t, "duration")
	case kinds.Bytes:
		return base64.StdEncoding.EncodeToString(rapid.OneOf(rapid.SliceOfN(rapid.Byte(), 0, 8),
			rapid.Custom(func(*rapid.T) []byte { return []byte(g.text()) })).Draw(g.t, "bytes"))
	}
	return g.free(2)
}

// free is any JSON value.
func (g *generator) free(depth int) any {
	switch rapid.IntRange(0, 6).Draw(g.t, "free") {
	case 0:
		return rapid.Int64().Draw(g.t, "int")
	case 1:
		return rapid.Bool().Draw(g.t, "bool")
	case 2:
		return rapid.Float64().Draw(g.t, "float")
	case 3, 4:
		if depth > 0 {
			m := map[string]any{}
			for range rapid.IntRange(0, 3).Draw(g.t, "size") {
				m[rapid.SampledFrom([]string{"a", "b-c", "for", "a b", "$ref", "true", "x.y/z", "é"}).Draw(g.t, "key")] = g.free(depth - 1)
			}
			return m
		}
	case 5:
		if depth > 0 {
			items := []any{}
			for range rapid.IntRange(0, 3).Draw(g.t, "size") {
				items = append(items, g.free(depth-1))
			}
			return items
		}
	}
	return g.text()
}

func (g *generator) list(f *kinds.Field, depth int) []any {
	items := []any{}
	for range rapid.IntRange(0, 2).Draw(g.t, "items") {
		item := g.value(f.Elem, depth-1)
		if m, ok := item.(map[string]any); ok {
			for _, key := range f.ListKeys {
				if child := f.Elem.Field(key); child != nil && child.Type == kinds.String && len(child.Enum) == 0 {
					m[key] = g.unique()
				} else if child != nil && child.Type == kinds.Integer {
					g.count++
					m[key] = int64(g.count)
				}
			}
		} else if f.Set && f.Elem.Type == kinds.String {
			item = g.unique()
		} else if f.Set {
			g.count++
			item = int64(g.count)
		}
		items = append(items, item)
	}
	return items
}

func (g *generator) object(f *kinds.Field, depth int) map[string]any {
	m := map[string]any{}
	for _, child := range f.Fields() {
		if !child.Required && (child.Allocated || slices.Contains(kinds.ServerMetadata, child.Name)) {
			continue
		}
		if child.Required || depth > 0 && rapid.IntRange(0, 3).Draw(g.t, "set") == 0 {
			m[child.Name] = g.value(child, depth-1)
		}
	}
	return m
}

// manifest is an object of a kind.
func (g *generator) manifest(k *kinds.Kind) map[string]any {
	o := g.object(k.Root, rapid.IntRange(1, 5).Draw(g.t, "depth"))
	delete(o, "status")
	o["apiVersion"], o["kind"] = k.APIVersion(), k.Name
	metadata := map[string]any{"name": g.unique()}
	if k.Namespaced && rapid.Bool().Draw(g.t, "namespaced") {
		metadata["namespace"] = rapid.SampledFrom([]string{"a", "b", "default"}).Draw(g.t, "namespace")
	}
	if rapid.Bool().Draw(g.t, "annotated") {
		metadata["annotations"] = map[string]any{"example.com/" + g.unique(): g.text()}
	}
	if rapid.Bool().Draw(g.t, "labelled") {
		metadata["labels"] = map[string]any{"app": g.name()}
	}
	o["metadata"] = metadata
	return o
}

// TestRoundTripProperty converts 600 objects of all built-in kinds with random content.
func TestRoundTripProperty(t *testing.T) {
	all := slices.DeleteFunc(kinds.Builtin().Kinds(), func(k *kinds.Kind) bool { return k.Name == "CustomResourceDefinition" })
	rapid.Check(t, func(rt *rapid.T) {
		g := &generator{t: rt}
		var objects []map[string]any
		for range 6 {
			objects = append(objects, g.manifest(rapid.SampledFrom(all).Draw(rt, "kind")))
		}
		checkRoundTrip(&quiet{TB: t, rt: rt}, objects, Options{SecretVariables: rapid.Bool().Draw(rt, "variables")})
	})
}

// quiet reports failures to rapid, which then looks for the smallest.
type quiet struct {
	testing.TB
	rt *rapid.T
}

func (q *quiet) Fatalf(format string, args ...any) { q.rt.Fatalf(format, args...) }
func (q *quiet) Errorf(format string, args ...any) { q.rt.Errorf(format, args...) }
func (q *quiet) Fatal(args ...any)                 { q.rt.Fatal(args...) }
