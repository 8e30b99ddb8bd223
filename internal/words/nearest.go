package words

// Nearest returns the name that a misspelled one most likely stands for, or ""
// when none is close. Of equally close names the first one wins.
func Nearest(given string, names []string) string {
	best, bestDistance := "", max(1, len(given)/3)+1
	for _, name := range names {
		if d := typos(given, name, bestDistance); d < bestDistance {
			best, bestDistance = name, d
		}
	}
	return best
}

// typos is how many slips lead from one word to the other: a letter missing,
// too much, wrong, or two neighbours swapped. It stops counting at most.
func typos(a, b string, most int) int {
	x, y := []rune(a), []rune(b)
	if len(x)-len(y) >= most || len(y)-len(x) >= most {
		return most
	}
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
		before, last, row = last, row, before
	}
	return min(last[len(y)], most)
}
