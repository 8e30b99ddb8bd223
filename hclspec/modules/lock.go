package modules

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"kplan.dev/kplan/hclspec/modules/git"
	"kplan.dev/kplan/hclspec/modules/tree"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/internal/files"
	"kplan.dev/kplan/internal/words"
)

// LockFile is the name of the lock file in the directory of a configuration.
const LockFile = ".kplan.lock.hcl"

const lockHead = `# kplan init maintains this file, and every run holds the modules against it.
# Keep it in version control, and don't edit it.
`

// key is what the lock file has an entry for: a source, without the directory in it, under a constraint.
type key struct{ source, constraint string }

func compareKeys(a, b key) int {
	return cmp.Or(cmp.Compare(a.source, b.source), cmp.Compare(a.constraint, b.constraint))
}

// pin is what a source was when kplan init chose it.
type pin struct {
	version  string // "" without one
	revision string // a commit or a digest
	hash     tree.Hash
}

// pins are the content of a lock file.
type pins map[key]pin

const summaryLock = "Invalid lock file"

// readPins reads the lock file of a directory. Without one there are no pins.
func readPins(dir string) (pins, hcl.Diagnostics) {
	path := filepath.Join(dir, LockFile)
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return pins{}, nil
	case err == nil && !info.Mode().IsRegular():
		return nil, source.WithoutRange(summaryLock, "%s is no regular file. Whatever it leads to is not read.", path)
	}
	var src []byte
	if err == nil {
		src, err = source.Directory(dir).Read(LockFile)
	}
	if err != nil {
		return nil, source.WithoutRange(summaryLock, "Can't read %s: %v.", path, files.Reason(err))
	}
	return parsePins(src, path)
}

func parsePins(src []byte, filename string) (pins, hcl.Diagnostics) {
	if diags := conflict(src, filename); diags.HasErrors() {
		return nil, diags
	}
	if diags := source.Check(src, filename); diags.HasErrors() {
		return nil, diags
	}
	file, diags := hclsyntax.ParseConfig(src, filename, hcl.InitialPos)
	if diags.HasErrors() {
		return nil, source.FirstProblems(diags)
	}
	all := pins{}
	body := file.Body.(*hclsyntax.Body)
	for _, attribute := range body.Attributes {
		diags = append(diags, source.Problem(summaryLock, attribute.NameRange, "A lock file has module blocks and nothing else.")...)
	}
	for _, block := range body.Blocks {
		k, p, problems := parsePin(block)
		if _, twice := all[k]; twice && !problems.HasErrors() {
			problems = source.Problem(summaryLock, block.DefRange(), "There are two blocks for this module and constraint. Keep the one that "+
				"you trust, or remove both and run kplan init.")
		}
		diags = append(diags, problems...)
		all[k] = p
	}
	source.SortDiagnostics(diags)
	return all, source.FirstProblems(diags)
}

var conflictMark = regexp.MustCompile(`(?m)^(<{7}|={7}|>{7})( .*)?$`)

// conflict reports a merge that was not finished.
func conflict(src []byte, filename string) hcl.Diagnostics {
	at := conflictMark.FindIndex(src)
	if at == nil {
		return nil
	}
	line := bytes.Count(src[:at[0]], []byte("\n")) + 1
	start := hcl.Pos{Line: line, Column: 1, Byte: at[0]}
	end := hcl.Pos{Line: line, Column: 1 + at[1] - at[0], Byte: at[1]}
	return source.Problem(summaryLock, hcl.Range{Filename: filename, Start: start, End: end}, "A merge left a conflict here. Keep the blocks "+
		"of both sides, of two for the same module the one that you trust, and run kplan init.")
}

var digest = regexp.MustCompile(`^sha(256:[0-9a-f]{64}|512:[0-9a-f]{128})$`)

