package main

import (
	"errors"
	"fmt"
	"strings"
)

// argsFromEnv are the arguments that the environment puts before those of the
// command line: KPLAN_CLI_ARGS for every command, KPLAN_CLI_ARGS_plan for one.
// Later flags win, so the command line does.
func argsFromEnv(c *command, lookup func(string) string) ([]string, error) {
	var all []string
	for _, name := range []string{"KPLAN_CLI_ARGS", "KPLAN_CLI_ARGS_" + c.envName()} {
		words, err := splitWords(lookup(name))
		if err != nil {
			return nil, &usageError{summary: "Invalid " + name, detail: fmt.Sprintf("The environment variable %s can't be read: %v.", name, err)}
		}
		all = append(all, words...)
	}
	return all, nil
}

// splitWords splits text as a shell does: at white space, but not inside
// quotes. A backslash takes the next character's meaning away, except in single
// quotes.
func splitWords(text string) ([]string, error) {
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

// shellWord spells a word as a shell, and splitWords, reads it.
func shellWord(word string) string {
	if word != "" && strings.Trim(word, plainInShell) == "" {
		return word
	}
	return shellQuoted(word)
}

// plainInShell means itself to a shell.
const plainInShell = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,@%+"

// shellQuoted puts a word in quotes.
func shellQuoted(word string) string {
	if strings.ContainsAny(word, "\"\\$`!") {
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	return `"` + word + `"`
}
