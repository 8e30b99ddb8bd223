package hclspec

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/spectest"
	"kplan.dev/kplan/kinds"
)

var update = flag.Bool("update", false, "write what the invalid configurations are answered with into their files")

// TestInvalid runs testdata/invalid. A file there holds configurations apart
// by lines of ---, each of which is refused; below a faulty line, a comment
// points at the fault and gives the words that kplan has for it:
//
//	resource "pod" "web" {}
//	#        ^^^^^ Invalid kind: The first label …
//
// A configuration of several files has a line -- name -- before each. What is wrong with no line in
// particular is in a comment that begins with "# !".
func TestInvalid(t *testing.T) {
	dir, err := filepath.Abs("testdata/invalid")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	configurations := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got := answered(t, string(text), filepath.Ext(file))
		configurations += strings.Count(got, "\n---\n") + 1
		if *update {
			got = settle(t, got, filepath.Ext(file))
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		} else if diff := cmp.Diff(strings.Split(string(text), "\n"), strings.Split(got, "\n")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
	}
	t.Logf("%d configurations", configurations)
}

// settle answers until the line numbers in the answers are those of the file
// with the answers in it.
func settle(t *testing.T, text, ext string) string {
	for range 5 {
		next := answered(t, text, ext)
		if next == text {
			return text
		}
		text = next
	}
	t.Error("the answers do not settle")
	return text
}

var (
	answerLine  = regexp.MustCompile(`^\s*#\s*[\^<!]`)
	sectionLine = regexp.MustCompile(`^-- (\S+) --$`)
)

// answered is the text of a test file with the answers that kplan has now.
func answered(t *testing.T, text, ext string) string {
	lines := strings.Split(text, "\n")
	var out []string
	for start := 0; start < len(lines); {
		end := start
		for end < len(lines) && lines[end] != "---" {
			end++
		}
		out = append(out, answerChunk(t, lines, start, end, ext)...)
		if end < len(lines) {
			out = append(out, "---")
		}
		start = end + 1
	}
	return strings.Join(out, "\n")
}

// answerChunk answers the configuration in lines[start:end]. Its files are
// padded with empty lines, so that positions are those of the test file.
func answerChunk(t *testing.T, lines []string, start, end int, ext string) []string {
	dir := t.TempDir()
	t.Chdir(dir)
	name := "main.kplan" + ext
	contents, fileOf := map[string][]string{}, map[int]string{}
	for i := start; i < end; i++ {
		if m := sectionLine.FindStringSubmatch(lines[i]); m != nil {
			name = m[1]
			continue
		}
		if contents[name] == nil {
			contents[name] = make([]string, len(lines))
		}
		if !answerLine.MatchString(lines[i]) {
			contents[name][i] = lines[i]
		}
		fileOf[i] = name
	}
	for name, content := range contents {
		text := strings.TrimRight(strings.Join(content, "\n"), "\n") + "\n"
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	diags := everyProblem(".")
	if len(diags) == 0 {
		t.Errorf("line %d: a configuration that nothing is wrong with", start+1)
	}
	var out []string
	for _, d := range diags {
		switch {
		case d.Subject == nil:
			out = append(out, "# ! "+spectest.Text(d))
		case fileOf[d.Subject.Start.Line-1] != d.Subject.Filename:
			out = append(out, fmt.Sprintf("# ! %s: %s", d.Subject, spectest.Text(d)))
		}
	}
	for i := start; i < end; i++ {
		if answerLine.MatchString(lines[i]) {
			continue
		}
		out = append(out, lines[i])
		for _, d := range diags {
			if d.Subject != nil && d.Subject.Filename == fileOf[i] && d.Subject.Start.Line == i+1 {
				out = append(out, pointer(*d.Subject)+" "+spectest.Text(d))
			}
		}
	}
	return out
}

// everyProblem is what kplan reports about a configuration without a cluster.
func everyProblem(dir string) hcl.Diagnostics {
	c, diags := config.Load(context.Background(), dir)
	if diags.HasErrors() {
		return diags
	}
	diags = append(diags, c.CheckVersion("0.4.0")...)
	values, problems := c.ReadVariables(config.Inputs{})
	diags = append(diags, problems...)
	_, problems = c.Cluster(values)
	diags = append(diags, problems...)
	_, problems = c.Backend(values, nil)
	if diags = append(diags, problems...); diags.HasErrors() {
		return diags
	}
	_, problems = NewPreview(context.Background(), c, Options{Variables: values, Kinds: kinds.Builtin()})
	return append(diags, problems...)
}

// pointer is a comment whose carets mark a range of the line above.
func pointer(r hcl.Range) string {
	width := max(r.End.Column-r.Start.Column, 1)
	if r.End.Line != r.Start.Line {
		width = 3
	}
	carets := strings.Repeat("^", width)
	switch {
	case r.Start.Column > 2:
		return "#" + strings.Repeat(" ", r.Start.Column-2) + carets
	case r.Start.Column == 1 && width > 1:
		return "#" + carets[1:]
	}
	return fmt.Sprintf("#<%d,%d", r.Start.Column, width)
}
