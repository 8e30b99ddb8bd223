package cli

import (
	"errors"
	"fmt"
	"strings"
)

// argsFromEnv returns the arguments that the environment puts before those of the
// command line: KPLAN_CLI_ARGS for every command, KPLAN_CLI_ARGS_plan for one.
// Later flags win, so the command line does.
func argsFromEnv(c *Command, getenv func(string) string) ([]string, error) {
	var all []string
	for _, name := range []string{"KPLAN_CLI_ARGS", "KPLAN_CLI_ARGS_" + c.envName()} {
		words, err := SplitWords(getenv(name))
		if err != nil {
			return nil, &UsageError{Summary: "Invalid " + name,
				Detail: fmt.Sprintf("The environment variable %s can't be read: %v.", name, err)}
		}
		all = append(all, words...)
	}
	return all, nil
}

// SplitWords splits text as a shell does: at white space, but not inside
// quotes. A backslash quotes the next character, except in single quotes.
func SplitWords(text string) ([]string, error) {
	var (
		words  []string
		word   strings.Builder
		inWord bool
		quote  rune
	)
	escaped := false
	for _, r := range text {
		switch {
		case escaped:
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped, inWord = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, inWord = r, true
		case strings.ContainsRune(" \t\n\r", r):
			if inWord {
				words = append(words, word.String())
			}
			word.Reset()
			inWord = false
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	switch {
	case quote != 0:
		return nil, fmt.Errorf("a %c quote is not closed", quote)
	case escaped:
		return nil, errors.New("it ends with a backslash")
	case inWord:
		words = append(words, word.String())
	}
	return words, nil
}

// ShellWord spells a word as a shell, and SplitWords, reads it.
func ShellWord(word string) string {
	if word != "" && strings.Trim(word, plainInShell) == "" {
		return word
	}
	return ShellQuoted(word)
}

// plainInShell means itself to a shell.
const plainInShell = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,@%+"

// ShellQuoted puts a word in quotes.
func ShellQuoted(word string) string {
	if strings.ContainsAny(word, "\"\\$`!") {
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	return `"` + word + `"`
}
