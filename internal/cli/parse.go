package cli

import (
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"kplan.dev/kplan/internal/words"
)

// Invocation is a command line that was understood.
type Invocation struct {
	Command       *Command // nil: none was given
	Args          []string
	Help, Version bool
	// Set has the command's flags, those that were given with their values.
	Set *flag.FlagSet

	given []string // what follows the command
}

// UsageError is a mistake in the command line.
type UsageError struct {
	Summary string
	Detail  string
	Command *Command // whose help has more; nil for the overview, or the running command
}

func (e *UsageError) Error() string { return e.Summary + ": " + e.Detail }

// Parse finds the command and sets its flags and those before it. getenv reads
// the environment, for KPLAN_CLI_ARGS. The invocation is never nil: with an error
// it has what was parsed up to there.
func (a *App) Parse(line []string, getenv func(string) string) (*Invocation, error) {
	inv := &Invocation{}
	if len(line) > 0 && line[0] == "help" { // as git and go have it
		line = append(slices.Clone(line[1:]), "-help")
	}
	rest, err := inv.parseCommand(a, line)
	if err != nil || inv.Command == nil {
		return inv, err
	}
	extra, err := argsFromEnv(inv.Command, getenv)
	if err != nil {
		return inv, err
	}
	if err := inv.parseRest(a, append(extra, rest...)); err != nil {
		return inv, err
	}
	return inv, inv.checkArgs()
}

// WantsEvents reports whether the command was asked for events, as far as that
// can be known of a line that may be wrong.
func (inv *Invocation) WantsEvents() bool {
	return inv.Command != nil && inv.Command.Events && slices.ContainsFunc(inv.given, func(word string) bool {
		name, value, hasValue := splitFlag(word)
		on, _ := strconv.ParseBool(value)
		return isFlag(word) && name == "json" && (on || !hasValue)
	})
}

// parseCommand takes the flags before the command and the words that name it.
func (inv *Invocation) parseCommand(a *App, line []string) (rest []string, err error) {
	set := newSet(a.Flags)
	for len(line) > 0 && isFlag(line[0]) {
		switch name, _, _ := splitFlag(line[0]); {
		case isHelp(name):
			inv.Help, line = true, line[1:]
		case name == "version":
			inv.Version, line = true, line[1:]
		case set.Lookup(name) == nil:
			return nil, a.unknownGlobal(name)
		default:
			if line, err = setFlag(set, line); err != nil {
				return nil, err
			}
		}
	}
	for list := a.Commands; len(line) > 0 && !isFlag(line[0]) && list != nil; {
		next := Find(list, line[0])
		if next == nil {
			return nil, a.unknownCommand(inv.Command, list, line[0])
		}
		inv.Command, list, line = next, next.Subcommands, line[1:]
	}
	return line, nil
}

// parseRest sorts what follows the command into flags and arguments.
func (inv *Invocation) parseRest(a *App, line []string) (err error) {
	inv.given, inv.Set = line, newSet(inv.Command.Flags)
	for len(line) > 0 {
		switch name, _, _ := splitFlag(line[0]); {
		case line[0] == "--":
			inv.Args = append(inv.Args, line[1:]...)
			return nil
		case !isFlag(line[0]):
			inv.Args, line = append(inv.Args, line[0]), line[1:]
		case isHelp(name):
			inv.Help, line = true, line[1:]
		case inv.Set.Lookup(name) == nil:
			return a.unknownFlag(inv.Command, name)
		default:
			if line, err = setFlag(inv.Set, line); err != nil {
				err.(*UsageError).Command = inv.Command
				return err
			}
		}
	}
	return nil
}

