package hclspec

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/funcs"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/kinds"
)

// blockOfCode is a fenced piece of Markdown: its language, and its text.
var blockOfCode = regexp.MustCompile("(?ms)^```(\\S.*?)\n(.*?)^```$")

// TestLanguageReference holds docs/language.md against the language: every
// example is a configuration that nothing is wrong with, and laid out as fmt
// does it; every function is listed.
func TestLanguageReference(t *testing.T) {
	reference, err := os.ReadFile("../docs/language.md")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(reference), "\r\n", "\n")
	names := map[string]string{"hcl": "main.kplan.hcl", "json kplan": "main.kplan.json"}
	examples := 0
	for _, block := range blockOfCode.FindAllStringSubmatchIndex(text, -1) {
		language, example := text[block[2]:block[3]], text[block[4]:block[5]]
		line := 1 + strings.Count(text[:block[4]], "\n")
		if strings.HasPrefix(language, "hcl") {
			formatted, diags := source.Format([]byte(example), "example.kplan.hcl")
			if diags.HasErrors() || string(formatted) != example {
				t.Errorf("language.md:%d: not as fmt has it: %v\n%s", line, diags, formatted)
			}
		}
		name := names[language]
		if name == "" {
			continue
		}
		examples++
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(example), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, d := range examplesProblems(t, dir) {
			t.Errorf("language.md:%d: %s", line, d)
		}
	}
	if examples < 10 {
		t.Errorf("%d examples were found", examples)
	}
	for _, name := range funcs.Names(funcs.Table(".", nil)) {
		if !strings.Contains(text, "`"+name+"`") {
			t.Errorf("language.md does not have the function %s", name)
		}
	}
}

// examplesProblems is what is wrong with a configuration whose variables need
// not have values.
func examplesProblems(t *testing.T, dir string) []string {
	c, diags := config.Load(context.Background(), dir)
	values, more := c.ReadVariables(config.Inputs{Partial: true})
	diags = append(diags, more...)
	_, more = c.Cluster(values)
	diags = append(diags, more...)
	_, more = c.Backend(values, nil)
	diags = append(diags, more...)
	_, more = NewPreview(t.Context(), c, Options{Variables: values, Kinds: kinds.Expecting{Served: kinds.Builtin()}, Partial: true})
	var problems []string
	for _, d := range append(diags, more...) {
		problems = append(problems, d.Error())
	}
	return problems
}
