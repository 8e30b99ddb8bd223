package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// helpWidth is the column at which help breaks its lines.
const helpWidth = 80

func (c *Command) synopsis() string {
	line := c.Path()
	if len(c.Flags) > 0 {
		line += " [options]"
	}
	if len(c.Subcommands) > 0 {
		line += " COMMAND"
	}
	if c.Args != "" {
		line += " " + c.Args
	}
	return line
}

// Help writes the help of a command.
func (c *Command) Help(w io.Writer) {
	fmt.Fprintf(w, "Usage: kplan %s\n\n", c.synopsis())
	paragraphs(w, c.About, "  ")
	if len(c.Subcommands) > 0 {
		fmt.Fprintf(w, "Commands:\n\n")
		listCommands(w, c.Subcommands)
		fmt.Fprintf(w, "\nFor the help of one: kplan %s COMMAND -help\n", c.Path())
	}
	for _, heading := range headings(c.Flags) {
		fmt.Fprintf(w, "%s:\n\n", heading)
		listFlags(w, slices.DeleteFunc(slices.Clone(c.Flags), func(f Flag) bool { return HeadingOf(f) != heading }))
		fmt.Fprintln(w)
	}
	if len(c.Aliases) > 0 {
		fmt.Fprintf(w, "Also called: %s\n\n", strings.Join(c.Aliases, ", "))
	}
	if len(c.Examples) == 0 {
		return
	}
	fmt.Fprintf(w, "Examples:\n")
	for _, e := range c.Examples {
		fmt.Fprintln(w)
		paragraphs(w, e.Explanation, "  ")
		fmt.Fprintf(w, "      $ kplan %s\n", e.Line)
	}
}

// Overview writes the help of the whole program.
func (a *App) Overview(w io.Writer) {
	fmt.Fprintf(w, "Usage: %s [global options] COMMAND [options] [arguments]\n\n", a.Name)
	paragraphs(w, a.About, "  ")
	fmt.Fprintf(w, "Main commands:\n\n")
	listCommands(w, a.Commands[:a.Main])
	fmt.Fprintf(w, "\nOther commands:\n\n")
	listCommands(w, a.Commands[a.Main:])
	fmt.Fprintf(w, "\nGlobal options, which come before the command:\n\n")
	listFlags(w, append(slices.Clone(a.Flags),
		On("help", new(bool), "Show this help, or the help of the command."),
		On("version", new(bool), "Show the version of kplan.")))
	if a.Environment != "" {
		fmt.Fprintln(w)
		paragraphs(w, a.Environment, "")
	} else {
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "For the help of a command: %s COMMAND -help\n", a.Name)
}

func listCommands(w io.Writer, list []*Command) {
	for _, c := range list {
		fmt.Fprintf(w, "  %-14s %s\n", c.Name, c.Summary)
	}
}

// listFlags writes each flag and, beside it, what it is for.
func listFlags(w io.Writer, flags []Flag) {
	const column = 26
	for _, f := range flags {
		head := "  " + Head(f)
		if len(head) >= column {
			fmt.Fprintln(w, head)
			head = ""
		}
		for i, line := range wrapped(strings.ReplaceAll(usageOf(f), "`", ""), helpWidth-column) {
			if i > 0 {
				head = ""
			}
			fmt.Fprintf(w, "%-*s%s\n", column, head, line)
		}
	}
}

// Head is how the flag is written: -out=PATH, -json, -lock=false.
func Head(f Flag) string {
	head := "-" + f.Names()[0]
	if b, ok := f.(*cli.BoolFlag); ok {
		if b.Value {
			head += "=false"
		}
		return head
	}
	return head + "=" + placeholder(f)
}

// headings are the flags' headings in the order of their first flags.
func headings(flags []Flag) []string {
	var all []string
	for _, f := range flags {
		if h := HeadingOf(f); !slices.Contains(all, h) {
			all = append(all, h)
		}
	}
	return all
}

// paragraphs writes text, which an empty line divides, each followed by an
// empty line. A paragraph that is indented is written unchanged.
func paragraphs(w io.Writer, text, indent string) {
	for p := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		lines := strings.Split(p, "\n")
		if !strings.HasPrefix(p, " ") {
			lines = wrapped(p, helpWidth-len(indent))
		}
		for _, line := range lines {
			fmt.Fprintf(w, "%s%s\n", indent, line)
		}
		fmt.Fprintln(w)
	}
}

// wrapped breaks text into lines of at most width columns.
func wrapped(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == "":
			line = word
		case len(line)+1+len(word) > width:
			lines = append(lines, line)
			line = word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}
