package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"kplan.dev/kplan/internal/words"
)

// invocation is a command line in order: urfave/cli stops looking for flags at
// the first argument and takes those behind it for arguments, without a word
// (urfave/cli#1733). So the line is taken apart here, by the same descriptions.
type invocation struct {
	global  []string // -name=value, of the flags before the command
	command *command // nil when there is none
	words   []string // what stands behind the command
	flags   []string // -name=value
	args    []string
	help    bool
	version bool
}

// usageError is a mistake in the command line.
type usageError struct {
	summary string
	detail  string
	command *command // whose help would tell more; nil for kplan's own
}

func (e *usageError) Error() string { return e.summary + ": " + e.detail }

// arrange takes a command line apart. lookup reads the environment, for
// KPLAN_CLI_ARGS.
func arrange(list []*command, line []string, lookup func(string) string) (*invocation, error) {
	inv := &invocation{}
	if len(line) > 0 && line[0] == "help" { // as git and go have it
		line = append(slices.Clone(line[1:]), "-help")
	}
	rest, err := inv.takeGlobals(list, line)
	if err != nil || len(rest) == 0 {
		return inv, err
	}
	if rest, err = inv.takeCommand(list, rest); err != nil {
		return inv, err
	}
	extra, err := argsFromEnv(inv.command, lookup)
	if err != nil {
		return inv, err
	}
	inv.words = append(extra, rest...)
	if err := inv.takeRest(inv.words); err != nil {
		return inv, err
	}
	return inv, inv.checkArgs()
}

// wantsEvents says whether the command was told to speak JSON, as far as can be
// told of a line that may not be right.
func (inv *invocation) wantsEvents() bool {
	return inv.command != nil && inv.command.events && slices.ContainsFunc(inv.words, func(word string) bool {
		name, value, hasValue := splitFlag(word)
		on, _ := strconv.ParseBool(value)
		return isFlag(word) && name == "json" && (on || !hasValue)
	})
}

// ordered is the line as urfave/cli wants it.
func (inv *invocation) ordered() []string {
	line := append([]string{"kplan"}, inv.global...)
	if inv.command == nil {
		return line
	}
	line = append(line, strings.Fields(inv.command.path())...)
	return append(append(append(line, inv.flags...), "--"), inv.args...)
}

func (inv *invocation) takeGlobals(list []*command, line []string) (rest []string, err error) {
	flags := append(globalFlags(new(globals)), profileFlags(new(profiles))...)
	for len(line) > 0 && isFlag(line[0]) {
		name, _, _ := splitFlag(line[0])
		switch {
		case isHelp(name):
			inv.help, line = true, line[1:]
			continue
		case name == "version":
			inv.version, line = true, line[1:]
			continue
		case findFlag(flags, name) == nil:
			return nil, unknownGlobal(list, flags, name)
		}
		arg, left, err := takeFlag(nil, flags, line)
		if err != nil {
			return nil, err
		}
		inv.global, line = append(inv.global, arg), left
	}
	return line, nil
}

func unknownGlobal(list []*command, flags []cli.Flag, name string) error {
	for _, c := range list {
		if c.flag(name) != nil {
			return &usageError{summary: "Flag before the command",
				detail: fmt.Sprintf("-%s is a flag of a command and stands after it, as in: kplan %s -%s", name, c.name, name)}
		}
	}
	return &usageError{summary: "Unknown flag",
		detail: fmt.Sprintf("kplan has no flag -%s.%s", name, suggestFlag(name, append(flagNames(flags), "help", "version")))}
}

// takeCommand follows the words that name a command.
func (inv *invocation) takeCommand(list []*command, line []string) (rest []string, err error) {
	for {
		if len(line) == 0 || isFlag(line[0]) {
			return line, nil // a group of commands, for want of a word: its help
		}
		next := find(list, line[0])
		if next == nil {
			return nil, unknownCommand(inv.command, list, line[0])
		}
		inv.command, line = next, line[1:]
		if len(next.subcommands) == 0 {
			return line, nil
		}
		list = next.subcommands
	}
}

func unknownCommand(group *command, list []*command, name string) error {
	owner, hint := "kplan", elsewhere(commandsElsewhere, name)
	if group != nil {
		owner, hint = "kplan "+group.path(), ""
	}
	if hint == "" {
		hint = words.Suggest(name, commandNames(list))
	}
	return &usageError{summary: "Unknown command", command: group, detail: fmt.Sprintf("%s has no command %q.%s", owner, name, hint)}
}

// takeRest sorts what follows the command into flags and arguments.
func (inv *invocation) takeRest(line []string) error {
	for len(line) > 0 {
		switch name, _, _ := splitFlag(line[0]); {
		case line[0] == "--":
			inv.args = append(inv.args, line[1:]...)
			return nil
		case !isFlag(line[0]):
			inv.args, line = append(inv.args, line[0]), line[1:]
		case isHelp(name):
			inv.help, line = true, line[1:]
		default:
			arg, rest, err := takeFlag(inv.command, inv.command.flags, line)
			if err != nil {
				return err
			}
			inv.flags, line = append(inv.flags, arg), rest
		}
	}
	return nil
}

