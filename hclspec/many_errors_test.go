package hclspec_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/hclspec/spectest"
)

// TestManyErrors: of 4,000 mistakes in a configuration of 6,000 blocks the first are reported, in time.
func TestManyErrors(t *testing.T) {
	forms := []string{`ConfigMap.misspelled%d.data`}
	if spectest.Full() {
		forms = append(forms, `var.misspelled%d`, `local.misspelled%d`, `ConfigMap.x["misspelled%d"].data`, `misspelled%d()`,
			`ConfigMap.x%[1]d.data`, `declared%d`, `Secret.declared%d.data`)
	}
	for _, form := range forms {
		var b strings.Builder
		for i := range 1000 {
			fmt.Fprintf(&b, "variable \"declared%d\" {\n  default = 1\n}\n", i)
			fmt.Fprintf(&b, "resource \"ConfigMap\" \"declared%d\" {\n  metadata { name = \"x%d\" }\n}\n", i, i)
		}
		for i := range 4000 {
			fmt.Fprintf(&b, "locals {\n  a%d = "+form+"\n}\n", i, i)
		}
		b.WriteString("resource \"ConfigMap\" \"x\" {\n  for_each = toset([for i in range(1000) : \"spelled${i}\"])\n" +
			"  metadata { name = each.key }\n}\n")
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "main.kplan.hcl"), []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		got, cpu := explode(t, dir)
		t.Logf("%s: %.2f s of the processor, %d errors", form, cpu.Seconds(), len(got.Problems))
		if n := len(got.Problems); n != source.MaxProblems+1 || got.Problems[n-1].Summary != "Too many problems" {
			t.Errorf("%s: %d errors, the last: %v", form, n, got.Problems[n-1])
		}
		if limit := 2 * time.Second; spectest.Full() && cpu > limit {
			t.Errorf("%s: it took %s", form, cpu)
		}
	}
}
