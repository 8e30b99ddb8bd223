package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/graph"
	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/internal/files"
	"kplan.dev/kplan/internal/ui"
)

// What kplan ends with. Scripts rely on these numbers.
const (
	exitOK          cli.ExitCode = 0 // or exitFailure, if the command returns errors
	exitFailure     cli.ExitCode = 1
	exitChanges     cli.ExitCode = 2 // plan -detailed-exitcode: there is something to do
	exitUnparsable  cli.ExitCode = 2 // fmt: a file can't be parsed or read
	exitUnformatted cli.ExitCode = 3 // fmt -check: a file is not in canonical form
	exitHungUp      cli.ExitCode = 129
	exitInterrupted cli.ExitCode = 130
	exitTerminated  cli.ExitCode = 143
)

// runApp runs a command line and returns what the program ends with. It is where
// the diagnostics that commands return are reported.
func runApp(ctx context.Context, s *session, line []string) (code cli.ExitCode) {
	defer reportPanic(s.ui, &code)
	app := commandLine(s)
	if len(line) > 0 && line[0] == cli.CompleteWord {
		app.Complete(ctx, s.ui.Out, line[1:])
		return exitOK
	}
	inv, err := app.Parse(line, s.env)
	if err != nil {
		code = s.report(inv, exitFailure, usage(err))
	} else {
		code = s.run(ctx, app, inv)
	}
	s.ui.Report(s.closeLog())
	if path, err := s.ui.EndRecord(); err != nil {
		code = s.report(inv, exitFailure, failure("Can't write the events",
			"%s is not complete: %v. Everything else was done as shown.", path, files.Reason(err)))
	}
	if err := s.ui.Failed(); err != nil { // what was asked for was not given
		code = s.report(inv, exitFailure, failure("Can't write the result", "Standard output: %v.", files.Reason(err)))
	}
	return code
}

// run does what was asked for, or shows help.
func (s *session) run(ctx context.Context, app *cli.App, inv *cli.Invocation) cli.ExitCode {
	if inv.Version && inv.Command == nil {
		inv.Command = cli.Find(app.Commands, "version")
	}
	switch c := inv.Command; {
	case c == nil:
		app.Overview(s.ui.Out)
	case inv.Help || len(c.Subcommands) > 0:
		c.Help(s.ui.Out)
	default:
		if err := cmp.Or(s.openLog(ctx), enter(s.chdir)); err != nil {
			return s.report(inv, exitFailure, usage(err))
		}
		began := time.Now()
		s.log.Debug("run begins", "command", c.Path(), "version", versionText(), "started", s.started, "chdir", s.chdir)
		code, diags := c.Run(ctx, inv.Args)
		s.log.Debug("run ends", "exit", int(code), "problems", len(diags), "took", time.Since(began))
		return s.report(inv, code, diags)
	}
	if inv.Help { // whoever asked for help got it; whoever forgot the command did not
		return exitOK
	}
	return exitFailure
}

func enter(dir string) error {
	if dir == "" {
		return nil
	}
	err := os.Chdir(dir)
	if err == nil {
		return nil
	}
	return &cli.UsageError{Summary: "Can't change the working directory", Detail: "-chdir=" + dir + ": " + errors.Unwrap(err).Error() + "."}
}

// report shows what a command returned, and returns what the program ends with.
func (s *session) report(inv *cli.Invocation, code cli.ExitCode, diags hcl.Diagnostics) cli.ExitCode {
	for _, d := range diags {
		e, ok := hcl.DiagnosticExtra[*cli.UsageError](d)
		if !ok {
			continue
		}
		if inv.WantsEvents() && !s.ui.InJSON() {
			s.ui.UseJSON()
		}
		help := "kplan -help"
		if c := cmp.Or(e.Command, inv.Command); c != nil {
			help = "kplan " + c.Path() + " -help"
		}
		d.Detail += "\n\nFor help: " + help
	}
	s.ui.Report(diags)
	if code == exitOK && diags.HasErrors() {
		return exitFailure
	}
	return code
}

// reportPanic explains what to do about a bug in kplan that would otherwise end in
// a Go stack trace. The panic's own text is left out unless the runtime wrote it,
// because it may have a value of the configuration or the cluster: no secret must
// leave (TestPanicShowsNoValues).
func reportPanic(u *ui.Streams, code *cli.ExitCode) {
	problem := recover()
	if problem == nil {
		return
	}
	*code = exitFailure
	stack := debug.Stack()
	if elsewhere, ok := problem.(*graph.Panic); ok {
		problem, stack = elsewhere.Value, elsewhere.Stack
	}
	what := fmt.Sprintf("a %T", problem)
	if err, ok := problem.(runtime.Error); ok {
		what = err.Error()
	}
	fmt.Fprintf(u.Err, `
!!!!!!!!!!!!!!!!!!!!!!!!!!! kplan has a bug and stopped !!!!!!!!!!!!!!!!!!!!!!!!!!!

All completed changes are in the state, or the next plan finds them. Please report
this bug: the command you ran, without secret values, and everything below, which
contains no values of your configuration.

%s, %s/%s, %s
%s

%s`, versionText(), runtime.GOOS, runtime.GOARCH, runtime.Version(), what, stack)
}
