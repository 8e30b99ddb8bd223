package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// CompleteWord is the first word of the line by which the completion scripts ask
// for the candidates for its end.
const CompleteWord = "__complete"

// candidate is a word that could stand there.
type candidate struct{ word, summary string }

// Complete prints the candidates for the last word of a line, none where a file
// belongs.
func (a *App) Complete(ctx context.Context, w io.Writer, line []string) {
	if len(line) == 0 {
		line = []string{""}
	}
	before, current := line[:len(line)-1], line[len(line)-1]
	for _, c := range a.candidates(ctx, joined(before), strings.HasPrefix(current, "-")) {
		if !strings.HasPrefix(c.word, current) {
			continue
		}
		if c.summary == "" {
			fmt.Fprintln(w, c.word)
		} else {
			fmt.Fprintf(w, "%s\t%s\n", c.word, c.summary)
		}
	}
}

// joined makes -flag=value one word again, which shells take for three.
func joined(line []string) (words []string) {
	for i, word := range line {
		last := len(words) - 1
		switch {
		case word == "=" && last >= 0 && isFlag(words[last]), i > 0 && line[i-1] == "=" && last >= 0 && strings.HasSuffix(words[last], "="):
			words[last] += word
		default:
			words = append(words, word)
		}
	}
	return words
}

func (a *App) candidates(ctx context.Context, before []string, flag bool) []candidate {
	inv := &Invocation{}
	rest, err := inv.parseCommand(a, before)
	switch c := inv.Command; {
	case err != nil:
		return nil
	case c == nil && flag:
		return flagCandidates(a.Flags)
	case c == nil:
		return commandCandidates(a.Commands)
	case len(c.Subcommands) > 0:
		return commandCandidates(c.Subcommands)
	case flag:
		return flagCandidates(c.Flags)
	case c.Words == nil:
		return nil
	}
	var mistake *UsageError
	if errors.As(inv.parseRest(a, rest), &mistake) && (mistake.Summary == "Missing value" || mistake.Summary == "Empty value") {
		return nil // the value comes next
	}
	var words []candidate
	for _, word := range inv.Command.Words(ctx) {
		if !slices.Contains(rest, word) {
			words = append(words, candidate{word: word})
		}
	}
	return words
}

func commandCandidates(list []*Command) []candidate {
	var all []candidate
	for _, c := range list {
		all = append(all, candidate{c.Name, c.Summary})
	}
	return all
}

func flagCandidates(flags []Flag) []candidate {
	var all []candidate
	for _, f := range flags {
		word := Head(f)
		if name, _, ok := strings.Cut(word, "="); ok && TakesValue(f) {
			word = name + "="
		}
		all = append(all, candidate{word, strings.ReplaceAll(usageOf(f), "`", "")})
	}
	return append(all, candidate{"-help", "Show the help."})
}
