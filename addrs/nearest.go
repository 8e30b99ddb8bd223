package addrs

import "github.com/agext/levenshtein"

// Nearest returns the name that a misspelled one most likely stands for, or ""
// when none is close. Of equally close names the first one wins.
func Nearest(given string, names []string) string {
	best, bestDistance := "", max(1, len(given)/3)+1
	for _, name := range names {
		// Without MaxCost: with it, levenshtein 1.2.1 finds 3 steps between
		// Deployment and Service, which are 8 apart.
		if d := levenshtein.Distance(given, name, nil); d < bestDistance {
			best, bestDistance = name, d
		}
	}
	return best
}
