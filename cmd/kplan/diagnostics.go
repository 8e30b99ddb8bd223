package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/internal/diag"
	"kplan.dev/kplan/internal/files"
	"kplan.dev/kplan/internal/render"
	"kplan.dev/kplan/internal/words"
)

// failure is an error that has no position in the configuration.
func failure(summary, detail string, args ...any) hcl.Diagnostics {
	return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(detail, args...)}}
}

func warning(summary, detail string) hcl.Diagnostics {
	return hcl.Diagnostics{{Severity: hcl.DiagWarning, Summary: summary, Detail: detail}}
}

// usage is a mistake in the command line, nil for none. Whoever reports it adds
// where to find help.
func usage(err error) hcl.Diagnostics {
	if err == nil {
		return nil
	}
	var e *cli.UsageError
	if !errors.As(err, &e) {
		e = &cli.UsageError{Summary: "Invalid command line", Detail: err.Error()}
	}
	return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: e.Summary, Detail: e.Detail, Extra: e}}
}

func invalidCombination(detail string) error {
	return &cli.UsageError{Summary: "Invalid combination of arguments", Detail: detail}
}

// notRead reports why something could not be read, or that an interrupt came first.
// hint is a sentence with a space before it, or "".
func notRead(ctx context.Context, what, path string, err error, hint string) hcl.Diagnostics {
	if ctx.Err() != nil {
		return interruptedAt(path)
	}
	return failure("Can't read "+what, "%s: %v.%s", path, files.Reason(err), hint)
}

// interruptedAt reports that an interrupt came while a file was waited for.
func interruptedAt(path string) hcl.Diagnostics {
	return failure(diag.Interrupted, "Nothing was changed: kplan was interrupted while it waited for %s.", path)
}

// notWritten is the error of printing a result, nil for none.
func notWritten(err error) hcl.Diagnostics {
	if err == nil {
		return nil
	}
	return failure("Can't write the result", "%v.", err)
}

// printJSON prints a value for programs, indented, without what a terminal would obey.
func printJSON(s *session, value any) hcl.Diagnostics {
	text, err := json.MarshalIndent(value, "", "  ")
	if err == nil {
		_, err = s.ui.Out.Write(append(render.CleanJSON(text), '\n'))
	}
	return notWritten(s.ui.Wrote(err))
}

// fileProblem is an error about a file as the beginning of a sentence.
func fileProblem(err error) string {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Path + ": " + pathErr.Err.Error()
	}
	return capital(err)
}

// capital is an error's text as the beginning of a sentence.
func capital(err error) string { return words.Capital(err.Error()) }