// newSet has the flags set themselves, each as urfave/cli defines it.
func newSet(flags []Flag) *flag.FlagSet {
	set := flag.NewFlagSet("", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	for _, f := range flags {
		if err := f.Apply(set); err != nil {
			panic(fmt.Sprintf("-%s: %v", f.Names()[0], err))
		}
	}
	return set
}

// setFlag sets the flag that line begins with, and returns what follows it and
// its value. What it refuses, the standard library would take for a value or
// call by other words.
func setFlag(set *flag.FlagSet, line []string) (rest []string, err error) {
	fail := func(summary, detail string, a ...any) ([]string, error) {
		return nil, &UsageError{Summary: summary, Detail: fmt.Sprintf(detail, a...)}
	}
	name, value, hasValue := splitFlag(line[0])
	f, n := set.Lookup(name), 1
	b, isSwitch := f.Value.(interface{ IsBoolFlag() bool })
	isSwitch = isSwitch && b.IsBoolFlag()
	if !hasValue && !isSwitch {
		if len(line) == 1 {
			valueName, _ := flag.UnquoteUsage(f)
			return fail("Missing value", "-%s needs a value: -%s=%s", name, name, valueName)
		}
		value, n = line[1], 2
		if next, _, _ := splitFlag(value); isFlag(value) && (isHelp(next) || set.Lookup(next) != nil) {
			return fail("Missing value", "-%s needs a value, and %s is a flag. If it is meant as the value, write -%s=%s",
				name, value, name, value)
		}
	}
	_, notBool := strconv.ParseBool(value)
	switch {
	case value == "" && (hasValue || !isSwitch):
		return fail("Empty value", "The value of -%s is empty. Leave the flag out, or give it a value; "+
			"perhaps an environment variable is not set.", name)
	case isSwitch && hasValue && notBool != nil:
		return fail("Invalid value", "-%s must be true or false, not %q.", name, value)
	}
	if err := set.Parse(line[:n]); err != nil {
		return fail("Invalid value", "I%s.", strings.TrimSuffix(strings.TrimPrefix(err.Error(), "i"), "."))
	}
	return line[n:], nil
}

func (a *App) unknownGlobal(name string) error {
	for _, c := range a.Commands {
		if c.Flag(name) != nil {
			return &UsageError{Summary: "Flag before the command",
				Detail: fmt.Sprintf("-%s is a flag of a command and comes after it, as in: %s %s -%s", name, a.Name, c.Name, name)}
		}
	}
	return &UsageError{Summary: "Unknown flag", Detail: fmt.Sprintf("%s has no flag -%s.%s", a.Name, name,
		suggestFlag(name, append(FlagNames(a.Flags), "help", "version")))}
}

func (a *App) unknownCommand(group *Command, list []*Command, name string) error {
	owner, hint := a.Name, a.OtherCommands[name]
	if group != nil {
		owner, hint = a.Name+" "+group.Path(), ""
	}
	if hint != "" {
		hint = " " + hint
	} else {
		hint = words.Suggest(name, commandNames(list))
	}
	return &UsageError{Summary: "Unknown command", Command: group, Detail: fmt.Sprintf("%s has no command %q.%s", owner, name, hint)}
}

func (a *App) unknownFlag(c *Command, name string) error {
	if global := (&Command{Flags: a.Flags}).Flag(name); global != nil || name == "version" {
		written := "version"
		if global != nil {
			written = name + "=" + placeholder(global)
		}
		return &UsageError{Summary: "Flag after the command", Command: c,
			Detail: fmt.Sprintf("-%s comes before the command, as in: %s -%s %s", name, a.Name, written, c.Path())}
	}
	var hint string
	if other := a.OtherFlags[name]; other != "" {
		hint = " " + other
	} else if having := a.commandsWith(name); len(having) > 0 {
		hint = " It is a flag of " + strings.Join(having, ", ") + "."
	} else if hint = suggestFlag(name, append(FlagNames(c.Flags), "help")); hint == "" {
		if near := words.Nearest(name, slices.Sorted(maps.Keys(a.OtherFlags))); near != "" {
			hint = " " + a.OtherFlags[near]
		}
	}
	return &UsageError{Summary: "Unknown flag", Command: c, Detail: fmt.Sprintf("%s %s has no flag -%s.%s", a.Name, c.Path(), name, hint)}
}

// commandsWith names the commands that have the flag.
func (a *App) commandsWith(name string) (having []string) {
	for _, c := range a.Commands {
		if c.Flag(name) != nil {
			having = append(having, a.Name+" "+c.Name)
		}
	}
	return having
}

func (inv *Invocation) checkArgs() error {
	c, n := inv.Command, len(inv.Args)
	switch {
	case inv.Help || len(c.Subcommands) > 0:
		return nil
	case n < c.MinArgs:
		return &UsageError{Summary: "Missing argument", Command: c,
			Detail: fmt.Sprintf("%s is missing. Usage: kplan %s", c.argument(n), c.synopsis())}
	case c.MaxArgs >= 0 && n > c.MaxArgs:
		return &UsageError{Summary: "Too many arguments", Command: c, Detail: inv.tooMany()}
	}
	return nil
}

// argument is the name of the argument at that position.
func (c *Command) argument(n int) string {
	names := strings.Fields(c.Args)
	return strings.Trim(names[min(n, len(names)-1)], "[].")
}

func (inv *Invocation) tooMany() string {
	c := inv.Command
	extra := inv.Args[c.MaxArgs]
	if _, err := strconv.ParseBool(extra); err == nil {
		return fmt.Sprintf("%q is not an argument of a flag. The value of a boolean flag follows an equals sign, as in -input=%s.", extra, extra)
	}
	takes := "no arguments"
	switch {
	case c.MaxArgs == 1:
		takes = "one argument"
	case c.MaxArgs > 1:
		takes = fmt.Sprintf("%d arguments", c.MaxArgs)
	}
	detail := fmt.Sprintf("kplan %s takes %s; %q is one too many.", c.Path(), takes, extra)
	if c.TooMany != "" {
		detail += " " + c.TooMany
	}
	return detail
}

// isFlag reports whether a word is a flag. A single dash is an argument: standard
// input.
func isFlag(word string) bool { return strings.HasPrefix(word, "-") && word != "-" && word != "--" }

func isHelp(name string) bool { return name == "help" || name == "h" }

// splitFlag takes -name=value or --name=value apart.
func splitFlag(word string) (name, value string, hasValue bool) {
	return strings.Cut(strings.TrimPrefix(strings.TrimPrefix(word, "-"), "-"), "=")
}

func suggestFlag(given string, flags []string) string {
	if near := words.Nearest(given, flags); near != "" {
		return words.DidYouMean("-" + near)
	}
	return ""
}
