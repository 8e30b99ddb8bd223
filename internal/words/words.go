// Package words puts words into the sentences of messages: lists, numbers of
// things, and the name that a misspelled one most likely stands for.
package words

import (
	"strconv"
	"strings"
)

// Or joins alternatives: a, b or c.
func Or(words []string) string { return list(words, " or ") }

// And joins what belongs together: a, b and c.
func And(words []string) string { return list(words, " and ") }

func list(words []string, beforeLast string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + beforeLast + words[last]
}

// Count is a number of things: 1 block, 2 blocks.
func Count(n int, thing string) string {
	return strconv.Itoa(n) + " " + Plural(n, thing, thing+"s")
}

// Plural chooses between the words for one thing and those for any other number.
func Plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
