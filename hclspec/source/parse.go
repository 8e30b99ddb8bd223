// Package source is the text of kplan's language: the directories and files that it
// is read from, what is refused before it is parsed, parsing, formatting, and the
// shape of the problems that are reported in it. It evaluates nothing.
package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/json"

	"kplan.dev/kplan/graph"
)

// File is a file of the configuration.
type File struct {
	Name   string
	Parsed *hcl.File // nil when it is not fit to be parsed at all
	Diags  hcl.Diagnostics
}

// ReadFiles reads and parses files of a directory in parallel, which takes most of the time of
// loading. They are called by the directory as it is shown.
func ReadFiles(dir, shown string, names []string) []File {
	sources := make([]File, len(names))
	workers := runtime.GOMAXPROCS(0)
	group, _ := graph.NewGroup(context.Background())
	for first := range workers {
		group.Go(func() error {
			for n := first; n < len(names); n += workers {
				sources[n] = readFile(Directory(dir), shown, names[n])
			}
			return nil
		})
	}
	group.Wait() // for panics, too; there are no errors
	return sources
}

func readFile(dir Directory, shown, name string) File {
	s := File{Name: Shown(shown, name)}
	src, err := dir.Read(name)
	if err != nil {
		s.Diags = WithoutRange("Can't read file", "%s can't be read: %v.", s.Name, err)
		return s
	}
	s.Parsed, s.Diags = Parse(src, s.Name)
	return s
}

// Shown is the name of a file of a directory in diagnostics. The directory may have come from elsewhere, and have an address.
func Shown(dir, name string) string {
	if strings.Contains(dir, "://") {
		return dir + "/" + name
	}
	return filepath.Join(dir, name)
}

// Parse parses one file of the language in the syntax that its name indicates. The file is nil when
// the source is not fit to be parsed at all.
func Parse(src []byte, filename string) (*hcl.File, hcl.Diagnostics) {
	if strings.HasSuffix(filename, ".json") {
		return ParseJSON(src, filename)
	}
	return parseNative(src, filename)
}

func ParseJSON(src []byte, filename string) (*hcl.File, hcl.Diagnostics) {
	src = bytes.TrimPrefix(src, byteOrderMark)
	if diags := checkJSONSource(src, filename); diags.HasErrors() {
		return nil, diags
	}
	file, diags := json.Parse(src, filename)
	if first := checkJSONSyntax(src, filename); first.HasErrors() {
		return file, first
	}
	return file, append(diags, changedText(src, filename)...)
}

func parseNative(src []byte, filename string) (*hcl.File, hcl.Diagnostics) {
	if diags := Check(src, filename); diags.HasErrors() {
		return nil, diags
	}
	file, diags := hclsyntax.ParseConfig(src, filename, hcl.InitialPos)
	return file, append(firstErrors(diags, src, filename), changedText(src, filename)...)
}

// byteOrderMark is what some editors put before a text.
var byteOrderMark = []byte("\ufeff")

// ConfigFiles lists the names of a directory's configuration files, sorted.
func ConfigFiles(dir string) ([]string, error) {
	return FilesWithSuffix(dir, ".kplan.hcl", ".kplan.json")
}

func FilesWithSuffix(dir string, suffixes ...string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		name := e.Name()
		if e.IsDir() || isIgnored(name) {
			continue
		}
		if slices.ContainsFunc(suffixes, func(s string) bool { return strings.HasSuffix(name, s) }) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// isIgnored reports whether a name is that of a hidden file or of a backup or temporary file of an
// editor.
func isIgnored(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasSuffix(name, "~") ||
		strings.HasPrefix(name, "#") && strings.HasSuffix(name, "#")
}

// NoFiles is the summary of NoConfiguration.
const NoFiles = "No configuration files"

// NoConfiguration is the error for a directory without configuration files. It
// matters that this is an error: an empty configuration would plan to delete
// everything.
func NoConfiguration(dir string, err error) hcl.Diagnostics {
	where := "The directory " + dir
	if dir == "." {
		where = "The current directory"
	}
	detail := where + " has no files named *.kplan.hcl or *.kplan.json; directories below it are not read."
	switch {
	case errors.Is(err, fs.ErrNotExist):
		detail = where + " does not exist."
	case err != nil:
		detail = fmt.Sprintf("%s can't be read: %v.", where, ReadError(err))
	default:
		detail += hintForOthers(dir)
	}
	return WithoutRange(NoFiles, "%s", detail)
}

// hintForOthers suggests what to do with the files in a directory without files for kplan.
func hintForOthers(dir string) string {
	if names, _ := FilesWithSuffix(dir, ".hcl"); len(names) > 0 {
		return fmt.Sprintf(" There is %s: kplan reads it once it is named like main.kplan.hcl.", names[0])
	}
	if names, _ := FilesWithSuffix(dir, ".tf", ".tf.json"); len(names) > 0 {
		return fmt.Sprintf(" There is %s: kplan does not read Terraform's files; its own language is much like theirs.", names[0])
	}
	if names, _ := FilesWithSuffix(dir, ".yaml", ".yml"); len(names) > 0 {
		return fmt.Sprintf(" There is %s. To write it as configuration: kplan convert %s. To use it as it is, in a file main.kplan.hcl: "+
			"manifests \"all\" { objects = yamldecodeall(file(%q)) }", names[0], names[0], names[0])
	}
	return ""
}
