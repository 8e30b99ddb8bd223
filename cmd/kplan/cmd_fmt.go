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
	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/internal/files"
	"kplan.dev/kplan/internal/render"
)

type fmtOptions struct {
	list, write, diff, check, recursive bool
}

func fmtCommand(s *session) *cli.Command {
	var opts fmtOptions
	return &cli.Command{
		Name: "fmt", Args: "[FILE or DIRECTORY...]", MaxArgs: -1,
		Summary: "Format configuration files",
		About: "Rewrites configuration files in canonical form: two spaces per level, and the equals signs of consecutive " +
			"lines aligned. It moves and removes nothing.\n\n" +
			"Without an argument it formats the files *.kplan.hcl and *.kpvars.hcl of the current directory. " +
			"A single dash formats standard input and writes to standard output.\n\n" +
			"It prints the names of the files that it changes. Exit codes: 0 success; 2 a file can't be read or parsed; " +
			"3 with -check, a file is not in canonical form.",
		Flags: cli.Group("Options",
			cli.Off("list", &opts.list, "Don't print the names of the files that differ."),
			cli.Off("write", &opts.write, "Don't write files. Implied by -check and for standard input."),
			cli.On("diff", &opts.diff,
				"Print the changes as a unified diff. Lines are shown as they are, including secrets in a file of variables."),
			cli.On("check", &opts.check, "Write nothing, and exit with 3 if a file is not in canonical form."),
			cli.On("recursive", &opts.recursive, "Format the files of subdirectories, too."),
		),
		Examples: []cli.Example{
			{Line: "fmt -recursive", Explanation: "Format all files in this directory and below:"},
			{Line: "fmt -check -diff -recursive", Explanation: "In a pipeline, fail and show why:"},
			{Line: "fmt - < main.kplan.hcl", Explanation: "From an editor:"},
		},
		Run: func(ctx context.Context, args []string) (cli.ExitCode, hcl.Diagnostics) {
			return runFmt(ctx, s, opts, args)
		},
	}
}

func runFmt(ctx context.Context, s *session, opts fmtOptions, targets []string) (cli.ExitCode, hcl.Diagnostics) {
	if slices.Contains(targets, "-") {
		return fmtStdin(ctx, s, opts, targets)
	}
	if len(targets) == 0 {
		targets = []string{"."}
	}
	code := exitOK
	for _, target := range targets {
		found, err := source.FilesToFormat(target, opts.recursive)
		if err != nil {
			s.ui.Report(failure("Can't format", "%s.", fileProblem(err)))
			code = exitUnparsable
		}
		for _, file := range found {
			one, diags := fmtFile(s, opts, file)
			s.ui.Report(diags) // among the names of the files that differ
			code = worse(code, one)
		}
	}
	return code, nil
}

// worse: an error weighs more than a difference.
func worse(a, b cli.ExitCode) cli.ExitCode {
	if a == exitUnparsable || b == exitUnparsable {
		return exitUnparsable
	}
	return max(a, b)
}

func fmtStdin(ctx context.Context, s *session, opts fmtOptions, targets []string) (cli.ExitCode, hcl.Diagnostics) {
	if len(targets) > 1 {
		return exitUnparsable, failure("Standard input and files", "A single dash formats standard input; no file can be given beside it.")
	}
	src, err := io.ReadAll(files.Reader(ctx, s.ui.In))
	if err != nil {
		return exitUnparsable, notRead(ctx, "the source", "standard input", err, "")
	}
	opts.list, opts.write = false, false
	formatted, code, diags := fmtSource(s, opts, "<stdin>", src)
	if code != exitUnparsable && !opts.check && !opts.diff {
		_, _ = s.ui.Out.Write(formatted)
	}
	return code, diags
}

func fmtFile(s *session, opts fmtOptions, file string) (cli.ExitCode, hcl.Diagnostics) {
	src, err := os.ReadFile(file)
	if err != nil {
		return exitUnparsable, failure("Can't read file", "%s: %v.", file, files.Reason(err))
	}
	formatted, code, diags := fmtSource(s, opts, file, src)
	if code == exitUnparsable || bytes.Equal(src, formatted) {
		return code, diags
	}
	if opts.write && !opts.check {
		if err := rewrite(file, formatted); err != nil {
			return exitUnparsable, failure("Can't write file", "%s: %v.", file, files.Reason(err))
		}
	}
	return code, nil
}

// fmtSource formats one source and shows what the options ask for.
func fmtSource(s *session, opts fmtOptions, name string, src []byte) ([]byte, cli.ExitCode, hcl.Diagnostics) {
	formatted, diags := source.Format(src, name)
	if diags.HasErrors() {
		s.quoted.config = &config.Config{Files: map[string]*hcl.File{name: {Bytes: src}}}
		return nil, exitUnparsable, diags
	}
	if bytes.Equal(src, formatted) {
		return formatted, exitOK, nil
	}
	if opts.list {
		fmt.Fprintln(s.ui.Out, render.Clean(name))
	}
	if opts.diff {
		diff := udiff.Unified("old/"+name, "new/"+name, string(src), string(formatted))
		for line := range strings.Lines(diff) {
			fmt.Fprintln(s.ui.Out, cleanLine(line))
		}
	}
	if opts.check {
		return formatted, exitUnformatted, nil
	}
	return formatted, exitOK, nil
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
	return files.Replace(path, content, info.Mode().Perm())
}

// cleanLine is a line of a source that is safe to print. Its tabs stay: a diff
// may be about them.
func cleanLine(line string) string {
	parts := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
	for i := range parts {
		parts[i] = render.Clean(parts[i])
	}
	return strings.Join(parts, "\t")
}
