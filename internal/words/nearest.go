package words

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Suggest is a sentence that offers the name that a misspelled one most likely
// stands for, with a space before it, or "" when no name is close.
func Suggest(given string, names []string) string { return DidYouMean(Nearest(given, names)) }

// DidYouMean is a sentence that offers a name, with a space before it, or "" for
// no name. A name that has quotes in it, as Pod.web["a"], stands without any
// around it.
func DidYouMean(name string) string {
	switch {
	case name == "":
		return ""
	case strings.Contains(name, `"`):
		return " Did you mean " + name + "?"
	}
	return ` Did you mean "` + name + `"?`
}

// longestMisspelled is the longest word that is compared with others.
const longestMisspelled = 100

// Nearest returns the name that a misspelled one most likely stands for, or ""
// when none is close. Of equally close names the first one wins. A single
// character stands for nothing.
func Nearest(given string, names []string) string {
	if len(given) < 2 || len(given) > longestMisspelled {
		return ""
	}
	best, bestDistance := "", max(1, len(given)/3)+1
	for _, name := range names {
		if d := typos(given, name, bestDistance); d < bestDistance {
			best, bestDistance = name, d
		}
	}
	return best
}

// IsTypo reports whether a word is another but for one slip.
func IsTypo(given, name string) bool { return given != name && typos(given, name, 2) < 2 }

// typos counts the slips that lead from one word to the other: a letter missing,
// too much, wrong, or two letters swapped. It stops counting at most.
func typos(a, b string, most int) int {
	if n, m := utf8.RuneCountInString(a), utf8.RuneCountInString(b); n-m >= most || m-n >= most {
		return most
	}
	x, y := []rune(a), []rune(b)
	// Three rows of the usual table: a swap looks back two of them.
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			wrong := 1
			if x[i-1] == y[j-1] {
				wrong = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+wrong)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		if slices.Min(row) >= most && slices.Min(last) >= most {
			return most // it gets no less
		}
		before, last, row = last, row, before
	}
	return min(last[len(y)], most)
}
