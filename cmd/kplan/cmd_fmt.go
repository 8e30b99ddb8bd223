package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aymanbagabas/go-udiff"
	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/internal/render"
)

type fmtOptions struct {
	list, write, diff, check, recursive bool
}

func fmtCommand() *command {
	var opts fmtOptions
	return &command{
		name: "fmt", args: "[FILE or FOLDER...]", maxArgs: -1,
		summary: "Bring files into canonical form",
		about: "Rewrites kplan's files in canonical form: two spaces per level, equals signs of neighbouring " +
			"lines below one another. It moves nothing and takes nothing away.\n\n" +
			"Without an argument it takes the files *.kplan.hcl, *.kpvars.hcl and *.kptest.hcl of the current " +
			"folder. A single dash takes standard input and writes to standard output.\n\n" +
			"It prints the names of the files it changed. Exit codes: 0 all is well, 2 a file can't be read or parsed, " +
			"3 with -check: a file is not in canonical form.",
		flags: group("Options",
			off("list", &opts.list, "Don't print the names of the files that differ."),
			off("write", &opts.write, "Don't write files. Implied by -check and for standard input."),
			on("diff", &opts.diff, "Print what changes as a unified diff. It shows the lines as they are, secrets in a file of variables too."),
			on("check", &opts.check, "Write nothing, and end with exit code 3 if a file differs."),
			on("recursive", &opts.recursive, "Take the folders below as well."),
		),
		examples: []example{
			{"fmt -recursive", "Format all files here and below:"},
			{"fmt -check -diff -recursive", "In a pipeline, fail and show why:"},
			{"fmt - < main.kplan.hcl", "From an editor:"},
		},
		run: func(ctx context.Context, s *session, args []string) exitCode { return runFmt(ctx, s, opts, args) },
	}
}

func runFmt(ctx context.Context, s *session, opts fmtOptions, targets []string) exitCode {
	if slices.Contains(targets, "-") {
		return fmtStdin(ctx, s, opts, targets)
	}
	if len(targets) == 0 {
		targets = []string{"."}
	}
	code := exitOK
	for _, target := range targets {
		files, err := source.FilesToFormat(target, opts.recursive)
		if err != nil {
			s.fail("Can't format", "%s.", fileProblem(err))
			code = exitUnparsable
		}
		for _, file := range files {
			code = worse(code, fmtFile(s, opts, file))
		}
	}
	return code
}

// worse: an error weighs more than a difference.
func worse(a, b exitCode) exitCode {
	if a == exitUnparsable || b == exitUnparsable {
		return exitUnparsable
	}
	return max(a, b)
}

func fmtStdin(ctx context.Context, s *session, opts fmtOptions, targets []string) exitCode {
	if len(targets) > 1 {
		s.fail("Standard input stands alone", "A single dash takes standard input; no file can be given beside it.")
		return exitUnparsable
	}
	src, err := io.ReadAll(endingWith(ctx, s.stdin))
	if err != nil {
		s.failReading(ctx, "the source", "standard input", err, "")
		return exitUnparsable
	}
	opts.list, opts.write = false, false
	formatted, code := s.fmtSource(opts, "<stdin>", src)
	if code != exitUnparsable && !opts.check && !opts.diff {
		_, _ = s.stdout.Write(formatted)
	}
	return code
}

func fmtFile(s *session, opts fmtOptions, file string) exitCode {
	src, err := os.ReadFile(file)
	if err != nil {
		s.fail("Can't read file", "%s: %v.", file, reason(err))
		return exitUnparsable
	}
	formatted, code := s.fmtSource(opts, file, src)
	if code == exitUnparsable || bytes.Equal(src, formatted) {
		return code
	}
	if opts.write && !opts.check {
		if err := rewrite(file, formatted); err != nil {
			s.fail("Can't write file", "%s: %v.", file, reason(err))
			return exitUnparsable
		}
	}
	return code
}

// fmtSource formats one source and shows what the options ask for.
func (s *session) fmtSource(opts fmtOptions, name string, src []byte) ([]byte, exitCode) {
	formatted, diags := source.Format(src, name)
	if diags.HasErrors() {
		s.loaded = &config.Config{Files: map[string]*hcl.File{name: {Bytes: src}}}
		s.report(diags)
		return nil, exitUnparsable
	}
	if bytes.Equal(src, formatted) {
		return formatted, exitOK
	}
	if opts.list {
		fmt.Fprintln(s.stdout, render.Clean(name))
	}
	if opts.diff {
		diff := udiff.Unified("old/"+name, "new/"+name, string(src), string(formatted))
		for line := range strings.Lines(diff) {
			fmt.Fprintln(s.stdout, cleanLine(line))
		}
	}
	if opts.check {
		return formatted, exitUnformatted
	}
	return formatted, exitOK
}

// rewrite replaces a file's content, or that of the file that it links to.
func rewrite(path string, content []byte) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return replaceFile(path, content, info.Mode().Perm())
}

// cleanLine is a line of a source that is safe to print. Its tabs stay: they
// are what a diff may be about.
func cleanLine(line string) string {
	parts := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
	for i := range parts {
		parts[i] = render.Clean(parts[i])
	}
	return strings.Join(parts, "\t")
}
