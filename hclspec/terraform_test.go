package hclspec

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/modules"
	"kplan.dev/kplan/kinds"
)

// construct is a row of the table of Terraform's language in docs/language.md.
var construct = regexp.MustCompile(`(?m)^\| (.+?) \| (same|different|not there) \|(.*)\|$`)

// TestTerraformConstructs holds the table of Terraform's language against the language: each construct that is the same or
// differs has an example in testdata/terraform.txt that is valid, each that is not there one that is refused, and the counts
// are true. What is no part of a file of the configuration has an empty example: other tests are about it.
func TestTerraformConstructs(t *testing.T) {
	_, section, found := strings.Cut(pageOf(t, "language.md"), "\n## Coming from Terraform\n")
	if !found {
		t.Fatal("language.md does not say what there is for those who come from Terraform")
	}
	constructs := terraformExamples(t)
	count := map[string]int{}
	seen := map[string]bool{}
	for _, row := range construct.FindAllStringSubmatch(section, -1) {
		name, here, how := row[1], row[2], strings.TrimSpace(row[3])
		count[here]++
		seen[name] = true
		if here != "same" && how == "" {
			t.Errorf("%s is %s, and nothing says how or why", name, here)
		}
		example, ok := constructs[name]
		switch problems := constructProblems(t, example); {
		case !ok:
			t.Errorf("%s has no example in testdata/terraform.txt", name)
		case example == "":
		case here == "not there" && len(problems) == 0:
			t.Errorf("%s is said to be missing, and is accepted", name)
		case here != "not there" && len(problems) > 0:
			t.Errorf("%s: %v", name, problems)
		}
	}
	for name := range constructs {
		if !seen[name] {
			t.Errorf("the table does not have %s", name)
		}
	}
	all := count["same"] + count["different"] + count["not there"]
	want := fmt.Sprintf("Of %d constructs of Terraform's language, with those that OpenTofu added, %d are the same here, %d differ, "+
		"and %d are not there.", all, count["same"], count["different"], count["not there"])
	if !strings.Contains(strings.Join(strings.Fields(section), " "), want) {
		t.Errorf("the page does not say: %s", want)
	}
	if count["not there"] > 12 {
		t.Errorf("%d constructs are not there", count["not there"])
	}
}

// terraformExamples are the examples of testdata/terraform.txt by what they are of.
func terraformExamples(t *testing.T) map[string]string {
	text, err := os.ReadFile("testdata/terraform.txt")
	if err != nil {
		t.Fatal(err)
	}
	examples := map[string]string{}
	for _, part := range strings.Split(strings.ReplaceAll("\n"+string(text), "\r\n", "\n"), "\n=== ")[1:] {
		name, example, _ := strings.Cut(part, "\n")
		examples[name] = example
	}
	return examples
}

const definitionOfExamples = `
variable "a" { default = "a" }
output "o" { value = var.a }
resource "ConfigMap" "c" {
  metadata { name = var.a }
}
`

// constructProblems is what is wrong with a configuration whose file calls the definition in ./app.
func constructProblems(t *testing.T, example string) []string {
	dir := t.TempDir()
	name := "main.kplan.hcl"
	if strings.HasPrefix(example, "{") {
		name = "main.kplan.json"
	}
	if first, rest, ok := strings.Cut(example, "\n"); ok && strings.HasPrefix(first, "-- ") {
		name, example = strings.Trim(first, "- "), rest
	}
	for file, text := range map[string]string{
		name:                 example,
		"app/main.kplan.hcl": definitionOfExamples,
		"text.txt":           "text",
	} {
		path := filepath.Join(dir, filepath.FromSlash(file))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, diags := modules.Load(t.Context(), dir)
	values, more := c.ReadVariables(config.Inputs{Partial: true})
	diags = append(diags, more...)
	if !diags.HasErrors() {
		_, more = NewPreview(t.Context(), c, Options{Variables: values, Kinds: kinds.Expecting{Served: kinds.Builtin()}, Partial: true})
		diags = append(diags, more...)
	}
	var problems []string
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			problems = append(problems, d.Error())
		}
	}
	return problems
}
