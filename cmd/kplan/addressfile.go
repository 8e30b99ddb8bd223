package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
)

// longestAddressFile is how many bytes a file of addresses may have.
const longestAddressFile = 4 << 20

// paths are those that a repeated flag names.
type paths []string

func (p *paths) Set(text string) error {
	*p = append(*p, text)
	return nil
}

func (p *paths) String() string { return strings.Join(*p, ", ") }

// read takes the addresses from the files that -target-file and -exclude-file
// name. What is wrong with them can be reported with their text.
func (o *selection) read(ctx context.Context, s *session) hcl.Diagnostics {
	var diags hcl.Diagnostics
	o.written = map[addrs.Instance]hcl.Range{}
	for _, path := range o.targetFiles {
		found, more := s.readAddresses(ctx, path, o.written)
		if len(found) == 0 && !more.HasErrors() {
			more = append(more, noAddresses(hcl.DiagError, path, "-target-file would limit the plan to nothing. To plan everything, leave it out."))
		}
		o.targets, diags = append(o.targets, found...), append(diags, more...)
	}
	for _, path := range o.excludeFiles {
		found, more := s.readAddresses(ctx, path, o.written)
		if len(found) == 0 && !more.HasErrors() {
			more = append(more, noAddresses(hcl.DiagWarning, path, "-exclude-file leaves nothing out."))
		}
		o.excludes, diags = append(o.excludes, found...), append(diags, more...)
	}
	return diags
}

func noAddresses(severity hcl.DiagnosticSeverity, path, meaning string) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: severity, Summary: "No addresses in the file", Detail: fmt.Sprintf("%s holds no address, so that %s", path, meaning)}
}

// readAddresses reads a file of one address a line, in which a line that begins
// with # is a comment, and takes note of where each stands.
func (s *session) readAddresses(ctx context.Context, path string, written map[addrs.Instance]hcl.Range) (addresses, hcl.Diagnostics) {
	refused := func(why string) hcl.Diagnostics {
		return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Can't read file of addresses", Detail: fmt.Sprintf("%s can't be read: %s.", path, why)}}
	}
	for _, ending := range []string{".hcl", ".json"} {
		if strings.HasSuffix(path, ending) {
			return nil, refused("a file of addresses is plain text with one address a line, and its name does not end with " + ending)
		}
	}
	src, err := readAddressFile(ctx, path)
	switch {
	case ctx.Err() != nil:
		return nil, interruptedAt(path)
	case err != nil:
		return nil, refused(reason(err).Error())
	case len(src) > longestAddressFile:
		return nil, refused("it has more than 4 MiB")
	}
	s.lists[path] = &hcl.File{Bytes: src}
	return parseAddresses(string(src), path, written)
}

func readAddressFile(ctx context.Context, path string) ([]byte, error) {
	file, err := open(ctx, path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, longestAddressFile+1))
}

func parseAddresses(src, path string, written map[addrs.Instance]hcl.Range) (addresses, hcl.Diagnostics) {
	var (
		found addresses
		diags hcl.Diagnostics
		start int
	)
	for number, line := range strings.Split(src, "\n") {
		text := strings.TrimSpace(strings.TrimPrefix(line, "\ufeff"))
		column := strings.Index(line, text)
		at := hcl.Range{
			Filename: path,
			Start:    hcl.Pos{Line: number + 1, Column: column + 1, Byte: start + column},
			End:      hcl.Pos{Line: number + 1, Column: column + 1 + len(text), Byte: start + column + len(text)},
		}
		start += len(line) + 1
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		addr, err := addrs.ParseInstance(text)
		if err != nil {
			diags = append(diags, notAnAddress(text, err, at))
			continue
		}
		found, written[addr] = append(found, addr), at
	}
	return found, diags
}

// notAnAddress says what is wrong with a line. One that looks like a setting may
// hold a password: the wrong file was named, and nothing of it is shown.
func notAnAddress(text string, err error, at hcl.Range) *hcl.Diagnostic {
	d := &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Invalid address in file", Detail: capital(err) + ".", Subject: &at}
	before, _, comment := strings.Cut(text, " #")
	switch {
	case strings.ContainsAny(text, "=:"):
		d.Subject = nil
		d.Detail = fmt.Sprintf("Line %d of %s is not an address. A file of addresses holds one a line, such as Pod.web, and comments that begin with #. The line is not shown, since it may be a setting.", at.Start.Line, at.Filename)
	case comment:
		if addr, err := addrs.ParseInstance(strings.TrimSpace(before)); err == nil {
			d.Detail = fmt.Sprintf("A comment stands on a line of its own: nothing can follow the address %s.", addr)
		}
	}
	return d
}
