package modules_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kplan.dev/kplan/hclspec/modules"
)

const (
	commit = "0123456789abcdef0123456789abcdef01234567"
	hash   = "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
	sha256 = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

// TestLockFile: what is wrong with a lock file is reported at its place.
func TestLockFile(t *testing.T) {
	good := `module "git::https://host.example/a.git" {
  commit = "` + commit + `"
  hash   = "` + hash + `"
}
`
	versioned := `module "oci://host.example/a" {
  constraint = "~> 1.4"
  version    = "1.4.2"
  digest     = "` + sha256 + `"
  hash       = "` + hash + `"
}
`
	for _, c := range []struct{ name, text, line, want string }{
		{"nothing", "", "", ""},
		{"one", good, "", ""},
		{"a version", versioned, "", ""},
		{"syntax", good + "module {", "5", "Unclosed configuration block"},
		{"twice", good + good, "5", "There are two blocks for this module and constraint. Keep the one that you trust"},
		{"a conflict", "<<<<<<< HEAD\n" + good + "=======\n" + versioned + ">>>>>>> main\n", "1", "A merge left a conflict here. " +
			"Keep the blocks " +
			"of both sides"},
		{"another block", `variable "a" {}`, "1", `A lock file has blocks of the form module "SOURCE" { … } and nothing else.`},
		{"an attribute", `a = 1`, "1", "A lock file has module blocks and nothing else."},
		{"a local source", `module "./a" {}`, "1", "This is no source of a module as kplan init writes it."},
		{"a source with a directory", `module "git::https://host.example/a.git//b" {}`, "1", "This is no source of a module"},
		{"a password", `module "git::https://a:b@host.example/a.git" {}`, "1", "This is no source of a module"},
		{"no label", `module {}`, "1", "A lock file has blocks of the form"},
		{"no commit", strings.Replace(good, "commit", "#", 1), "1", "There is no commit, or none in full."},
		{"a short commit", strings.Replace(good, commit, "0123456", 1), "2", "There is no commit, or none in full."},
		{"no hash", strings.Replace(good, "hash", "#", 1), "1", "There is no hash, or none in full: h1: is what a hash begins with."},
		{"another hash", strings.Replace(good, "h1:", "h2:", 1), "3", "There is no hash, or none in full: h1: is what a hash begins with."},
		{"a short hash", strings.Replace(good, "hSuFU=", "", 1), "3", "There is no hash, or none in full: after h1: a hash has 44 characters"},
		{"a number", strings.Replace(good, `"`+commit+`"`, "7", 1), "2", "This is no text in quotes."},
		{"an expression", strings.Replace(good, `"`+commit+`"`, `"${file("/etc/passwd")}"`, 1), "2", "This is no text in quotes."},
		{"an unknown attribute", strings.Replace(good, "  hash", "  x = \"\"\n  hash", 1), "3", `and no "x"`},
		{"a digest of git", strings.Replace(good, "commit", "digest", 1), "2", `has constraint, version, commit and hash, and no "digest"`},
		{"a version of a branch", strings.Replace(good, "commit", "version = \"1.0.0\"\n  commit", 1), "2", "The block has no version where it " +
			"needs one, or one where it needs none."},
		{"no version", strings.Replace(versioned, "version ", "#", 1), "1", "The block has no version where it needs one"},
		{"another version", strings.Replace(versioned, "1.4.2", "1.4", 1), "3", "This is no version as kplan init writes it."},
		{"a version that is not allowed", strings.Replace(versioned, "1.4.2", "9.9.9", 1), "3", "The constraint does not allow this version."},
		{"another constraint", strings.Replace(versioned, "~> 1.4", "~>1.4", 1), "2", "This is no version constraint as kplan init writes it."},
		{"not UTF-8", good + "# \xff", "5", "The file is not text in UTF-8"},
		{"nested", "a = " + strings.Repeat("[", 1000), "1", "More than 200 brackets"},
		{"too large", strings.Repeat("#", 5<<20), "", "it is larger than 4 MiB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			must(t, os.WriteFile(filepath.Join(dir, modules.LockFile), []byte(c.text), 0o644))
			_, diags := modules.Open(dir, modules.Options{Cache: dir})
			if c.want == "" {
				noErrors(t, diags)
				return
			}
			if !diags.HasErrors() {
				t.Fatal("there is no error")
			}
			text := diags[0].Summary + ": " + diags[0].Detail
			if !strings.Contains(text, c.want) {
				t.Errorf("%s\nand should have\n%s", text, c.want)
			}
			if c.line != "" && (diags[0].Subject == nil || string(rune('0'+diags[0].Subject.Start.Line)) != c.line) {
				t.Errorf("it is at %v, and should be in line %s", diags[0].Subject, c.line)
			}
		})
	}
}

