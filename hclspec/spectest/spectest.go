// Package spectest has what the tests of the language's packages share:
// directories of files, sample configurations and what diagnostics look like.
package spectest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
)

// WriteFiles makes a temporary directory of these files, by name.
func WriteFiles(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Chunks are the configurations in the files of a directory, which a line of
// dashes separates, by the file's ending.
func Chunks(t testing.TB, dir string) (native, json []string) {
	t.Helper()
	files, err := filepath.Glob(dir + "/*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in %s: %v", dir, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		chunks := strings.Split(string(text), "\n---\n")
		if filepath.Ext(file) == ".json" {
			json = append(json, chunks...)
		} else {
			native = append(native, chunks...)
		}
	}
	return native, json
}

// Seeds are what fuzzing starts from: the chunks in a directory and the sample
// configurations.
func Seeds(t testing.TB, dir string) (native, json []string) {
	t.Helper()
	native, json = Chunks(t, dir)
	for _, test := range FormatCases {
		native = append(native, test.Given)
	}
	native = append(native, WholeNative, SettingsNative, "\ufeffa = 1\n", "a = \"\xff\"\n", "a = <<A\n${b}\nA\n", "variable \"e\u0301\" {}\n")
	json = append(json, WholeJSON, SettingsJSON, `[{"variable": {"a": {}}}, {}]`, `{"a": 1e999999999}`, `{"//": "x"}`,
		`{"resource": {"Pod": [{"a": {}}, {"a": {}}]}}`)
	return native, json
}

// Text is a diagnostic without its range, in one line.
func Text(d *hcl.Diagnostic) string {
	text := d.Summary + ": " + d.Detail
	if d.Severity == hcl.DiagWarning {
		text = "Warning: " + text
	}
	return strings.ReplaceAll(text, "\n", `\n`)
}

// CheckDiagnostics reports diagnostics that a panic was made into.
func CheckDiagnostics(t testing.TB, diags hcl.Diagnostics) {
	t.Helper()
	for _, err := range diags.Errs() {
		text := err.Error()
		if strings.Contains(text, "goroutine ") || strings.Contains(text, "runtime error") {
			t.Errorf("a panic was caught: %s", text)
		}
	}
}

// Full reports whether tests run in full size, as make torture does. Otherwise
// sources that take long are smaller, and what is tried one after another is a
// sample.
func Full() bool { return os.Getenv("KPLAN_TORTURE") != "" }
