package config

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/hclspec/spectest"
)

// FuzzLoad checks that no source makes loading panic, and that all which is
// loaded can be used.
func FuzzLoad(f *testing.F) {
	native, json := spectest.Seeds(f, "../testdata/invalid")
	for _, text := range native {
		f.Add(text, false, "x")
	}
	for _, text := range json {
		f.Add(text, true, "[1]")
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string, isJSON bool, value string) {
		config, diags := loadFuzzed(t, dir, text, isJSON)
		if config == nil {
			t.Fatal("no Config")
		}
		spectest.CheckDiagnostics(t, diags)
		if diags.HasErrors() {
			return
		}
		in := Inputs{Partial: true}
		for _, v := range config.Variables {
			in.Args = append(in.Args, VarArg{Set: v.Name + "=" + value})
		}
		values, diags := config.ReadVariables(in)
		spectest.CheckDiagnostics(t, diags)
		values.JSON()
		_, diags = config.Cluster(values)
		spectest.CheckDiagnostics(t, diags)
		_, diags = config.Backend(values, nil)
		spectest.CheckDiagnostics(t, diags)
	})
}

// loadFuzzed loads a configuration of one file, the only one in dir.
func loadFuzzed(t *testing.T, dir, text string, isJSON bool) (*Config, hcl.Diagnostics) {
	t.Helper()
	name, other := "main.kplan.hcl", "main.kplan.json"
	if isJSON {
		name, other = other, name
	}
	os.Remove(filepath.Join(dir, other))
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(context.Background(), dir)
}

// FuzzVariables is FuzzLoad for files of variables.
func FuzzVariables(f *testing.F) {
	for _, text := range []string{`a = "x"`, "a = [1, {}]\nb = null\n", "variable \"a\" {}\n", "a {}\n"} {
		f.Add(text, false)
	}
	for _, text := range []string{`{"a": 1}`, `{"a": {"b": [null]}, "a": 2}`, `[]`} {
		f.Add(text, true)
	}
	dir := spectest.WriteFiles(f, map[string]string{"main.kplan.hcl": "variable \"a\" { type = map(number) }\nvariable " +
		"\"b\" { default = 1 }\n"})
	config, diags := Load(context.Background(), dir)
	if diags.HasErrors() {
		f.Fatal(diags)
	}
	f.Fuzz(func(t *testing.T, text string, isJSON bool) {
		path := filepath.Join(dir, "given.kpvars.hcl")
		if isJSON {
			path = filepath.Join(dir, "given")
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		values, diags := config.ReadVariables(Inputs{Args: []VarArg{{File: path}}, Partial: true})
		spectest.CheckDiagnostics(t, diags)
		values.JSON()
	})
}