// takeFlag takes the flag that line begins with, and its value.
func takeFlag(c *command, flags []cli.Flag, line []string) (arg string, rest []string, err error) {
	name, value, hasValue := splitFlag(line[0])
	rest = line[1:]
	fail := func(summary, detail string, a ...any) (string, []string, error) {
		return "", nil, &usageError{summary: summary, detail: fmt.Sprintf(detail, a...), command: c}
	}
	flag := findFlag(flags, name)
	switch {
	case flag == nil:
		return "", nil, unknownFlag(c, name)
	case !takesValue(flag) && !hasValue:
		value = "true"
	case hasValue && value == "":
		// reported below, alike for all
	case !takesValue(flag):
		on, err := strconv.ParseBool(value)
		if err != nil {
			return fail("Invalid value", "-%s is switched on or off: it takes true or false, not %q.", name, value)
		}
		value = strconv.FormatBool(on)
	case takesValue(flag) && !hasValue && len(rest) == 0:
		return fail("Missing value", "-%s needs a value: -%s=%s", name, name, placeholder(flag))
	case takesValue(flag) && !hasValue && isFlag(rest[0]) && findFlagWord(flags, rest[0]):
		return fail("Missing value", "-%s needs a value, and %s is a flag. If it is meant as the value, write -%s=%s", name, rest[0], name, rest[0])
	case takesValue(flag) && !hasValue:
		value, rest = rest[0], rest[1:]
	}
	if value == "" {
		return fail("Empty value", "The value of -%s is empty. Leave the flag out, or give it a value; perhaps an environment variable is not set.", name)
	}
	return "-" + name + "=" + value, rest, nil
}

func findFlagWord(flags []cli.Flag, word string) bool {
	name, _, _ := splitFlag(word)
	return isHelp(name) || findFlag(flags, name) != nil
}

func unknownFlag(c *command, name string) error {
	if name == "chdir" || name == "version" {
		return &usageError{summary: "Flag after the command", command: c,
			detail: fmt.Sprintf("-%s stands before the command, as in: kplan -%s %s", name, map[string]string{"chdir": "chdir=DIR", "version": "version"}[name], c.path())}
	}
	hint := elsewhere(flagsElsewhere, name)
	if hint == "" {
		hint = havingFlag(commands(&session{}), name)
	}
	if hint == "" {
		hint = suggestFlag(name, append(flagNames(c.flags), "help"))
	}
	return &usageError{summary: "Unknown flag", command: c, detail: fmt.Sprintf("kplan %s has no flag -%s.%s", c.path(), name, hint)}
}

// havingFlag names the commands that have the flag, "" for none.
func havingFlag(list []*command, name string) string {
	var having []string
	for _, c := range list {
		if c.flag(name) != nil {
			having = append(having, "kplan "+c.name)
		}
	}
	if len(having) == 0 {
		return ""
	}
	return " It is a flag of " + strings.Join(having, ", ") + "."
}

func (inv *invocation) checkArgs() error {
	c, n := inv.command, len(inv.args)
	switch {
	case inv.help || len(c.subcommands) > 0:
		return nil
	case n < c.minArgs:
		return &usageError{summary: "Missing argument", command: c,
			detail: fmt.Sprintf("This is how it is called: kplan %s", c.synopsis())}
	case c.maxArgs >= 0 && n > c.maxArgs:
		return &usageError{summary: "Too many arguments", command: c, detail: inv.tooMany()}
	}
	return nil
}

func (inv *invocation) tooMany() string {
	c := inv.command
	extra := inv.args[c.maxArgs]
	if _, err := strconv.ParseBool(extra); err == nil {
		return fmt.Sprintf("%q stands alone. The value of a flag that is switched on or off follows an equals sign, as in -input=%s.", extra, extra)
	}
	takes := "no argument"
	switch {
	case c.maxArgs == 1:
		takes = "one argument"
	case c.maxArgs > 1:
		takes = fmt.Sprintf("%d arguments", c.maxArgs)
	}
	detail := fmt.Sprintf("kplan %s takes %s: %q is too much.", c.path(), takes, extra)
	if c.tooMany != "" {
		detail += " " + c.tooMany
	}
	return detail
}

// isFlag says whether a word is a flag. A single dash is an argument: standard
// input.
func isFlag(word string) bool { return strings.HasPrefix(word, "-") && word != "-" && word != "--" }

func isHelp(name string) bool { return slices.Contains([]string{"help", "h"}, name) }

// splitFlag takes -name=value or --name=value apart.
func splitFlag(word string) (name, value string, hasValue bool) {
	return strings.Cut(strings.TrimPrefix(strings.TrimPrefix(word, "-"), "-"), "=")
}

func takesValue(f cli.Flag) bool {
	_, isBool := f.(*cli.BoolFlag)
	return !isBool
}

func suggestFlag(given string, flags []string) string {
	if near := words.Nearest(given, flags); near != "" {
		return words.DidYouMean("-" + near)
	}
	return ""
}
