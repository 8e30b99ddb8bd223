package config

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"kplan.dev/kplan/hclspec/spectest"
)

// TestUnusedAttributes checks that an attribute which a type does not have is reported at its place, wherever the value
// comes from.
func TestUnusedAttributes(t *testing.T) {
	const object = `object({ replicas = optional(number, 1), image = optional(string) })`
	tests := []struct{ typ, value, want string }{
		{object, `{ replcas = 5 }`, `3 "replcas". Did you mean "replicas"?`},
		{object, `{ replicas = 5, image = "x" }`, ``},
		{object, `null`, ``},
		{`list(` + object + `)`, "[{},\n{ imgae = \"x\" }]", `4 at [1] "imgae". Did you mean "image"?`},
		{`map(` + object + `)`, `{ a = { image = "x", "imag" = "y" } }`, `3 at a "imag". Did you mean "image"?`},
		{`set(` + object + `)`, `[{ nope = 1 }]`, `3 at [0] "nope".`},
		{`tuple([string, ` + object + `])`, `["x", { nope = 1 }]`, `3 at [1] "nope".`},
		{`object({ a = optional(object({ b = ` + object + ` }), null) })`, `{ a = { b = { Image = "x" } } }`, `3 at a.b "Image". Did you mean "image"?`},
		{`object({ a = optional(` + object + `, { replica = 3 }) })`, `{}`, `2 "replica". Did you mean "replicas"?`},
		{`any`, `{ anything = 1 }`, ``},
		{`map(any)`, `{ anything = { a = 1 } }`, ``},
	}
	for _, test := range tests {
		inDefault := loadedWarnings(t, fmt.Sprintf("variable \"a\" {\n  type = %s\n  default = %s\n}\n", test.typ, test.value), nil)
		if inDefault != test.want {
			t.Errorf("default %s of %s:\n got %s\nwant %s", test.value, test.typ, inDefault, test.want)
		}
		if strings.HasPrefix(test.want, "2") {
			continue
		}
		declared := fmt.Sprintf("variable \"a\" {\n  type = %s\n}\n", test.typ)
		inFile := loadedWarnings(t, declared, map[string]string{"default.kpvars.hcl": "\n\na = " + test.value + "\n"})
		if inFile != test.want {
			t.Errorf("file with %s of %s:\n got %s\nwant %s", test.value, test.typ, inFile, test.want)
		}
		c := loadText(t, "main.kplan.hcl", declared)
		for _, in := range []Inputs{{Args: []VarArg{{Set: "a=" + test.value}}}, {Env: []string{"KPLAN_VAR_a=" + test.value}}} {
			if _, diags := c.ReadVariables(in); (len(diags) > 0) != (test.want != "") {
				t.Errorf("%v: %v", in, diags)
			}
		}
	}
}

// The name of an attribute in a sensitive value is not shown.
func TestUnusedSensitiveAttribute(t *testing.T) {
	got := loadedWarnings(t, "variable \"a\" {\n  sensitive = true\n  type = object({})\n}\n",
		map[string]string{"default.kpvars.hcl": "a = { hunter2 = 1 }\n"})
	if got != "1 It is sensitive, so its name is not shown." {
		t.Error(got)
	}
}

// loadedWarnings are the warnings of a configuration and its variables, in short.
func loadedWarnings(t *testing.T, text string, more map[string]string) string {
	t.Helper()
	files := map[string]string{"main.kplan.hcl": text}
	for name, content := range more {
		files[name] = content
	}
	c, diags := Load(context.Background(), spectest.WriteFiles(t, files))
	_, others := c.ReadVariables(Inputs{Partial: true})
	var all []string
	for _, d := range append(diags, others...) {
		_, at, _ := strings.Cut(d.Detail, "an attribute")
		at, _, _ = strings.Cut(at, " that")
		_, detail, _ := strings.Cut(d.Detail, "is not used. ")
		all = append(all, fmt.Sprintf("%d%s %s", d.Subject.Start.Line, at, strings.TrimPrefix(detail, "It is called ")))
	}
	return strings.Join(all, "; ")
}
