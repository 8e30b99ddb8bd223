package source

import (
	"fmt"
	"testing"
)

// TestOneErrorForOneMistake checks that a mistake in the syntax is one error, at its place.
func TestOneErrorForOneMistake(t *testing.T) {
	const more = "\nb = \"x\"\nc = \"y ${b} z\"\nd = { e = \"f\" }\n"
	tests := []struct{ name, src, want string }{
		{"a.hcl", `a = "x` + more, "1,5 Missing quote"},
		{"a.hcl", `a = x"` + more, "1,6 Missing quote"},
		{"a.hcl", `a = "x""` + more, "1,8 Missing quote"},
		{"a.hcl", "a = [\"x\", \"y]" + more, "1,11 Missing quote"},
		{"a.hcl", "a = = 1" + more, "1,5 Invalid expression"},
		{"a.hcl", "r \"A\" \"b\" {\n  metadata:\n    name: a\n    labels:\n      a: b\n}\n", "2,3 YAML in a configuration"},
		{"a.hcl", "r {\n  containers:\n  - name: a\n    image: b\n}\n", "2,3 YAML in a configuration"},
		{"a.hcl", "apiVersion: v1\nkind: Pod\n", "1,1 YAML in a configuration"},
		{"a.hcl", "a = 'x'\n", "1,5 Invalid character"},
		{"a.json", `{"a": 1,}`, "1,8 Trailing comma"},
		{"a.json", "{\"a\": [1, 2,\n]}", "1,12 Trailing comma"},
		{"a.json", "{\"a\": {\"b\": 1,}, \"c\": 2}", "1,14 Trailing comma"},
		{"a.json", "{\"a\": \"x,\n\"b\": \"y\"}", "1,7 Missing quote"},
		{"a.json", `{"a: 1}`, "1,2 Unclosed bracket"},
		{"a.json", `{a": 1}`, "1,2 Invalid property name"},
		{"a.json", `{"a" 1}`, "1,6 Missing colon"},
		{"a.json", `{"a" = 1}`, "1,6 Missing colon"},
		{"a.json", "{\"a\": 1\n \"b\": 2}", "2,2 Missing comma"},
		{"a.json", `{"a": [1 2]}`, "1,10 Missing comma"},
		{"a.json", `{"a": [1}`, "1,9 Missing comma"},
		{"a.json", `{"a": {"b": [1, {"c": 1}`, "1,13 Unclosed bracket"},
		{"a.json", `{"a": True}`, "1,7 Invalid JSON value"},
		{"a.json", `{"a": hunter2}`, "1,7 Invalid JSON value"},
		{"a.json", `{"a": 01}`, "1,8 Missing comma"},
		{"a.json", `{"a": }`, "1,7 Invalid JSON value"},
		{"a.json", `{}}`, "1,3 Unexpected text"},
		{"a.json", `{"a": tru`, "1,7 Invalid JSON value"},
		{"a.json", `tru`, "1,1 Invalid JSON value"},
		{"a.json", " \n", "1,1 Empty file"},
		{"a.json", "\ufeff{\"a\": 1,}", "1,8 Trailing comma"},
		{"a.json", "\ufeff{\"a\": 1}", ""},
		{"a.hcl", "\ufeffa = 1\n", ""},
		{"a.json", `{"a": "\x"}`, "1,9 Invalid JSON value"},
	}
	for _, test := range tests {
		_, diags := Parse([]byte(test.src), test.name)
		got := ""
		for i, d := range diags {
			if i > 0 {
				got += "; "
			}
			got += fmt.Sprintf("%d,%d %s", d.Subject.Start.Line, d.Subject.Start.Column, d.Summary)
		}
		if got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.src, got, test.want)
		}
	}
}