func parsePin(block *hclsyntax.Block) (k key, p pin, diags hcl.Diagnostics) {
	if block.Type != "module" || len(block.Labels) != 1 || len(block.Body.Blocks) > 0 {
		return k, p, source.Problem(summaryLock, block.DefRange(), "A lock file has blocks of the form "+
			"module \"SOURCE\" { … } and nothing else.")
	}
	s, err := ParseSource(block.Labels[0])
	if err != nil || !s.IsRemote() || s.root() != block.Labels[0] {
		return k, p, source.Problem(summaryLock, block.LabelRanges[0], "This is no source of a module as kplan init writes it. Remove the "+
			"block, and run kplan init.")
	}
	revision := map[Kind]string{Git: "commit", OCI: "digest"}[s.Kind]
	values, diags := literals(block, []string{"constraint", "version", revision, "hash"})
	k = key{s.root(), values["constraint"]}
	p = pin{version: values["version"], revision: values[revision]}
	bad := func(name, format string, args ...any) {
		at := block.DefRange()
		if a := block.Body.Attributes[name]; a != nil {
			at = a.Expr.Range()
		}
		if !diags.HasErrors() {
			diags = source.Problem(summaryLock, at, format+" Remove the block, and run kplan init.", args...)
		}
	}
	if c, err := ParseConstraint(k.constraint); err != nil || c.String() != k.constraint {
		bad("constraint", "This is no version constraint as kplan init writes it.")
	} else if err := s.Check(c); err != nil {
		bad("constraint", "A module with this source has no version constraint.")
	}
	if v, err := ParseVersion(p.version); p.version != "" && (err != nil || v.String() != p.version) {
		bad("version", "This is no version as kplan init writes it.")
	}
	if !isAllowed(k.constraint, p.version) {
		bad("version", "The constraint does not allow this version.")
	}
	if needsVersion := k.constraint != "" || s.Kind == OCI; needsVersion != (p.version != "") {
		bad("version", "The block has no version where it needs one, or one where it needs none.")
	}
	if s.Kind == Git && !git.IsCommit(p.revision) || s.Kind == OCI && !digest.MatchString(p.revision) {
		bad(revision, "There is no %s, or none in full.", revision)
	}
	if p.hash, err = tree.ParseHash(values["hash"]); err != nil {
		bad("hash", "There is no hash, or none in full: %v.", err)
	}
	return k, p, diags
}

// isAllowed reports whether a constraint allows a version, if both are right.
func isAllowed(constraint, text string) bool {
	c, err := ParseConstraint(constraint)
	v, noVersion := ParseVersion(text)
	return err != nil || noVersion != nil || c.Allows(v) || constraint == ""
}

// literals are the attributes of a block, all of them texts that are written out.
func literals(block *hclsyntax.Block, known []string) (map[string]string, hcl.Diagnostics) {
	values, diags := map[string]string{}, hcl.Diagnostics(nil)
	for name, attribute := range block.Body.Attributes {
		value, isWritten := source.Written(attribute.Expr)
		switch {
		case !slices.Contains(known, name):
			diags = append(diags, source.Problem(summaryLock, attribute.NameRange, "A block with this source has %s, and no %q.",
				words.And(known), name)...)
		case !isWritten || value.IsNull() || value.Type() != cty.String:
			diags = append(diags, source.Problem(summaryLock, attribute.Expr.Range(), "This is no text in quotes.")...)
		default:
			values[name] = value.AsString()
		}
	}
	return values, diags
}

// encode is the text of a lock file. Blocks stand apart, so that two branches that add different modules merge.
func (p pins) encode() []byte {
	file := hclwrite.NewEmptyFile()
	file.Body().AppendUnstructuredTokens(hclwrite.Tokens{{Type: hclsyntax.TokenComment, Bytes: []byte(lockHead)}})
	for _, k := range p.sorted() {
		file.Body().AppendNewline()
		body := file.Body().AppendNewBlock("module", []string{k.source}).Body()
		one := p[k]
		revision := "commit"
		if digest.MatchString(one.revision) {
			revision = "digest"
		}
		for _, a := range []struct{ name, value string }{
			{"constraint", k.constraint}, {"version", one.version}, {revision, one.revision}, {"hash", one.hash.String()},
		} {
			if a.value != "" {
				body.SetAttributeValue(a.name, cty.StringVal(a.value))
			}
		}
	}
	return hclwrite.Format(file.Bytes())
}

func (p pins) sorted() []key { return slices.SortedFunc(maps.Keys(p), compareKeys) }

// write replaces the lock file of a directory, or removes it if there are no pins.
func (p pins) write(dir string) error {
	path := filepath.Join(dir, LockFile)
	info, err := os.Lstat(path)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return fmt.Errorf("%s is no regular file", path)
	case len(p) > 0:
		return files.Replace(path, p.encode(), 0o644)
	case errors.Is(err, fs.ErrNotExist):
		return nil
	}
	return os.Remove(path)
}
