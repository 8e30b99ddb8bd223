package source

import (
	"strings"
	"testing"
	"time"
)

func TestLines(t *testing.T) {
	for text, want := range map[string]bool{
		"1":                     false,
		"[1,":                   true,
		"[1,\n2]":               false,
		"{ a = (1":              true,
		"f(1)":                  false,
		"f(":                    true,
		"<<EOT":                 true,
		"<<-EOT\n  a\n":         true,
		"<<EOT\na\nEOT":         false,
		"\"${upper(":            true,
		"\"a":                   false,
		"[\"a":                  false,
		"[ # (":                 true,
		"[ # (\n]":              false,
		"[\n{ a = \"]\" },":     true,
		"f(<<EOT\n)\n":          true,
		"f(<<-EOT\n)\n  EOT":    true,
		"f(<<-EOT\n)\n  EOT\n)": false,
		"[\n<<A\n${[1,\nA\n":    true,
		"\"[\"":                 false,
		"# [":                   false,
		"]":                     false,
		"":                      false,
		"%{ if true }":          false,
		"\x00":                  false,
		"\xff[":                 false,
		"\"%{ if true }a":       false,
		"[<<EOT\n]\n":           true,
		"[<<EOT\n]\nEOT\n, 1]":  false,
	} {
		var lines Lines
		complete := false
		for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
			if complete {
				t.Errorf("%q: complete before %q", text, line)
			}
			complete = lines.Add(line)
		}
		if complete == want {
			t.Errorf("%q: open %t, want %t", text, !complete, want)
		}
	}
}

// A long expression takes time in proportion to its lines.
func TestManyLines(t *testing.T) {
	var lines Lines
	began := time.Now()
	lines.Add("[")
	for range 50_000 {
		if lines.Add("{ a = (1) },") {
			t.Fatal("it is complete")
		}
	}
	lines.Add("<<EOT")
	for range 50_000 {
		if lines.Add("a (b)") {
			t.Fatal("it is complete")
		}
	}
	if lines.Add("EOT") || !lines.Add("]") {
		t.Error("its end was not seen")
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestParseExpression(t *testing.T) {
	for text, want := range map[string]string{
		"1 + 2":               "",
		"x == 1":              "",
		"{ a = 1 }":           "",
		"{ a = { b = 1 } }":   "",
		"<<EOT\na\nEOT":       "",
		"[for k in x : k]":    "",
		"\"${{ a = 1 }.a}\"":  "",
		"a = 1":               "Not an expression",
		"local.a = 1":         "Not an expression",
		"x {":                 "Not an expression",
		"variable \"a\" {}":   "Not an expression",
		"resource \"A\" b {}": "Not an expression",
		"1 2":                 "Extra characters after expression",
		"{ a = 1, a = 2 }":    "Duplicate key",
		"\xff":                "Invalid character encoding",
		strings.Repeat("[", 300) + strings.Repeat("]", 300): "Too deeply nested",
	} {
		_, diags := ParseExpression([]byte(text), "<console>")
		switch {
		case want == "" && diags.HasErrors():
			t.Errorf("%s: %v", text, diags)
		case want != "" && (len(diags) != 1 || diags[0].Summary != want):
			t.Errorf("%.40s: %v, want %s", text, diags, want)
		case want != "" && (diags[0].Subject == nil || diags[0].Subject.Filename != "<console>"):
			t.Errorf("%.40s: no place", text)
		}
	}
}

func TestIsBlank(t *testing.T) {
	for text, want := range map[string]bool{"": true, " \n\t": true, "# a\n// b\n/* c */": true, "1": false, "\xff": false} {
		if IsBlank([]byte(text)) != want {
			t.Errorf("%q: blank %t", text, !want)
		}
	}
}
