package hclspec

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
)

// seeds are the configurations of the tests, one by one.
func seeds(f *testing.F) (native, json []string) {
	files, _ := filepath.Glob("testdata/invalid/*")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, chunk := range strings.Split(string(text), "\n---\n") {
			if filepath.Ext(file) == ".json" {
				json = append(json, chunk)
			} else {
				native = append(native, chunk)
			}
		}
	}
	for _, test := range formatTests {
		native = append(native, test.given)
	}
	native = append(native, wholeNative, settingsNative, "\ufeffa = 1\n", "a = \"\xff\"\n", "a = <<A\n${b}\nA\n", "variable \"e\u0301\" {}\n")
	json = append(json, wholeJSON, settingsJSON, `[{"variable": {"a": {}}}, {}]`, `{"a": 1e999999999}`, `{"//": "x"}`, `{"resource": {"Pod": [{"a": {}}, {"a": {}}]}}`)
	return native, json
}

// FuzzLoad checks that no source makes loading panic, and that all which is
// loaded can be used.
func FuzzLoad(f *testing.F) {
	native, json := seeds(f)
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
		checkDiagnostics(t, diags)
		if diags.HasErrors() {
			return
		}
		in := Inputs{Partial: true}
		for _, v := range config.Variables {
			in.Args = append(in.Args, VarArg{Set: v.Name + "=" + value})
		}
		values, diags := config.ReadVariables(in)
		checkDiagnostics(t, diags)
		values.JSON()
		_, diags = config.Cluster(values)
		checkDiagnostics(t, diags)
		_, diags = config.Backend(values)
		checkDiagnostics(t, diags)
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
	return Load(dir)
}

// FuzzVariables is FuzzLoad for files of variables.
func FuzzVariables(f *testing.F) {
	for _, text := range []string{`a = "x"`, "a = [1, {}]\nb = null\n", "variable \"a\" {}\n", "a {}\n"} {
		f.Add(text, false)
	}
	for _, text := range []string{`{"a": 1}`, `{"a": {"b": [null]}, "a": 2}`, `[]`} {
		f.Add(text, true)
	}
	dir := writeFiles(f, map[string]string{"main.kplan.hcl": "variable \"a\" { type = map(number) }\nvariable \"b\" { default = 1 }\n"})
	config, diags := Load(dir)
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
		checkDiagnostics(t, diags)
		values.JSON()
	})
}

func checkDiagnostics(t *testing.T, diags hcl.Diagnostics) {
	t.Helper()
	for _, err := range diags.Errs() {
		text := err.Error()
		if strings.Contains(text, "goroutine ") || strings.Contains(text, "runtime error") {
			t.Errorf("a panic was caught: %s", text)
		}
	}
}

// FuzzFormat checks that formatting settles and keeps the meaning.
func FuzzFormat(f *testing.F) {
	native, _ := seeds(f)
	for _, text := range native {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, src []byte) { checkFormat(t, src) })
}
