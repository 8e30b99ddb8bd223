package main

import (
	"context"
	"strings"

	"github.com/urfave/cli/v2"
)

// command is one verb: what its help says, what its flags set, and what it
// does. Help, completion, the order of arguments and urfave's parser all read
// this one description.
type command struct {
	name    string
	aliases []string
	// args is how the synopsis shows the arguments: "[PLAN]".
	args             string
	minArgs, maxArgs int    // maxArgs -1: any number
	tooMany          string // a hint for whoever gives more arguments than that
	summary          string // one line in the list of commands
	about            string // paragraphs, wrapped when shown
	examples         []example
	flags            []cli.Flag
	events           bool // with -json it tells everything in events
	subcommands      []*command
	// words are the arguments that shells may offer; nil for files.
	words func(ctx context.Context, s *session) []string
	run   func(ctx context.Context, s *session, args []string) exitCode

	parent *command
}

// example is a command line worth copying, without the leading "kplan".
type example struct{ line, explanation string }

// commands is the whole command line, in the order the help shows it. The
// flags' values are fresh in every list; that of -no-color, which every command
// takes, is the session's.
func commands(s *session) []*command {
	list := []*command{
		validateCommand(),
		planCommand(),
		applyCommand(),
		destroyCommand(),
		fmtCommand(),
		showCommand(),
		outputCommand(),
		graphCommand(),
		stateCommand(),
		forceUnlockCommand(),
		versionCommand(),
		completionCommand(),
	}
	for _, c := range list {
		for _, sub := range c.subcommands {
			sub.parent = c
			sub.addNoColor(s)
		}
		if len(c.subcommands) == 0 {
			c.addNoColor(s)
		}
	}
	return list
}

func (c *command) addNoColor(s *session) {
	heading := "Options"
	if n := len(c.flags); n > 0 {
		heading = headingOf(c.flags[n-1])
	}
	c.flags = append(c.flags, group(heading, on("no-color", &s.noColor, "Print no colours."))...)
}

// path is the command's whole name: "state list".
func (c *command) path() string {
	if c.parent == nil {
		return c.name
	}
	return c.parent.path() + " " + c.name
}

// hasName says whether name is the command's own or an alias.
func (c *command) hasName(name string) bool {
	if c.name == name {
		return true
	}
	for _, alias := range c.aliases {
		if alias == name {
			return true
		}
	}
	return false
}

// find returns the command of that name, nil for none.
func find(list []*command, name string) *command {
	for _, c := range list {
		if c.hasName(name) {
			return c
		}
	}
	return nil
}

// flag returns the command's flag of that name, nil for none.
func (c *command) flag(name string) cli.Flag { return findFlag(c.flags, name) }

func findFlag(flags []cli.Flag, name string) cli.Flag {
	for _, f := range flags {
		if f.Names()[0] == name {
			return f
		}
	}
	return nil
}

func flagNames(flags []cli.Flag) []string {
	names := make([]string, len(flags))
	for i, f := range flags {
		names[i] = f.Names()[0]
	}
	return names
}

func commandNames(list []*command) []string {
	var names []string
	for _, c := range list {
		names = append(append(names, c.name), c.aliases...)
	}
	return names
}

// envName is the end of the variable that adds arguments to this command:
// KPLAN_CLI_ARGS_state_list.
func (c *command) envName() string {
	return strings.NewReplacer(" ", "_", "-", "_").Replace(c.path())
}
