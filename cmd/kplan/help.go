package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// helpWidth is the column at which help breaks its lines: that of a terminal
// nobody has widened.
const helpWidth = 80

func (c *command) synopsis() string {
	line := c.path()
	if len(c.flags) > 0 {
		line += " [options]"
	}
	if len(c.subcommands) > 0 {
		line += " COMMAND"
	}
	if c.args != "" {
		line += " " + c.args
	}
	return line
}

// showHelp writes the help of a command.
func (c *command) showHelp(w io.Writer) {
	fmt.Fprintf(w, "Usage: kplan %s\n\n", c.synopsis())
	paragraphs(w, c.about, "  ")
	if len(c.subcommands) > 0 {
		fmt.Fprintf(w, "Commands:\n\n")
		listCommands(w, c.subcommands)
		fmt.Fprintf(w, "\nTo see one: kplan %s COMMAND -help\n", c.path())
	}
	for _, heading := range headings(c.flags) {
		fmt.Fprintf(w, "%s:\n\n", heading)
		listFlags(w, slices.DeleteFunc(slices.Clone(c.flags), func(f cli.Flag) bool { return headingOf(f) != heading }))
		fmt.Fprintln(w)
	}
	if len(c.aliases) > 0 {
		fmt.Fprintf(w, "Also called: %s\n\n", strings.Join(c.aliases, ", "))
	}
	if len(c.examples) == 0 {
		return
	}
	fmt.Fprintf(w, "Examples:\n")
	for _, e := range c.examples {
		fmt.Fprintln(w)
		paragraphs(w, e.explanation, "  ")
		fmt.Fprintf(w, "      $ kplan %s\n", e.line)
	}
}

// showOverview writes kplan's own help.
func showOverview(w io.Writer, list []*command) {
	fmt.Fprintf(w, "Usage: kplan [global options] COMMAND [options] [arguments]\n\n")
	paragraphs(w, "kplan plans and applies changes to Kubernetes clusters. The files *.kplan.hcl of a "+
		"folder declare what should be there; plan shows what would change, apply changes it.", "  ")
	fmt.Fprintf(w, "Main commands:\n\n")
	listCommands(w, list[:4])
	fmt.Fprintf(w, "\nOther commands:\n\n")
	listCommands(w, list[4:])
	fmt.Fprintf(w, "\nGlobal options, which stand before the command:\n\n")
	listFlags(w, append(globalFlags(new(globals)),
		on("help", new(bool), "Show this help, or after a command the command's."),
		on("version", new(bool), "Show kplan's version.")))
	fmt.Fprintf(w, "\nTo see what a command does and takes: kplan COMMAND -help\n")
}

func listCommands(w io.Writer, list []*command) {
	for _, c := range list {
		fmt.Fprintf(w, "  %-14s %s\n", c.name, c.summary)
	}
}

// listFlags writes each flag and, beside it, what it is for.
func listFlags(w io.Writer, flags []cli.Flag) {
	const column = 26
	for _, f := range flags {
		head := "  " + flagHead(f)
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

// flagHead is how the flag is written: -out=PATH, -json, -lock=false.
func flagHead(f cli.Flag) string {
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
func headings(flags []cli.Flag) []string {
	var all []string
	for _, f := range flags {
		if h := headingOf(f); !slices.Contains(all, h) {
			all = append(all, h)
		}
	}
	return all
}

// paragraphs writes text, which an empty line divides, each followed by an
// empty line. A paragraph that is indented is written as it stands.
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
