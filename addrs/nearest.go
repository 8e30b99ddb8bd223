package addrs

import "github.com/agext/levenshtein"

// Nearest returns the name that a misspelled one most likely stands for, or ""
// when none is close. Of equally close names the first one wins.
func Nearest(given string, names []string) string {
	best, bestDistance := "", max(1, len(given)/3)+1
	for _, name := range names {
		d := levenshtein.Distance(given, name, levenshtein.NewParams().MaxCost(bestDistance))
		if d < bestDistance {
			best, bestDistance = name, d
		}
	}
	return best
}
