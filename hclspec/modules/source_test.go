package modules_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kplan.dev/kplan/hclspec/modules"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares a text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		must(t, os.WriteFile(path, []byte(got), 0o644))
	}
	if want := read(t, path); got != want {
		gotLines, wantLines := strings.Split(got, "\n"), strings.Split(want, "\n")
		for i := range min(len(gotLines), len(wantLines)) {
			if gotLines[i] != wantLines[i] {
				t.Fatalf("%s:%d is\n%s\nand should be\n%s", path, i+1, gotLines[i], wantLines[i])
			}
		}
		t.Fatalf("%s has %d lines, and should have %d", path, len(gotLines), len(wantLines))
	}
}

// TestSources reads the sources of testdata/sources.txt. Below each that is refused is why; below others what it means.
func TestSources(t *testing.T) {
	var text strings.Builder
	refused := 0
	for line := range strings.Lines(read(t, "testdata", "sources.txt")) {
		source := strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(source, "    ") {
			continue
		}
		fmt.Fprintln(&text, source)
		s, err := modules.ParseSource(source)
		if err != nil {
			refused++
			fmt.Fprintf(&text, "    %v\n", err)
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: the error has the password: %v", source, err)
			}
			continue
		}
		fmt.Fprintf(&text, "    = %s\n", s)
		if again, err := modules.ParseSource(s.String()); err != nil || again != s {
			t.Errorf("%s is %s, which is %v, %v", source, s, again, err)
		}
	}
	golden(t, "sources.txt", text.String())
	t.Logf("%d are refused", refused)
}

// TestOddSources are texts that no file should have.
func TestOddSources(t *testing.T) {
	for _, source := range []string{
		"", " ./a", "./a ", "./a\x00b", "./a\nb", "git::https://host.example/a\rb", "git::https://host.example/\x1b[2Ja",
		"oci://registry.example/a\u202eb", "./\xff", "./" + strings.Repeat("a", 3000), "git::https://host.example/a\tb",
		"git::https://host.example/\u200bx", "\ufeff./a",
	} {
		s, err := modules.ParseSource(source)
		if err == nil {
			t.Errorf("%q is read as %s", source, s)
			continue
		}
		for _, r := range err.Error() {
			if r < ' ' || r == '\u202e' || r == '\u200b' {
				t.Errorf("%q: the message has it: %q", source, err)
			}
		}
	}
}

func TestConstraints(t *testing.T) {
	versions := []string{"0.9.0", "1.2.0", "1.2.9", "1.4.0", "1.4.7", "1.5.0-rc.1", "1.5.0", "2.0.0-beta", "2.0.0", "10.0.0"}
	for constraint, want := range map[string]string{
		"":                         "0.9.0 1.2.0 1.2.9 1.4.0 1.4.7 1.5.0 2.0.0 10.0.0",
		"1.4.7":                    "1.4.7",
		"= 1.4.7":                  "1.4.7",
		"v1.4.7":                   "1.4.7",
		"1.4":                      "1.4.0",
		"~> 1.4":                   "1.4.0 1.4.7 1.5.0",
		"~> 1.4.0":                 "1.4.0 1.4.7",
		"~>1.2.5":                  "1.2.9",
		">= 1.2, < 2.0":            "1.2.0 1.2.9 1.4.0 1.4.7 1.5.0",
		">= 1.2.0,< 2.0.0,!=1.4.7": "1.2.0 1.2.9 1.4.0 1.5.0",
		"> 2":                      "10.0.0",
		"<= 1.2.0":                 "0.9.0 1.2.0",
		"1.5.0-rc.1":               "1.5.0-rc.1",
		">= 1.5.0-rc.1":            "1.5.0 2.0.0 10.0.0",
		"~> 1.5.0-rc.1":            "",
		"= 2.0.0-beta":             "2.0.0-beta",
		"> 99":                     "",
	} {
		c, err := modules.ParseConstraint(constraint)
		if err != nil {
			t.Errorf("%s: %v", constraint, err)
			continue
		}
		var allowed []string
		for _, version := range versions {
			v, err := modules.ParseVersion(version)
			must(t, err)
			if c.Allows(v) {
				allowed = append(allowed, version)
			}
		}
		if got := strings.Join(allowed, " "); got != want {
			t.Errorf("%q allows %s, want %s", constraint, got, want)
		}
		if again, err := modules.ParseConstraint(c.String()); err != nil || again.String() != c.String() {
			t.Errorf("%q is written %q", constraint, c)
		}
	}
	for constraint, want := range map[string]string{
		"latest":                      `"latest" is no constraint. One is written "1.4.2", "~> 1.4" or ">= 1.2.0, < 2.0.0"`,
		"^1.2.0":                      `"^1.2.0" is no constraint. One is written "1.4.2", "~> 1.4" or ">= 1.2.0, < 2.0.0"`,
		"1.x":                         `"1.x" is no constraint. One is written "1.4.2", "~> 1.4" or ">= 1.2.0, < 2.0.0"`,
		">= 1.2,":                     `"" is no constraint. One is written "1.4.2", "~> 1.4" or ">= 1.2.0, < 2.0.0"`,
		"== 1.2":                      `"== 1.2" is no constraint. One is written "1.4.2", "~> 1.4" or ">= 1.2.0, < 2.0.0"`,
		"1.2.3.4":                     `"1.2.3.4" is no constraint. One is written "1.4.2", "~> 1.4" or ">= 1.2.0, < 2.0.0"`,
		strings.Repeat("1.2.0,", 100): `it has more than 256 bytes`,
	} {
		if _, err := modules.ParseConstraint(constraint); err == nil || err.Error() != want {
			t.Errorf("%.20s: %v, want %s", constraint, err, want)
		}
	}
}
