package main

import (
	"go/build"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestDocumentedFlags compares docs/commands.md with the commands: a section
// whose heading names commands has all their flags in its tables, and no other.
// -no-color, which all take, stands above.
func TestDocumentedFlags(t *testing.T) {
	page := readDoc(t, "commands.md")
	told := map[string]bool{"completion": true, "graph": true} // they have none of their own
	for _, section := range strings.Split(page, "\n## ")[1:] {
		heading, text, _ := strings.Cut(section, "\n")
		inTables := flagsInTables(text)
		var theirs []string
		for name := range strings.SplitSeq(heading, ", ") {
			c := find(commands(&session{}), name)
			if c == nil {
				continue // a section about something else
			}
			told[c.name] = true
			for _, c := range append(c.subcommands, c) {
				theirs = append(theirs, flagNames(c.flags)...)
				for _, flag := range flagNames(c.flags) {
					if flag != "no-color" && !slices.Contains(inTables, flag) {
						t.Errorf("docs/commands.md does not have -%s of kplan %s under %q", flag, c.path(), heading)
					}
				}
			}
		}
		for _, flag := range inTables {
			if theirs != nil && !slices.Contains(theirs, flag) {
				t.Errorf("docs/commands.md has -%s under %q, whose commands do not take it", flag, heading)
			}
		}
	}
	for _, c := range runnable() {
		if first, _, _ := strings.Cut(c.path(), " "); !told[first] {
			t.Errorf("no heading of docs/commands.md names %s", first)
		}
		if !strings.Contains(page, "\n| `"+c.path()) {
			t.Errorf("the table of commands in docs/commands.md lacks %s", c.path())
		}
	}
}

var quotedFlag = regexp.MustCompile("`-([a-z][a-z-]*)[^`]*`")

func flagsInTables(text string) []string {
	var flags []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "|") {
			for _, found := range quotedFlag.FindAllStringSubmatch(line, -1) {
				flags = append(flags, found[1])
			}
		}
	}
	return flags
}

// TestDocumentedImports holds each package's imports against the table in
// docs/architecture.md, from which nobody may stray without changing it.
func TestDocumentedImports(t *testing.T) {
	const module = "kplan.dev/kplan/"
	quoted := regexp.MustCompile("`([^`]+)`")
	before := []string{} // the packages of the rows above
	_, table, _ := strings.Cut(readDoc(t, "architecture.md"), "| package |")
	table, _, _ = strings.Cut(table, "\n\n")
	for _, row := range strings.Split(table, "\n")[2:] {
		cells := strings.Split(row, "|")
		name, allowed := strings.Trim(cells[1], " `"), []string{}
		for _, found := range quoted.FindAllStringSubmatch(cells[3], -1) {
			allowed = append(allowed, found[1])
		}
		if strings.Contains(cells[3], "all") {
			allowed = before
		}
		p, err := build.ImportDir(filepath.Join("..", "..", name), 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range p.Imports {
			if short, ours := strings.CutPrefix(path, module); ours && !slices.Contains(allowed, short) {
				t.Errorf("%s imports %s, and docs/architecture.md allows it %v", name, short, allowed)
			}
		}
		before = append(before, name)
	}
	if !slices.Contains(before, "plan") {
		t.Error("the table of packages was not found")
	}
}

func readDoc(t *testing.T, name string) string {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
