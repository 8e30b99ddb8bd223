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
	text := pageOf(t, "language.md")
	if examples := checkExamples(t, "language.md", text); examples < 10 {
		t.Errorf("%d examples were found", examples)
	}
	for _, name := range funcs.Names(funcs.Table(".", nil)) {
		if !strings.Contains(text, "`"+name+"`") {
			t.Errorf("language.md does not have the function %s", name)
		}
	}
}

// TestBackendPages: the examples in the pages of the backends are valid, too.
func TestBackendPages(t *testing.T) {
	pages, err := filepath.Glob("../docs/backend-*.md")
	if err != nil || len(pages) == 0 {
		t.Fatal(pages, err)
	}
	for _, page := range pages {
		if name := filepath.Base(page); checkExamples(t, name, pageOf(t, name)) == 0 {
			t.Errorf("%s has no example", name)
		}
	}
}

func pageOf(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../docs", name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}

// checkExamples checks the examples of a page, and returns how many are configurations.
func checkExamples(t *testing.T, page, text string) (examples int) {
	t.Helper()
	names := map[string]string{"hcl": "main.kplan.hcl", "json kplan": "main.kplan.json"}
	for _, block := range blockOfCode.FindAllStringSubmatchIndex(text, -1) {
		language, example := text[block[2]:block[3]], text[block[4]:block[5]]
		line := 1 + strings.Count(text[:block[4]], "\n")
		if strings.HasPrefix(language, "hcl") {
			formatted, diags := source.Format([]byte(example), "example.kplan.hcl")
			if diags.HasErrors() || string(formatted) != example {
				t.Errorf("%s:%d: not as fmt has it: %v\n%s", page, line, diags, formatted)
			}
		}
		name := names[language]
		if name == "" {
			continue
		}
		examples++
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS("testdata/docs")); err != nil { // what examples read
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(example), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, d := range examplesProblems(t, dir) {
			t.Errorf("%s:%d: %s", page, line, d)
		}
	}
	return examples
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
