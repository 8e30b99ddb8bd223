package source

import (
	"strings"
	"testing"
)

func TestIsOpen(t *testing.T) {
	for text, want := range map[string]bool{
		"1":                    false,
		"[1,":                  true,
		"[1,\n2]":              false,
		"{ a = (1":             true,
		"f(1)":                 false,
		"f(":                   true,
		"<<EOT":                true,
		"<<-EOT\n  a\n":        true,
		"<<EOT\na\nEOT":        false,
		"\"${upper(":           true,
		"\"a":                  false,
		"[\"a\n":               false,
		"\"[\"":                false,
		"# [":                  false,
		"]":                    false,
		"":                     false,
		"%{ if true }":         false,
		"\x00":                 false,
		"\xff[":                false,
		"\"%{ if true }a":      false,
		"[<<EOT\n]\n":          true,
		"[<<EOT\n]\nEOT\n, 1]": false,
	} {
		if got := IsOpen([]byte(text)); got != want {
			t.Errorf("%q: open %t, want %t", text, got, want)
		}
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
