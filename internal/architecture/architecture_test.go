// Package architecture tests the shape of the module: which package imports
// which, how large packages and types are, and what package boundaries keep out.
//
//	go test ./internal/architecture -run TestMeasure -v
//
// prints a table of all packages; with -files=hclspec also which file of that
// package uses what of which other.
package architecture

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

var filesOf = flag.String("files", "", "a `package` whose files TestMeasure lists")

func measured(t *testing.T) []*pkg {
	t.Helper()
	all, err := packages()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestMeasure fails for nothing; with -v it prints how large each package is.
func TestMeasure(t *testing.T) {
	var table strings.Builder
	row := func(columns ...any) { fmt.Fprintf(&table, "%-28s %5v %6v %6v  %s\n", columns...) }
	row("package", "files", "lines", "cycle", "largest type")
	for _, p := range measured(t) {
		row(p.name(), len(p.GoFiles), p.lines, len(p.cycle), fmt.Sprintf("%s %d", p.largest, p.methods))
		if p.name() == *filesOf {
			writeFiles(&table, p)
		}
	}
	t.Logf("\n%s", table.String())
}

func writeFiles(table *strings.Builder, p *pkg) {
	for _, from := range p.GoFiles {
		inCycle := " "
		if slices.Contains(p.cycle, from) {
			inCycle = "*"
		}
		fmt.Fprintf(table, "  %s %s\n", inCycle, from)
		for _, to := range slices.Sorted(maps.Keys(p.refers[from])) {
			fmt.Fprintf(table, "      %s: %s\n", to, strings.Join(slices.Sorted(slices.Values(p.refers[from][to])), ", "))
		}
	}
}

// TestLimits holds each package against the limits of its size.
func TestLimits(t *testing.T) {
	unknown := maps.Clone(exceptions)
	for _, p := range measured(t) {
		limit, exception := limitOf(p.name()), exceptions[p.name()]
		delete(unknown, p.name())
		compare(t, p.name()+": files that reach each other", len(p.cycle), limit.cycle, exception.cycle)
		compare(t, p.name()+": methods of "+p.largest, p.methods, limit.methods, exception.methods)
		compare(t, p.name()+": files", crowd(p), limit.files, exception.files)
	}
	for name := range unknown {
		t.Errorf("limits_test.go has a row for %s, which is no package", name)
	}
}

// crowd is how many files of a package have to be known in order to work on it: of cmd/kplan not those that
// hold one command each.
func crowd(p *pkg) (n int) {
	for _, name := range p.GoFiles {
		if !strings.HasPrefix(name, "cmd_") {
			n++
		}
	}
	return n
}

// compare reports a number above its limit, and an exception that can be lowered.
func compare(t *testing.T, what string, got, limit, exception int) {
	t.Helper()
	switch {
	case got > limit:
		t.Errorf("%s: %d, and the limit is %d", what, got, limit)
	case got < exception:
		t.Logf("%s: %d, lower the exception of %d in limits_test.go", what, got, exception)
	}
}

// forTests are the packages that only tests and people who work on kplan use.
var forTests = []string{
	"hclspec/spectest", "internal/bench", "internal/bundles", "internal/faulttest", "internal/schematest",
	"kinds/internal/gen", "internal/forgetest", "internal/servertest", "kinds/kindstest", "state/httpstore/httpstoretest",
	"state/postgres/postgrestest", "state/remote/remotetest", "state/s3/s3test", "state/storetest",
}

// TestImports holds each package's imports against the table in
// docs/architecture.md, which has all of them except those for tests.
func TestImports(t *testing.T) {
	allowed := importsTable(t)
	for _, p := range measured(t) {
		if slices.Contains(forTests, p.name()) {
			continue
		}
		may, inTable := allowed[p.name()]
		if !inTable {
			t.Errorf("the table of packages in docs/architecture.md does not have %s", p.name())
		}
		delete(allowed, p.name())
		for _, path := range p.Imports {
			if short, ours := strings.CutPrefix(path, module); ours && !slices.Contains(may, short) {
				t.Errorf("%s imports %s, and docs/architecture.md allows it %v", p.name(), short, may)
			}
		}
	}
	for name := range allowed {
		t.Errorf("docs/architecture.md has a row for %s, which is no package", name)
	}
}

// importsTable reads, for each package, which others it may import. "All" are
// those of the rows above.
func importsTable(t *testing.T) map[string][]string {
	quoted := regexp.MustCompile("`([^`]+)`")
	allowed, above := map[string][]string{}, []string{}
	_, table, found := strings.Cut(readDoc(t, "architecture.md"), "| package |")
	if !found {
		t.Fatal("docs/architecture.md has no table of packages")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	for _, row := range strings.Split(table, "\n")[2:] {
		cells := strings.Split(row, "|")
		name := strings.Trim(cells[1], " `")
		for _, match := range quoted.FindAllStringSubmatch(cells[3], -1) {
			allowed[name] = append(allowed[name], match[1])
		}
		if strings.Contains(cells[3], "all") {
			allowed[name] = slices.Clone(above)
		} else if allowed[name] == nil {
			allowed[name] = []string{}
		}
		above = append(above, name)
	}
	return allowed
}

// TestLineLength finds the lines of Go that are longer than 140 characters. The
// raw strings of tests don't count: they hold manifests, configuration and replies
// of servers, in which a line break would be another text.
func TestLineLength(t *testing.T) {
	eachGoFile(t, func(path string, text []byte) {
		if strings.HasSuffix(path, "_test.go") {
			text = withoutRawStrings(text)
		}
		number := 0
		for line := range strings.Lines(string(text)) {
			number++
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > 140 {
				t.Errorf("%s:%d has %d characters; wrap it at 140", path, number, n)
			}
		}
	})
}

// withoutRawStrings is a source whose raw strings hold nothing but their line breaks.
func withoutRawStrings(source []byte) []byte {
	var tokens scanner.Scanner
	files := token.NewFileSet()
	file := files.AddFile("", files.Base(), len(source))
	tokens.Init(file, source, nil, 0)
	var kept []byte
	copied := 0
	for pos, kind, literal := tokens.Scan(); kind != token.EOF; pos, kind, literal = tokens.Scan() {
		if kind == token.STRING && literal[0] == '`' {
			start := file.Offset(pos) + len("`")
			end := start + bytes.IndexByte(source[start:], '`')
			kept = append(kept, source[copied:start]...)
			kept = append(kept, bytes.Repeat([]byte("\n"), bytes.Count(source[start:end], []byte("\n")))...)
			copied = end
		}
	}
	return append(kept, source[copied:]...)
}

// TestFlagNames refuses string literals that name a flag in packages below cmd: how a
// flag is spelled stands in internal/option, which has only flags of the documentation.
func TestFlagNames(t *testing.T) {
	var names []string
	for _, match := range regexp.MustCompile("`-([a-z][a-z-]+)").FindAllStringSubmatch(readDoc(t, "commands.md"), -1) {
		names = append(names, regexp.QuoteMeta(match[1]))
	}
	namesFlag := regexp.MustCompile("(^|[^a-zA-Z0-9_-])-(" + strings.Join(names, "|") + ")($|[^a-zA-Z0-9_-])")
	notCounted := regexp.MustCompile(`^(cmd|sandbox|internal/(cli|option|bench|faulttest|architecture)|kinds/internal/gen)/|_test\.go$`)
	counts := map[string]int{}
	eachGoFile(t, func(path string, text []byte) {
		if notCounted.MatchString(path) {
			return
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				counts[path] += len(namesFlag.FindAllString(strings.Trim(literal.Value, "`\""), -1))
			}
			return true
		})
	})
	compareTotal(t, "names of flags below cmd", counts, 0)
	for _, match := range regexp.MustCompile(`= "-(.*)"`).FindAllStringSubmatch(readDoc(t, "../internal/option/option.go"), -1) {
		if !slices.Contains(names, match[1]) {
			t.Errorf("no command has the flag -%s", match[1])
		}
	}
}

