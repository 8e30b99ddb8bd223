// Package words puts words into the sentences of messages: lists of them, and
// the one that a misspelled word most likely stands for.
package words

import "strings"

// Or is the words as alternatives: a, b or c.
func Or(words []string) string { return list(words, " or ") }

// And is the words together: a, b and c.
func And(words []string) string { return list(words, " and ") }

func list(words []string, beforeLast string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + beforeLast + words[last]
}
