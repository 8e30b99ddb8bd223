package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/urfave/cli/v2"
)

// globals are the options that stand before the command.
type globals struct {
	chdir string
}

func globalFlags(g *globals) []cli.Flag {
	return []cli.Flag{
		text("chdir", &g.chdir, "Work in the folder `DIR`, as if kplan had been started there."),
	}
}

// runApp runs one command line and says what the program ends with.
func runApp(ctx context.Context, s *session, line []string) (code exitCode) {
	defer reportPanic(s, &code)
	return s.written(s.endRecord(s.dispatch(ctx, line)))
}

// dispatch finds the command and has it run.
func (s *session) dispatch(ctx context.Context, line []string) exitCode {
	list := commands(s)
	if len(line) > 0 && line[0] == completeWord {
		s.complete(ctx, list, line[1:])
		return exitOK
	}
	inv, err := arrange(list, line, s.env)
	s.wantsEvents = inv.wantsEvents()
	if err != nil {
		return s.usage(err)
	}
	switch {
	case inv.version && inv.command == nil:
		inv.command = find(list, "version")
	case inv.command == nil:
		showOverview(s.stdout, list)
		return helpCode(inv.help)
	case inv.help || len(inv.command.subcommands) > 0:
		inv.command.showHelp(s.stdout)
		return helpCode(inv.help)
	}
	return s.runWith(ctx, list, inv)
}

// helpCode: whoever asked for help got what they wanted; whoever forgot the
// command did not.
func helpCode(asked bool) exitCode {
	if asked {
		return exitOK
	}
	return exitFailure
}

// runWith has urfave/cli set the flags and call the command.
func (s *session) runWith(ctx context.Context, list []*command, inv *invocation) (code exitCode) {
	var (
		g    globals
		prof profiles
	)
	defer prof.stop(s)
	app := &cli.App{
		Name:                      "kplan",
		HideHelp:                  true,
		HideVersion:               true,
		DisableSliceFlagSeparator: true,
		Reader:                    s.stdin,
		Writer:                    s.stdout,
		ErrWriter:                 s.stderr,
		Flags:                     append(globalFlags(&g), profileFlags(&prof)...),
		Before: func(*cli.Context) error {
			if err := prof.start(); err != nil {
				return err
			}
			s.chdir, s.running = g.chdir, inv.command
			return enter(g.chdir)
		},
		ExitErrHandler: func(*cli.Context, error) {}, // only main exits
	}
	for _, c := range list {
		app.Commands = append(app.Commands, c.forUrfave(s, &code))
	}
	if err := app.RunContext(ctx, inv.ordered()); err != nil {
		return s.usage(invalidValue(inv.command, err))
	}
	return code
}

func (c *command) forUrfave(s *session, code *exitCode) *cli.Command {
	u := &cli.Command{
		Name:         c.name,
		Aliases:      c.aliases,
		Flags:        c.flags,
		HideHelp:     true,
		OnUsageError: func(_ *cli.Context, err error, _ bool) error { return err },
	}
	for _, sub := range c.subcommands {
		u.Subcommands = append(u.Subcommands, sub.forUrfave(s, code))
	}
	if c.run != nil {
		u.Action = func(uc *cli.Context) error {
			*code = c.run(uc.Context, s, uc.Args().Slice())
			return nil
		}
	}
	return u
}

func enter(dir string) error {
	if dir == "" {
		return nil
	}
	if err := os.Chdir(dir); err != nil {
		return &usageError{summary: "Can't work in that folder", detail: fmt.Sprintf("-chdir=%s: %v.", dir, errors.Unwrap(err))}
	}
	return nil
}

// invalidValue turns what urfave says about a flag's value into our words.
func invalidValue(c *command, err error) error {
	var usage *usageError
	if errors.As(err, &usage) {
		return err
	}
	detail := strings.TrimSuffix(err.Error(), ".") + "."
	return &usageError{summary: "Invalid value", detail: capitalized(detail), command: c}
}

// usage reports a mistake in the command line.
func (s *session) usage(err error) exitCode {
	if s.wantsEvents && s.events == nil {
		s.speakJSON()
	}
	var e *usageError
	if !errors.As(err, &e) {
		e = &usageError{summary: "Invalid command line", detail: err.Error()}
	}
	help := "kplan -help"
	if c := cmp.Or(e.command, s.running); c != nil {
		help = "kplan " + c.path() + " -help"
	}
	s.report(hcl.Diagnostics{{
		Severity: hcl.DiagError,
		Summary:  e.summary,
		Detail:   e.detail + "\n\nTo see what there is: " + help,
	}})
	return exitFailure
}