// compareTotal reports, by file, what the module has too much of.
func compareTotal(t *testing.T, what string, counts map[string]int, limit int) {
	t.Helper()
	total, byFile := 0, ""
	for _, path := range slices.Sorted(maps.Keys(counts)) {
		if n := counts[path]; n > 0 {
			total += n
			byFile += fmt.Sprintf("\n%5d %s", n, path)
		}
	}
	compare(t, what, total, limit, limit)
	if t.Failed() || total > 0 {
		t.Log(what + ":" + byFile)
	}
}

// eachGoFile visits the Go files of the repository, with their paths in it.
func eachGoFile(t *testing.T, visit func(path string, text []byte)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		short, _ := filepath.Rel(root, path)
		if entry.IsDir() {
			if short == "bin" || strings.HasPrefix(entry.Name(), ".") && short != "." {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(path) == ".go" {
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			visit(filepath.ToSlash(short), text)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func readDoc(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestRequirements holds go.mod against the imports: what only tests and
// generators import has a block of its own there, and nothing else is in it.
func TestRequirements(t *testing.T) {
	gomod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(gomod), "require (\n")
	if len(blocks) != 4 {
		t.Fatalf("go.mod has %d blocks of requirements, want three: for kplan, for tests, indirect ones", len(blocks)-1)
	}
	imported := func(required string) bool {
		return slices.ContainsFunc(measured(t), func(p *pkg) bool {
			return !slices.Contains(forTests, p.name()) && slices.ContainsFunc(p.Imports, func(path string) bool {
				return path == required || strings.HasPrefix(path, required+"/")
			})
		})
	}
	for line := range strings.Lines(blocks[1] + blocks[2]) {
		required, _, isRequirement := strings.Cut(strings.TrimSpace(line), " v")
		if isRequirement && imported(required) != strings.Contains(blocks[1], line) {
			t.Errorf("%s is in the wrong block of go.mod", required)
		}
	}
}
