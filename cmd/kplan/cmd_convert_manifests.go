package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/convert"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/internal/files"
	"kplan.dev/kplan/kinds"
)

// manifests are the objects that kplan convert was given.
type manifests struct {
	objects  []*convert.Object
	kinds    []*kinds.Kind     // that are known besides those that are built in, and those that the objects define
	relative map[string]string // by the path of a file, the path below the directory that was given
}

// fromStdin is the name of standard input in messages.
const fromStdin = "<stdin>"

// readManifests reads the objects of files, directories and standard input.
func readManifests(ctx context.Context, s *session, targets []string, recursive bool) (*manifests, hcl.Diagnostics) {
	in := &manifests{relative: map[string]string{}}
	var diags hcl.Diagnostics
	for _, target := range targets {
		found, problems := in.find(target, recursive)
		diags = append(diags, problems...)
		for _, path := range found {
			text, err := readInput(ctx, s, path)
			if err != nil {
				diags = append(diags, notRead(ctx, "the manifest", path, err, "")...)
				continue
			}
			if !mentionsSecret.Match(text) {
				s.quoted.lists[path] = &hcl.File{Bytes: text}
			}
			objects, problems := convert.Read(path, string(text))
			in.objects, diags = append(in.objects, objects...), append(diags, problems...)
		}
	}
	return in, diags
}

// mentionsSecret matches a file that may hold a Secret: messages don't quote it.
var mentionsSecret = regexp.MustCompile(`kind\W{1,5}(Secret|\w*List)\b`)

func readInput(ctx context.Context, s *session, path string) ([]byte, error) {
	if path == fromStdin {
		return io.ReadAll(files.Reader(ctx, s.ui.In))
	}
	file, err := files.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(file)
}

// find lists the files that an argument stands for.
func (in *manifests) find(target string, recursive bool) ([]string, hcl.Diagnostics) {
	if target == "-" {
		in.relative[fromStdin] = ""
		return []string{fromStdin}, nil
	}
	info, err := os.Stat(target)
	if err != nil {
		return nil, failure("Can't read the manifest", "%s.", fileProblem(err))
	}
	if !info.IsDir() {
		in.relative[target] = filepath.Base(target)
		return []string{target}, nil
	}
	if diags := built(target); diags.HasErrors() {
		return nil, diags
	}
	var found []string
	err = filepath.WalkDir(target, func(path string, entry fs.DirEntry, err error) error {
		hidden := path != target && strings.HasPrefix(entry.Name(), ".")
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != target && (!recursive || hidden):
			return fs.SkipDir
		case !entry.IsDir() && !hidden && slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(path)):
			found = append(found, path)
			in.relative[path], err = filepath.Rel(target, path)
		}
		return err
	})
	switch {
	case err != nil:
		return nil, failure("Can't read the manifests", "%s.", fileProblem(err))
	case len(found) == 0:
		return nil, failure("No manifests", "The directory %s has no files named *.yaml, *.yml or *.json.%s", target,
			hintBelow(target, recursive))
	}
	return found, nil
}

func hintBelow(directory string, recursive bool) string {
	below, _ := filepath.Glob(filepath.Join(directory, "*", "*.y*ml"))
	if recursive || len(below) == 0 {
		return ""
	}
	return " To read those of directories below, too: -recursive"
}

// built refuses a directory of which another tool makes manifests.
func built(directory string) hcl.Diagnostics {
	for _, name := range []string{"kustomization.yaml", "kustomization.yml", "Kustomization", "Chart.yaml"} {
		if _, err := os.Stat(filepath.Join(directory, name)); err != nil {
			continue
		}
		if name == "Chart.yaml" {
			return failure("Helm chart", "The directory %s is a chart, of which Helm makes the manifests: helm template NAME %s | kplan convert -",
				directory, directory)
		}
		return failure("Kustomization",
			"The directory %s has a %s, of which kubectl makes the manifests: kubectl kustomize %s | kplan convert -", directory, name, directory)
	}
	return nil
}

