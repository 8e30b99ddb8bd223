package hclspec_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestInterruptedEvaluation: an interrupt ends the evaluation of whatever is evaluated then.
func TestInterruptedEvaluation(t *testing.T) {
	const loops = `[for a in range(1024) : [for b in range(1024) : [for c in range(1024) : "${a}${b}${c}"]]]`
	for name, source := range map[string]string{
		"local value": "locals { a = " + loops + " }",
		"default":     `variable "a" { default = [for a in [1, 2] : a] }` + "\noutput \"o\" { value = " + loops + " }",
		"validation": `variable "a" {
  default = 1
  validation {
    condition     = var.a == length(` + loops + `)
    error_message = "No."
  }
}`,
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "main.kplan.hcl"), []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(200*time.Millisecond, cancel)
		start := time.Now()
		diags := evaluateAll(ctx, dir)
		if took := time.Since(start); took > 2*time.Second || len(diags) != 1 || diags[0].Summary != "Interrupted" {
			t.Errorf("%s: after %s %v", name, took, diags)
		}
	}
}
