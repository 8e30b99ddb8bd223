package convert

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"

	"kplan.dev/kplan/hclspec/source"
)

// File is a file of a configuration.
type File struct {
	Name   string
	Text   []byte
	origin []origin // by line
}

type origin struct {
	object *Object
	line   int
}

// Whole is the configuration as one file.
func (c *Configuration) Whole() *File {
	f := &File{}
	f.addVariables(c.Variables)
	for _, b := range c.Blocks {
		f.add(b)
	}
	return f
}

func (f *File) addVariables(variables []Variable) {
	for _, v := range variables {
		f.separate()
		f.append(v.block(), nil, nil)
	}
}

func (f *File) add(b *Block) {
	f.separate()
	f.append(b.Text, b.Object, b.lines)
}

// separate puts an empty line between two blocks.
func (f *File) separate() {
	if len(f.Text) > 0 {
		f.append([]byte("\n"), nil, nil)
	}
}

func (f *File) append(text []byte, o *Object, lines []int) {
	f.Text = append(f.Text, text...)
	for i := range bytes.Count(text, []byte("\n")) {
		at := origin{object: o}
		if o != nil {
			at.line = o.Source.Line
			if i < len(lines) && lines[i] > 0 {
				at.line = lines[i]
			}
		}
		f.origin = append(f.origin, at)
	}
}

// Origin is where a line of the file came from, nil for none.
func (f *File) Origin(line int) (o *Object, at int) {
	if line < 1 || line > len(f.origin) {
		return nil, 0
	}
	from := f.origin[line-1]
	return from.object, from.line
}

// Files are the configuration as the files of a directory: one for each file that objects came from, with
// the name that nameOf gives it, and one for the variables. A file never is larger than kplan reads. What the blocks
// read beside them is in Block.ManifestText.
func (c *Configuration) Files(nameOf func(file string) string) []*File {
	var files []*File
	byStem, parts := map[string]*File{}, map[string]int{}
	at := func(stem string, size int) *File {
		f := byStem[stem]
		if f != nil && len(f.Text)+size < source.MaxFileSize {
			return f
		}
		f = &File{Name: stem + ".kplan.hcl"}
		if parts[stem]++; parts[stem] > 1 {
			f.Name = fmt.Sprintf("%s.%d.kplan.hcl", stem, parts[stem])
		}
		byStem[stem], files = f, append(files, f)
		return f
	}
	for _, v := range c.Variables {
		block := v.block()
		at("variables", len(block)+1).addVariables([]Variable{v})
	}
	for _, b := range c.Blocks {
		at(stemOf(nameOf(b.Object.Source.File)), len(b.Text)+1).add(b)
	}
	return files
}

// stemOf is the beginning of the name of a configuration file, of the path of a file that objects came from:
// web/app.yaml becomes web-app.
func stemOf(path string) string {
	path = strings.TrimSuffix(filepath.ToSlash(path), filepath.Ext(path))
	stem := strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return '-'
	}, path), "-")
	switch {
	case stem == "":
		return "main"
	case stem == "override" || strings.HasSuffix(stem, "_override"):
		return stem + "s" // a file of that name would mean something else to Terraform
	}
	return stem
}
