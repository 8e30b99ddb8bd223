// Package words puts words into the sentences of messages: lists, numbers of
// things, and the name that a misspelled one most likely stands for.
package words

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
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
	return strconv.Itoa(n) + " " + Plural(n, thing, PluralOf(thing))
}

// PluralOf is the word for several: Pods, Ingresses, NetworkPolicies, Endpoints.
func PluralOf(noun string) string {
	isAny := func(endings ...string) bool {
		return slices.ContainsFunc(endings, func(end string) bool { return strings.HasSuffix(noun, end) })
	}
	switch {
	case isAny("Endpoints"):
		return noun
	case isAny("ay", "ey", "oy"):
	case isAny("y"):
		return strings.TrimSuffix(noun, "y") + "ies"
	case isAny("s", "x", "ch", "sh"):
		return noun + "es"
	}
	return noun + "s"
}

// Shorten cuts a text that is longer than so many characters, between two words where it can, and
// says how many are left out.
func Shorten(text string, longest int) string {
	if len(text) <= longest {
		return text
	}
	runes := []rune(text)
	if len(runes) <= longest {
		return text
	}
	kept := string(runes[:longest])
	if space := strings.LastIndexAny(kept, " \n"); space > len(kept)*3/4 {
		kept = kept[:space]
	}
	return kept + "… (" + Count(len(runes)-len([]rune(kept)), "more character") + ")"
}

// Plural chooses between the words for one thing and those for any other number.
func Plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// Capital is text as the beginning of a sentence. A file's name or an address that it begins with stays as it is.
func Capital(text string) string {
	if word, _, _ := strings.Cut(text, " "); strings.ContainsAny(strings.TrimRight(word, ".,:;"), `./\`) {
		return text
	}
	first, size := utf8.DecodeRuneInString(text)
	if first == utf8.RuneError {
		return text
	}
	return string(unicode.ToUpper(first)) + text[size:]
}
