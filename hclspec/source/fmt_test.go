package source

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"kplan.dev/kplan/hclspec/spectest"
)

func TestFormat(t *testing.T) {
	for _, test := range spectest.FormatCases {
		t.Run(test.Name, func(t *testing.T) {
			got, diags := Format([]byte(test.Given), "x")
			if len(diags) > 0 {
				t.Fatal(diags)
			}
			if diff := cmp.Diff(test.Want, string(got)); diff != "" {
				t.Error(diff)
			}
			checkFormat(t, []byte(test.Given))
		})
	}
}

// checkFormat checks that formatting settles, and keeps the meaning of the source.
func checkFormat(t *testing.T, src []byte) {
	t.Helper()
	once, diags := Format(src, "x")
	if diags.HasErrors() {
		if string(once) != string(src) {
			t.Error("source with an error was changed")
		}
		return
	}
	twice, diags := Format(once, "x")
	if diags.HasErrors() {
		t.Fatalf("the result does not parse: %v\n%s", diags, once)
	}
	if string(once) != string(twice) {
		t.Errorf("formatting twice:\n%q, then\n%q", once, twice)
	}
	if before, after := outline(t, src), outline(t, once); before != after {
		t.Errorf("the meaning changed, from\n%s\nto\n%s", before, after)
	}
}

// outline is the blocks and arguments of a source, with all that its
// expressions refer to.
func outline(t *testing.T, src []byte) string {
	t.Helper()
	file, diags := hclsyntax.ParseConfig(src, "x", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	var b strings.Builder
	writeOutline(&b, file.Body.(*hclsyntax.Body), "")
	return b.String()
}

func writeOutline(b *strings.Builder, body *hclsyntax.Body, indent string) {
	for _, attr := range nativeSorted(body) {
		b.WriteString(indent + attr.Name + ":")
		for _, ref := range attr.Expr.Variables() {
			b.WriteString(" " + DescribeReference(ref))
		}
		b.WriteString("\n")
	}
	for _, block := range body.Blocks {
		b.WriteString(indent + block.Type + " " + cty.NormalizeString(strings.Join(block.Labels, " ")) + "\n")
		writeOutline(b, block.Body, indent+"  ")
	}
}

func nativeSorted(body *hclsyntax.Body) []*hcl.Attribute {
	attrs := hcl.Attributes{}
	for name, attr := range body.Attributes {
		if name != "type" { // list is spelled list(any), which refers to any
			attrs[name] = attr.AsHCLAttribute()
		}
	}
	return SortedAttributes(attrs)
}

func TestFormatLeavesBrokenSourceAlone(t *testing.T) {
	for _, src := range []string{"a = ", "a {", "a = \"${\"\n", "resource Pod.web {}\n", strings.Repeat("[", 100_000), "a = \xff\n"} {
		got, diags := Format([]byte(src), "x")
		if !diags.HasErrors() || string(got) != src {
			t.Errorf("%.20q: %.20q, %v", src, got, diags)
		}
	}
}

func TestFormatEveryTestFile(t *testing.T) {
	files, _ := filepath.Glob("../testdata/invalid/*")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, chunk := range strings.Split(string(text), "\n---\n") {
			checkFormat(t, []byte(chunk))
		}
	}
}

func TestFilesToFormat(t *testing.T) {
	files := map[string]string{}
	for _, name := range []string{
		"main.kplan.hcl", "default.kpvars.hcl", "x.kptest.hcl", "main.kplan.json", "main.tf", "x.hcl", ".kplan.lock.hcl",
		".hidden.kplan.hcl", "main.kplan.hcl~", "below/a.kplan.hcl", "below/deep/b.kpvars.hcl", ".kplan/modules/c.kplan.hcl",
	} {
		files[name] = ""
	}
	t.Chdir(spectest.WriteFiles(t, files))
	if err := os.Symlink("main.kplan.hcl", "link.kplan.hcl"); err != nil {
		t.Skip(err)
	}
	tests := []struct {
		path      string
		recursive bool
		want      []string
	}{
		{".", false, []string{"default.kpvars.hcl", "main.kplan.hcl"}},
		{".", true, []string{"below/a.kplan.hcl", "below/deep/b.kpvars.hcl", "default.kpvars.hcl", "main.kplan.hcl"}},
		{"below", false, []string{"below/a.kplan.hcl"}},
		{"main.kplan.hcl", false, []string{"main.kplan.hcl"}},
		{".kplan", true, []string{".kplan/modules/c.kplan.hcl"}},
	}
	for _, test := range tests {
		got, err := FilesToFormat(test.path, test.recursive)
		if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
			t.Errorf("%s, %t: %v\n%s", test.path, test.recursive, err, diff)
		}
	}
	for _, path := range []string{"main.tf", "main.kplan.json", "missing"} {
		if _, err := FilesToFormat(path, false); err == nil {
			t.Errorf("%s: no error", path)
		}
	}
}

// FuzzFormat checks that formatting settles and keeps the meaning.
func FuzzFormat(f *testing.F) {
	native, _ := spectest.Seeds(f, "../testdata/invalid")
	for _, text := range native {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, src []byte) { checkFormat(t, src) })
}
