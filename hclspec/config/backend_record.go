package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	hcljson "github.com/hashicorp/hcl/v2/json"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/internal/files"
	"kplan.dev/kplan/internal/words"
)

// BackendRecord is what a directory remembers of its backend: as kplan init found it, or the first run that wrote the
// state. By it a changed block is noticed, before a run goes on with another state.
type BackendRecord struct {
	Type string `json:"type"`
	// Arguments are the expressions of the block as they are written: one directory may have the states of
	// many tenants, by a variable.
	Arguments map[string]string `json:"arguments,omitempty"`
	// Given are the arguments that kplan init was given. They may be secret, as in Terraform: the file is the user's alone.
	Given map[string]string `json:"given,omitempty"`
	// Previous is the backend that states were migrated from. Another tenant's may still be there.
	Previous *BackendRecord `json:"previous,omitempty"`
	// Lineages are the stacks whose states this directory has used, by the name of the place. Another stack that was given
	// the same place by mistake would have all objects of this one deleted.
	Lineages map[string]string `json:"lineages,omitempty"`

	dir string
}

// recordPath is the file of a directory's BackendRecord.
const recordPath = ".kplan/backend.json"

// maxRecord bounds its size, in bytes.
const maxRecord = 1 << 20

// maxMistakes bounds how many of the mistakes in a file are reported.
const maxMistakes = 5

// recordFormat is the version of that file's format.
const recordFormat = 1

type recordFile struct {
	Format int `json:"format"`
	*BackendRecord
}

// BackendRecord reads the record of the configuration's directory, nil where there is none.
func (c *Config) BackendRecord() (*BackendRecord, error) {
	path := filepath.Join(c.Dir, recordPath)
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case errors.Is(err, syscall.ENOTDIR):
		return nil, fmt.Errorf("%s is not a directory, and kplan needs one of that name: move it away", filepath.Dir(path))
	case err == nil && info.IsDir():
		return nil, fmt.Errorf("%s is a directory, and kplan needs a file of that name: move it away", path)
	case err == nil && (!info.Mode().IsRegular() || info.Size() > maxRecord):
		return nil, &DamagedRecordError{path, "it is no file of such a size as kplan writes"}
	}
	var text []byte
	if err == nil {
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, files.Reason(err))
	}
	return decodeRecord(text, path)
}

// DamagedRecordError is the error of a record that kplan did not write, or not as it is now. Another can take its place.
type DamagedRecordError struct{ Path, Problem string }

func (e *DamagedRecordError) Error() string { return e.Path + ": " + e.Problem }

func decodeRecord(text []byte, path string) (*BackendRecord, error) {
	var file recordFile
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, &DamagedRecordError{path, err.Error()}
	}
	if file.Format != recordFormat || file.BackendRecord == nil {
		return nil, &DamagedRecordError{path, fmt.Sprintf("it is not what this kplan writes (format %d)", file.Format)}
	}
	for r := file.BackendRecord; r != nil; r = r.Previous {
		if backendTypes[r.Type].evaluate == nil {
			return nil, &DamagedRecordError{path, fmt.Sprintf("it is not what this kplan writes (type %q)", r.Type)}
		}
	}
	file.dir = filepath.Dir(filepath.Dir(path))
	return file.BackendRecord, nil
}

// GivenFor is what kplan init was given, if it was for a backend of the type that the configuration has.
func (r *BackendRecord) GivenFor(c *Config) map[string]string {
	if r == nil || c.Settings.Backend == nil || c.Settings.Backend.Labels[0] != r.Type {
		return nil
	}
	return r.Given
}

