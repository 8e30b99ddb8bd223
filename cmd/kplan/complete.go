package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"kplan.dev/kplan/internal/render"
)

// completeWord is the first word of the line by which the completion scripts
// ask what could stand at its end.
const completeWord = "__complete"

// candidate is a word that could stand there.
type candidate struct{ word, summary string }

// complete prints the candidates for the last word of a line, none where a
// file should stand.
func (s *session) complete(ctx context.Context, list []*command, line []string) {
	if len(line) == 0 {
		line = []string{""}
	}
	before, current := line[:len(line)-1], line[len(line)-1]
	for _, c := range candidates(ctx, s, list, before, strings.HasPrefix(current, "-")) {
		if !strings.HasPrefix(c.word, current) {
			continue
		}
		if c.summary == "" {
			fmt.Fprintln(s.stdout, c.word)
		} else {
			fmt.Fprintf(s.stdout, "%s\t%s\n", c.word, c.summary)
		}
	}
}

func candidates(ctx context.Context, s *session, list []*command, before []string, flag bool) []candidate {
	inv := &invocation{}
	rest, err := inv.takeGlobals(list, before)
	if err == nil {
		rest, err = inv.takeCommand(list, rest)
	}
	switch {
	case err != nil:
		return nil
	case inv.command == nil && flag:
		return flagCandidates(globalFlags(new(globals)))
	case inv.command == nil:
		return commandCandidates(list)
	case len(inv.command.subcommands) > 0:
		return commandCandidates(inv.command.subcommands)
	case flag:
		return flagCandidates(inv.command.flags)
	case inv.command.words == nil, awaitsValue(inv.command, rest):
		return nil
	}
	inv.command.readState(rest)
	var words []candidate
	for _, word := range inv.command.words(ctx, s) {
		word = render.Clean(word)
		if !slices.Contains(rest, word) {
			words = append(words, candidate{word: word})
		}
	}
	return words
}

func commandCandidates(list []*command) []candidate {
	var all []candidate
	for _, c := range list {
		all = append(all, candidate{c.name, c.summary})
	}
	return all
}

func flagCandidates(flags []cli.Flag) []candidate {
	var all []candidate
	for _, f := range flags {
		word := "-" + f.Names()[0]
		if takesValue(f) {
			word += "="
		}
		all = append(all, candidate{word, strings.ReplaceAll(usageOf(f), "`", "")})
	}
	return append(all, candidate{"-help", "Show the help."})
}

// awaitsValue says whether the line ends with a flag whose value comes next.
// Shells take -flag=value for three words.
func awaitsValue(c *command, line []string) bool {
	if n := len(line); n > 1 && line[n-1] == "=" {
		line = line[:n-1]
	}
	if len(line) == 0 {
		return false
	}
	name, _, hasValue := splitFlag(line[len(line)-1])
	f := c.flag(name)
	return isFlag(line[len(line)-1]) && f != nil && takesValue(f) && !hasValue
}

// readState takes -state from the line, for the addresses are in there.
func (c *command) readState(line []string) {
	f, ok := c.flag("state").(*cli.StringFlag)
	if !ok {
		return
	}
	for i, word := range line {
		name, value, hasValue := splitFlag(word)
		if !isFlag(word) || name != "state" {
			continue
		}
		next := slices.DeleteFunc(slices.Clone(line[i+1:]), func(w string) bool { return w == "=" })
		switch {
		case hasValue && value != "":
			*f.Destination = value
		case len(next) > 0:
			*f.Destination = next[0]
		}
	}
}
