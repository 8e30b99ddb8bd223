package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"kplan.dev/kplan/internal/cli"
)

// TestDocumentedFlags compares docs/commands.md with the commands: a section
// whose heading names commands has all their flags in its tables, and no other.
// -no-color, which all take, stands above.
func TestDocumentedFlags(t *testing.T) {
	page := readDoc(t, "commands.md")
	documented := map[string]bool{"completion": true, "graph": true} // they have none of their own
	for _, section := range strings.Split(page, "\n## ")[1:] {
		heading, text, _ := strings.Cut(section, "\n")
		inTables := flagsInTables(text)
		var theirs []string
		for name := range strings.SplitSeq(heading, ", ") {
			c := cli.Find(testLine().Commands, name)
			if c == nil {
				continue // a section about something else
			}
			documented[c.Name] = true
			for _, c := range append(c.Subcommands, c) {
				theirs = append(theirs, cli.FlagNames(c.Flags)...)
				for _, flag := range cli.FlagNames(c.Flags) {
					if flag != "no-color" && !slices.Contains(inTables, flag) {
						t.Errorf("docs/commands.md does not have -%s of kplan %s under %q", flag, c.Path(), heading)
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
		if first, _, _ := strings.Cut(c.Path(), " "); !documented[first] {
			t.Errorf("no heading of docs/commands.md names %s", first)
		}
		if !strings.Contains(page, "\n| `"+c.Path()) {
			t.Errorf("the table of commands in docs/commands.md lacks %s", c.Path())
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

func readDoc(t *testing.T, name string) string {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
