// Package cli is kplan's command line: the description of its commands, and what
// is made of it.
//
// A Command declares what a command is called, which flags and arguments it takes
// and what it does. Parse, the help and the completion of shells read this one
// description. The flags are those of urfave/cli, which sets each of them
// through the standard library's flag.FlagSet. The loop over the words is in
// App.Parse, because urfave/cli ends the flags at the first argument (decision
// 0027).
package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// App is the whole command line.
type App struct {
	Name     string
	About    string     // paragraphs of the overview
	Flags    []Flag     // before the command
	Commands []*Command // in the order of the overview
	Main     int        // how many of them are main commands
	// Environment is a paragraph about variables that hold for all commands.
	Environment string
	// What other tools call a command or a flag, and the sentence that says what
	// does the same here.
	OtherCommands, OtherFlags map[string]string
}

// Command is one command, or a group of them.
type Command struct {
	Name             string
	Aliases          []string
	Args             string // as the synopsis shows the arguments: "[PLAN]"
	MinArgs, MaxArgs int    // MaxArgs -1: any number
	TooMany          string // a hint for whoever gives more arguments than that
	Summary          string // one line in the list of commands
	About            string // paragraphs, wrapped when shown
	Examples         []Example
	Flags            []Flag
	Events           bool // with -json the command reports everything as events
	Subcommands      []*Command
	// Words are the arguments that shells offer, safe to print; nil for files.
	Words func(ctx context.Context) []string
	Run   func(ctx context.Context, args []string) (ExitCode, hcl.Diagnostics)

	parent *Command
}

// Example is a command line worth copying, without the leading "kplan".
type Example struct{ Line, Explanation string }

// ExitCode is what a program ends with.
type ExitCode int

// New returns the command line with its groups tied to their subcommands.
func New(app App) *App {
	for _, c := range app.Commands {
		for _, sub := range c.Subcommands {
			sub.parent = c
		}
	}
	return &app
}

// Path is the command's whole name: "state list".
func (c *Command) Path() string {
	if c.parent == nil {
		return c.Name
	}
	return c.parent.Path() + " " + c.Name
}

// Flag returns the command's flag of that name, nil for none.
func (c *Command) Flag(name string) Flag {
	for _, f := range c.Flags {
		if f.Names()[0] == name {
			return f
		}
	}
	return nil
}

// Find returns the command of that name or alias, nil for none.
func Find(list []*Command, name string) *Command {
	for _, c := range list {
		if c.Name == name || slices.Contains(c.Aliases, name) {
			return c
		}
	}
	return nil
}

func commandNames(list []*Command) []string {
	var names []string
	for _, c := range list {
		names = append(append(names, c.Name), c.Aliases...)
	}
	return names
}

// envName is the end of the variable that adds arguments to this command:
// KPLAN_CLI_ARGS_state_list.
func (c *Command) envName() string {
	return strings.NewReplacer(" ", "_", "-", "_").Replace(c.Path())
}
