package hclspec_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

// TestConvertInJSON: the second argument of convert is a type there, too.
func TestConvertInJSON(t *testing.T) {
	dir := t.TempDir()
	text := `{"locals": {"a": "${convert([1], list(string))}", "b": "x${join(\",\", convert([1], set(string)))}"},
  "output": {"o": {"value": "${convert({ a = local.a[0] }, object({ a = number, b = optional(string) }))}"}}}`
	if err := os.WriteFile(filepath.Join(dir, "main.kplan.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if diags := evaluateAll(context.Background(), dir); len(diags) > 0 {
		t.Error(diags)
	}
}
