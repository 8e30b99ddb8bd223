package hclspec

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/kinds"
)

// previewed is what the file want.json of a test shows of an object.
type previewed struct {
	Address      addrs.Instance   `json:"address"`
	Object       string           `json:"object"`
	Fields       map[string]any   `json:"fields"`
	Unknown      []addrs.Path     `json:"unknown,omitempty"`
	Sensitive    []addrs.Path     `json:"sensitive,omitempty"`
	Dependencies []addrs.Instance `json:"dependencies,omitempty"`
	Awaits       []addrs.Instance `json:"awaits,omitempty"`
}

// TestPreview evaluates the configurations in testdata/preview and compares
// the objects and outputs with want.json.
func TestPreview(t *testing.T) {
	files, err := filepath.Glob("testdata/preview/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want, at := golden(archive)
			got := previewText(t, archive)
			if *update {
				archive.Files[at].Data = got
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func golden(archive *txtar.Archive) (text []byte, at int) {
	for i, f := range archive.Files {
		if f.Name == "want.json" {
			return f.Data, i
		}
	}
	archive.Files = append(archive.Files, txtar.File{Name: "want.json"})
	return nil, len(archive.Files) - 1
}

func unpack(t testing.TB, archive *txtar.Archive) *config.Config {
	t.Helper()
	dir := t.TempDir()
	for _, f := range archive.Files {
		if f.Name != "want.json" {
			if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	c, diags := config.Load(context.Background(), dir)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return c
}

func optionsFor(t testing.TB, c *config.Config) Options {
	t.Helper()
	values, diags := c.ReadVariables(config.Inputs{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return Options{Variables: values, Kinds: kinds.Builtin()}
}

func previewText(t *testing.T, archive *txtar.Archive) []byte {
	c := unpack(t, archive)
	preview, diags := NewPreview(context.Background(), c, optionsFor(t, c))
	for _, d := range diags {
		t.Errorf("%s %s", d.Error(), d.Detail)
	}
	var text bytes.Buffer
	for _, d := range preview.Desired() {
		writeJSON(t, &text, previewed{
			Address: d.Addr, Object: d.Object.String(), Fields: d.Fields, Unknown: d.Unknown.Sorted(), Sensitive: d.Sensitive.Sorted(),
			Dependencies: d.Dependencies, Awaits: d.Awaits,
		})
	}
	for _, o := range preview.Outputs() {
		writeJSON(t, &text, o)
	}
	return text.Bytes()
}

func writeJSON(t *testing.T, to *bytes.Buffer, v any) {
	t.Helper()
	enc := json.NewEncoder(to)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
}