// check evaluates the files that are to be written as kplan validate does, and reports what is wrong
// where it came from.
func (in *manifests) check(ctx context.Context, written []outputFile) (diags hcl.Diagnostics) {
	directory, err := os.MkdirTemp("", "kplan-convert-")
	if err != nil {
		return failure("Can't check the result", "%s.", fileProblem(err))
	}
	defer func() {
		if err := os.RemoveAll(directory); err != nil {
			diags = append(diags, failure("Can't remove a temporary directory", "%s.", fileProblem(err))...)
		}
	}()
	for _, f := range written {
		if len(f.text) > source.MaxFileSize {
			return failure("Too large", "The configuration would be larger than the %d MiB that a file may have. Write it to a directory, "+
				"where it has several files: -out=DIR", source.MaxFileSize>>20)
		}
		path := filepath.Join(directory, f.name)
		err := os.MkdirAll(filepath.Dir(path), 0o700)
		if err == nil {
			err = os.WriteFile(path, f.text, 0o600)
		}
		if err != nil {
			return failure("Can't check the result", "%s.", fileProblem(err))
		}
	}
	return placed(problemsOf(ctx, directory, in.kinds), directory, written)
}

// problemsOf are the errors in the configuration of a directory, where more kinds are known than those built in.
func problemsOf(ctx context.Context, directory string, known []*kinds.Kind) hcl.Diagnostics {
	c, diags := config.Load(ctx, directory)
	values, more := c.ReadVariables(config.Inputs{Partial: true})
	if diags = append(diags, more...); diags.HasErrors() {
		return diags
	}
	preview, diags := hclspec.NewPreview(ctx, c, hclspec.Options{Variables: values, Partial: true,
		Kinds: kinds.OpenSet{Set: kinds.Builtin().With(known...)}})
	if !diags.HasErrors() {
		diags = append(append(diags, preview.Violations()...), preview.Warnings(nil)...)
	}
	return diags
}

// placed are the errors among diagnostics, where the objects came from that they are about.
func placed(diags hcl.Diagnostics, directory string, written []outputFile) (errs hcl.Diagnostics) {
	seen := map[string]bool{}
	for _, d := range diags {
		if d.Severity != hcl.DiagError {
			continue
		}
		moved := &hcl.Diagnostic{Severity: d.Severity, Summary: d.Summary, Detail: d.Detail}
		if d.Subject != nil {
			placeIn(moved, *d.Subject, directory, written)
		}
		if key := fmt.Sprint(moved.Subject, moved.Summary, moved.Detail); !seen[key] {
			seen[key], errs = true, append(errs, moved)
		}
	}
	return errs
}

// placeIn leads a diagnostic from a file that is to be written to the one that an object was read from.
func placeIn(d *hcl.Diagnostic, at hcl.Range, directory string, written []outputFile) {
	for _, f := range written {
		if f.converted == nil || filepath.Join(directory, f.name) != at.Filename {
			continue
		}
		o, line := f.converted.Origin(at.Start.Line)
		if o == nil {
			return
		}
		d.Detail = o.Where() + ": " + d.Detail
		begin := hcl.Pos{Line: line, Column: 1}
		d.Subject = &hcl.Range{Filename: o.Source.File, Start: begin, End: begin}
	}
}

// underlined are diagnostics about lines, in the order of these, as diagnostics about what is in them.
func underlined(diags hcl.Diagnostics, files map[string]*hcl.File) hcl.Diagnostics {
	slices.SortStableFunc(diags, func(a, b *hcl.Diagnostic) int {
		if a.Subject == nil || b.Subject == nil {
			return 0
		}
		return cmp.Or(cmp.Compare(a.Subject.Filename, b.Subject.Filename), a.Subject.Start.Line-b.Subject.Start.Line)
	})
	for _, d := range diags {
		if d.Subject != nil && files[d.Subject.Filename] != nil {
			underline(d.Subject, strings.Split(string(files[d.Subject.Filename].Bytes), "\n"))
		}
	}
	return diags
}

// underline extends a range at the beginning of a line to what is in it.
func underline(r *hcl.Range, lines []string) {
	n := r.Start.Line
	if n < 1 || n > len(lines) {
		return
	}
	line, above := strings.TrimRight(lines[n-1], " \r"), len(strings.Join(lines[:n-1], "\n"))+min(n-1, 1)
	begin, end := len(line)-len(strings.TrimLeft(line, " ")), len(line)
	r.Start.Column, r.Start.Byte = 1+begin, above+begin
	r.End.Column, r.End.Byte = 1+end, above+end
}
