package hclspec_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
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

// TestPositionsInJSON: what is wrong in a template is found where it stands in the file, behind escapes of all kinds.
func TestPositionsInJSON(t *testing.T) {
	for _, before := range []string{
		``, `plain `, `\n`, `\"\\\/\b\f\n\t`, `\u00e4`, `\u0041\u000a`, `\ud83d\ude00`, `ä€😀`, `😀\u00e4\n`, `${local.b}\n`, `${\"a\\n\"}`,
		`${join(\",\", [\"\u00e4\"])}`, `%{ if true }\n%{ endif }\t`,
	} {
		for _, wrong := range []string{`${local.missing}`, `${upper(var.missing)}`, `${missing}`, `${nofunction(1)}`, `${[1][5]}`, `${local.b.x}`} {
			text := "{\n  \"locals\": {\"b\": \"b\", \"a\": \"" + before + "WRONG\"}}"
			at := strings.Index(text, "WRONG")
			text = strings.Replace(text, "WRONG", wrong, 1)
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "main.kplan.json"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			diags := evaluateAll(context.Background(), dir)
			if len(diags) != 1 {
				t.Errorf("%s: %v", text, diags)
				continue
			}
			subject := diags[0].Subject
			if subject.Start.Byte < at+2 || subject.End.Byte > at+len(wrong) || subject.End.Byte <= subject.Start.Byte || subject.Start.Line != 2 {
				t.Errorf("%s: %v at %d to %d, want within %d to %d", text, diags, subject.Start.Byte, subject.End.Byte, at+2, at+len(wrong))
			}
		}
	}
}
