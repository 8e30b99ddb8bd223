package hclspec

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kplan.dev/kplan/hclspec/budget"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/kinds"
)

// TestCostIsLinear: what honest configurations take of the budget grows as they do, and is far from all of it.
func TestCostIsLinear(t *testing.T) {
	const object = "resource \"ConfigMap\" \"a\" {\n  for_each = %s\n" +
		"  metadata { name = \"a-${each.key}\" }\n  data = { key = each.value }\n}\n"
	for _, test := range []struct {
		name       string
		size, full int // measured at size and twice of it; full is what someone has
		main       func(n int) string
		file       func(n int) string
	}{
		{name: "objects of a map", size: 500, full: 10_000, main: func(n int) string {
			return fmt.Sprintf("locals {\n  all = { %s}\n}\n", "\n"+strings.Repeat("PLACE = \"v\"\n", n)) + fmt.Sprintf(object, "local.all")
		}},
		{name: "objects of a set", size: 500, full: 10_000, main: func(int) string {
			return fmt.Sprintf(object, `toset(compact(split("\n", file("file"))))`)
		}, file: func(n int) string { return strings.Repeat("PLACE\n", n) }},
		{name: "variables", size: 500, full: 4_000, main: func(n int) string {
			return strings.Repeat("variable \"vPLACE\" {\n  default = [\"a\", \"b\"]\n  validation {\n"+
				"    condition     = length([for v in var.vPLACE : \"${v}-x\" if v != \"\"]) > 0\n    error_message = \"No.\"\n  }\n}\n"+
				"locals {\n  lPLACE = [for v in var.vPLACE : \"${v}-1\"]\n}\n", n)
		}},
		{name: "text", size: 250_000, full: 4_000_000, main: func(int) string {
			return "resource \"ConfigMap\" \"a\" {\n  metadata { name = \"a\" }\n  data = { text = file(\"file\") }\n}\n"
		}, file: func(n int) string { return strings.Repeat("0123456789\n", n/11) }},
		{name: "YAML", size: 200, full: 10_000, main: func(int) string {
			return "locals {\n  all = yamldecode(file(\"file\"))\n}\n"
		}, file: func(n int) string {
			return strings.Repeat("- name: a\n  schema: { type: object, properties: { a: { type: string, description: some text } } }\n", n)
		}},
	} {
		cost := func(n int) int64 {
			file := ""
			if test.file != nil {
				file = numbered(test.file(n))
			}
			return costOf(t, numbered(test.main(n)), file)
		}
		once, twice := cost(test.size), cost(2*test.size)
		expected := once * int64(test.full/test.size)
		t.Logf("%s: %d for %d, %d for %d; %d MiB of %d for %d", test.name, once, test.size, twice, 2*test.size,
			expected>>20, budget.Limit>>20, test.full)
		if once == 0 || twice*10 > once*22 {
			t.Errorf("%s: %d for %d, and %d for twice as many", test.name, once, test.size, twice)
		}
		if expected > budget.Limit/2 {
			t.Errorf("%s: %d would take %d MiB", test.name, test.full, expected>>20)
		}
	}
}

// numbered puts a number for each line that has a PLACE, the same in all of the line and of its block.
func numbered(text string) string {
	var b strings.Builder
	blocks := strings.SplitAfter(text, "\nlocals {\n")
	i := 100_000
	for _, block := range blocks {
		for _, line := range strings.SplitAfter(block, "\n") {
			if strings.HasPrefix(line, "PLACE") || strings.HasPrefix(line, "variable") {
				i++
			}
			b.WriteString(strings.ReplaceAll(line, "PLACE", fmt.Sprint("k", i)))
		}
	}
	return b.String()
}

// costOf is what the blocks of a configuration take of the budget.
func costOf(t *testing.T, main, file string) (total int64) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"main.kplan.hcl": main, "file": file} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, diags := config.Load(context.Background(), dir)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	before := c.Budget.Left()
	values, diags := c.ReadVariables(config.Inputs{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	total = before - c.Budget.Left()
	preview, diags := NewPreview(context.Background(), c, Options{Variables: values, Kinds: kinds.Builtin()})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for _, cost := range preview.program.costs {
		total += cost
	}
	return total
}