// TestLockFileIsNoLink: a lock file that leads elsewhere is neither read nor written.
func TestLockFileIsNoLink(t *testing.T) {
	repo := newRepository(t)
	repo.commit("v1.0.0", map[string]string{"main.kplan.hcl": ""})
	for _, target := range []string{"there", "not there"} {
		dir, elsewhere := t.TempDir(), filepath.Join(t.TempDir(), "x")
		if target == "there" {
			must(t, os.WriteFile(elsewhere, []byte("precious"), 0o644))
		}
		must(t, os.Symlink(elsewhere, filepath.Join(dir, modules.LockFile)))
		_, diags := modules.Open(dir, modules.Options{Cache: t.TempDir(), LockMode: modules.Update})
		if !diags.HasErrors() || !strings.Contains(diags[0].Detail, "is no regular file. Whatever it leads to is not read.") {
			t.Errorf("%v", diags)
		}
	}
	dir, elsewhere := t.TempDir(), filepath.Join(t.TempDir(), "x")
	r := open(t, dir, modules.Options{Cache: t.TempDir(), LockMode: modules.Update})
	_, diags := r.Resolve(t.Context(), call(t, "git::"+repo.address, ""))
	noErrors(t, diags)
	must(t, os.Symlink(elsewhere, filepath.Join(dir, modules.LockFile)))
	if _, diags = r.Save(); !diags.HasErrors() {
		t.Error("it was written")
	}
	if _, err := os.Lstat(elsewhere); err == nil {
		t.Error("it was written where the link leads")
	}
}

// TestInit follows a lock file through its life.
func TestInit(t *testing.T) {
	repo := newRepository(t)
	repo.commit("v1.0.0", map[string]string{"a/main.kplan.hcl": "# 1.0.0\n", "b/main.kplan.hcl": ""})
	dir, o := t.TempDir(), modules.Options{Cache: t.TempDir()}
	source := "git::" + repo.address
	a, b := call(t, source+"//a", "~> 1.0"), call(t, source+"//b", "~> 1.0")
	_, diags := open(t, dir, o).Resolve(t.Context(), a)
	if !diags.HasErrors() || diags[0].Summary != "Module not in the lock file" || diags[0].Subject.Start.Line != 2 {
		t.Errorf("before init: %v", diags)
	}
	_, changes := initialize(t, dir, o, a, b)
	if len(changes) != 1 || changes[0].From != "" || changes[0].To != "1.0.0" {
		t.Errorf("init: %v", changes)
	}
	text := read(t, dir, modules.LockFile)
	if strings.Count(text, "module ") != 1 || strings.Contains(text, "//a\"") || !strings.Contains(text, `  constraint = "~> 1.0"`) {
		t.Errorf("the lock file is\n%s", text)
	}

	repo.commit("v1.1.0", map[string]string{"a/main.kplan.hcl": "# 1.1.0\n"})
	all, changes := initialize(t, dir, o, a, b)
	if len(changes) != 0 || all[0].Version != "1.0.0" || read(t, dir, modules.LockFile) != text {
		t.Errorf("init again: %v, %s", changes, all[0].Version)
	}
	narrower := call(t, source+"//a", ">= 1.0.0, < 3.0.0")
	if all, _ = initialize(t, dir, o, narrower); all[0].Version != "1.0.0" {
		t.Errorf("another constraint takes %s, and the version so far is allowed", all[0].Version)
	}
	initialize(t, dir, o, a)

	o.Upgrade = true
	if all, changes = initialize(t, dir, o, a); all[0].Version != "1.1.0" || len(changes) != 1 || changes[0].From != "1.0.0" {
		t.Errorf("an upgrade: %v", changes)
	}
	o.Upgrade = false
	other := call(t, source+"//b", "")
	if _, changes = initialize(t, dir, o, other); len(changes) != 2 {
		t.Errorf("one more and one less: %v", changes)
	}
	o.LockMode = modules.ReadOnly
	r := open(t, dir, o)
	_, diags = r.Resolve(t.Context(), other)
	noErrors(t, diags)
	_, diags = r.Save()
	noErrors(t, diags)
	r = open(t, dir, o)
	_, diags = r.Resolve(t.Context(), a)
	noErrors(t, diags)
	if _, diags = r.Save(); !diags.HasErrors() || diags[0].Summary != "Lock file would change" {
		t.Errorf("a lock file that is read only: %v", diags)
	}
	if _, changes = initialize(t, dir, modules.Options{Cache: o.Cache}); len(changes) != 1 || changes[0].To != "" {
		t.Errorf("no modules any more: %v", changes)
	}
	if _, err := os.Lstat(filepath.Join(dir, modules.LockFile)); err == nil {
		t.Error("there still is a lock file")
	}
}

func TestVersionsOfCalls(t *testing.T) {
	for source, want := range map[string]string{
		"./a": "A version can't be given here: a module in a local directory has no versions: it is what is there.",
		"git::https://host.example/a.git?ref=v1": "A version can't be given here: the source names the branch, tag or commit " +
			"already, with ref. " +
			"Keep one of them.",
	} {
		r := open(t, t.TempDir(), modules.Options{Cache: t.TempDir()})
		_, diags := r.Resolve(t.Context(), call(t, source, "1.0.0"))
		if len(diags) != 1 || diags[0].Detail != want || diags[0].Subject.Start.Line != 3 {
			t.Errorf("%s: %v", source, diags)
		}
	}
}