// Store writes the record into the configuration's directory.
func (r *BackendRecord) Store() error {
	path := filepath.Join(r.dir, recordPath)
	text, err := json.MarshalIndent(recordFile{recordFormat, r}, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return files.Replace(path, append(text, '\n'), 0o600)
}

// Use records the stack whose state is at a place.
func (r *BackendRecord) Use(place, lineage string) {
	if r.Lineages == nil {
		r.Lineages = map[string]string{}
	}
	r.Lineages[place] = lineage
}

// RecordBackend is the record of the backend block as it is.
func (c *Config) RecordBackend(given map[string]string) *BackendRecord {
	block := c.Settings.Backend
	if block == nil {
		return &BackendRecord{Type: localBackend, dir: c.Dir}
	}
	r := &BackendRecord{Type: block.Labels[0], Given: given, Arguments: map[string]string{}, dir: c.Dir}
	content, _, _ := block.Body.PartialContent(backendTypes[r.Type].schema()) // Load reported what is wrong with it
	for name, attr := range content.Attributes {
		if _, other := given[name]; !other {
			at := attr.Expr.Range()
			r.Arguments[name] = string(bytes.TrimSpace(at.SliceBytes(c.Files[at.Filename].Bytes)))
		}
	}
	return r
}

// Follow remembers the backends that the directory had before r, the last one first and each one once.
func (r *BackendRecord) Follow(before *BackendRecord) {
	r.Previous = nil
	seen := []*BackendRecord{r}
	for ; before != nil; before = before.Previous {
		if slices.ContainsFunc(seen, before.writtenAs) {
			continue
		}
		copied := *before
		copied.Previous, copied.Lineages = nil, nil // those are by place
		seen[len(seen)-1].Previous = &copied
		seen = append(seen, &copied)
	}
}

// Filter is the record and those before it that are to be kept, nil where none is.
func (r *BackendRecord) Filter(keep func(*BackendRecord) bool) *BackendRecord {
	if r == nil {
		return nil
	}
	earlier := r.Previous.Filter(keep)
	if !keep(r) {
		return earlier
	}
	kept := *r
	kept.Previous = earlier
	return &kept
}

func (r *BackendRecord) writtenAs(other *BackendRecord) bool {
	return r.Type == other.Type && maps.Equal(r.Arguments, other.Arguments) && maps.Equal(r.Given, other.Given)
}

// parseRecorded parses an expression that was written in HCL or in JSON, whose strings have other escapes.
func parseRecorded(text string) (hcl.Expression, hcl.Diagnostics) {
	expr, diags := hclsyntax.ParseExpression([]byte(text+"\n"), recordPath, hcl.InitialPos) // a heredoc ends with its line
	if diags.HasErrors() {
		if other, more := hcljson.ParseExpression([]byte(text), recordPath); !more.HasErrors() {
			return other, nil
		}
	}
	return expr, diags
}

// Recorded evaluates the backend of a record.
func (c *Config) Recorded(r *BackendRecord, v Values) (*Backend, hcl.Diagnostics) {
	attrs := hcl.Attributes{}
	var diags hcl.Diagnostics
	for name, text := range r.Arguments {
		expr, more := parseRecorded(text)
		diags = append(diags, more...)
		attrs[name] = &hcl.Attribute{Name: name, Expr: expr, Range: expr.Range(), NameRange: expr.Range()}
	}
	if diags.HasErrors() {
		return nil, diags
	}
	give(attrs, r.Given, hcl.Range{Filename: recordPath})
	b, diags := c.backend(v, &Backend{Type: r.Type}, attrs)
	if len(b.Missing) > 0 {
		diags = append(diags, source.Problem("Missing argument", hcl.Range{Filename: recordPath},
			"%s has no %s", recordPath, words.And(b.Missing))...)
	}
	return b, diags
}

// Same reports whether two backends are one place, apart from credentials.
func (b *Backend) Same(other *Backend) bool {
	switch {
	case b.Type != other.Type:
		return false
	case b.Type == localBackend:
		return realPath(b.Path) == realPath(other.Path)
	}
	return len(b.Changed(other)) == 0
}

// realPath is the path by which one file has one name, however it is spelled.
func realPath(path string) string {
	dir, name := filepath.Split(path)
	if real, err := filepath.EvalSymlinks(filepath.Clean(dir)); err == nil {
		dir = real
	}
	path = filepath.Join(dir, name)
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	return path
}

// Changed are the arguments that name the place and differ, sorted.
func (b *Backend) Changed(other *Backend) []string {
	of := backendTypes[b.Type]
	place := of.place
	if place == nil {
		place = slices.DeleteFunc(of.arguments(), func(name string) bool { return slices.Contains(of.secret, name) })
	}
	var names []string
	for _, name := range place {
		if b.Arguments[name] != other.Arguments[name] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// UnknownArguments are those of given arguments that the backend block can't have, with those that it can. Without a
// block there are none of either.
func (c *Config) UnknownArguments(given map[string]string) (unknown, known []string) {
	if c.Settings.Backend == nil {
		return nil, nil
	}
	known = backendTypes[c.Settings.Backend.Labels[0]].arguments()
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if !slices.Contains(known, name) {
			unknown = append(unknown, name)
		}
	}
	return unknown, known
}

// BackendArguments reads a file of arguments for kplan init, as NAME = VALUE in HCL.
func BackendArguments(text []byte, path string) (map[string]string, hcl.Diagnostics) {
	if len(text) > maxRecord || bytes.IndexByte(text, 0) >= 0 {
		return nil, source.Problem("Invalid file", hcl.Range{Filename: path, Start: hcl.InitialPos, End: hcl.InitialPos},
			"%s is no file with lines such as NAME = \"VALUE\".", path)
	}
	file, diags := hclsyntax.ParseConfig(text, path, hcl.InitialPos)
	if diags.HasErrors() {
		return nil, diags[:min(len(diags), maxMistakes)]
	}
	attrs, diags := file.Body.JustAttributes()
	given := map[string]string{}
	for name, attr := range attrs {
		value, more := attr.Expr.Value(nil)
		diags = append(diags, more...)
		if more.HasErrors() {
			continue
		}
		value, err := convert.Convert(value, cty.String)
		if err != nil || value.IsNull() {
			diags = append(diags, source.Problem("Invalid value", attr.Expr.Range(), "%s must be a string, a number or a bool.", name)...)
			continue
		}
		given[name] = value.AsString()
	}
	return given, diags
}
