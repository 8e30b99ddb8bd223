package diff

import (
	"unicode/utf8"
)

// pairing is two elements of lists that are better compared part by part than
// shown one after the other, by their positions.
type pairing struct{ before, after int }

// maxCompared is how many elements are compared with how many others. Of longer
// runs the first is paired with the first, and so on.
const maxCompared = 1 << 10

// paired are the pairs of two runs of elements that have the most in common, in
// their order.
func paired(before, after []any) []pairing {
	if len(before)*len(after) > maxCompared {
		return inOrder(before, after)
	}
	// best[i][j] is how much the elements from i and from j on have in common.
	likeness := make([][]float64, len(before))
	best := make([][]float64, len(before)+1)
	best[len(before)] = make([]float64, len(after)+1)
	for i := len(before) - 1; i >= 0; i-- {
		likeness[i], best[i] = make([]float64, len(after)), make([]float64, len(after)+1)
		for j := len(after) - 1; j >= 0; j-- {
			likeness[i][j] = similarity(before[i], after[j])
			best[i][j] = max(best[i+1][j], best[i][j+1], likeness[i][j]+best[i+1][j+1])
		}
	}
	var pairs []pairing
	for i, j := 0, 0; i < len(before) && j < len(after); {
		switch {
		case likeness[i][j] > 0 && best[i][j] == likeness[i][j]+best[i+1][j+1]:
			pairs = append(pairs, pairing{i, j})
			i, j = i+1, j+1
		case best[i][j] == best[i+1][j]:
			i++
		default:
			j++
		}
	}
	return pairs
}

func inOrder(before, after []any) []pairing {
	var pairs []pairing
	for i := range min(len(before), len(after)) {
		if similarity(before[i], after[i]) > 0 {
			pairs = append(pairs, pairing{i, i})
		}
	}
	return pairs
}

// similarity is how much two values have in common: 1 for equal ones, 0 for two
// that it says nothing to compare.
func similarity(before, after any) float64 {
	switch b := before.(type) {
	case map[string]any:
		if a, ok := after.(map[string]any); ok {
			return similarityOfObjects(b, a)
		}
		return 0
	case []any:
		if a, ok := after.([]any); ok {
			return similarityOfLists(b, a)
		}
		return 0
	case string:
		if a, ok := after.(string); ok && b != a {
			return similarityOfTexts(b, a)
		}
	}
	if token(before) == token(after) {
		return 1
	}
	return 0
}

// sameName is how much it counts that two objects have a field of one name,
// whatever is in it.
const sameName = 0.25

func similarityOfObjects(before, after map[string]any) float64 {
	sum, names := 0.0, len(before)
	for name, a := range after {
		b, ok := before[name]
		if !ok {
			names++
			continue
		}
		sum += sameName + (1-sameName)*similarity(b, a)
	}
	return sum / float64(max(names, 1))
}

func similarityOfLists(before, after []any) float64 {
	if len(before)+len(after) == 0 {
		return 1
	}
	return max(sameName, inCommon(tokens(before), tokens(after)))
}

// longString is from where on two strings are compared part by part. Shorter
// ones are read faster one after the other.
const longString = 120

// alikeTexts compares strings that are long or have several lines.
func similarityOfTexts(before, after string) float64 {
	isLong := func(s string) bool { return isMultiline(s) || utf8.RuneCountInString(s) > longString }
	if !isLong(before) || !isLong(after) {
		return 0
	}
	return max(sameName, inCommon(splitLines(before), splitLines(after)))
}

// inCommon is the part of two lists of texts that is in both.
func inCommon(before, after []string) float64 {
	left := make(map[string]int, len(before))
	for _, text := range before {
		left[text]++
	}
	common := 0
	for _, text := range after {
		if left[text] > 0 {
			left[text]--
			common++
		}
	}
	return 2 * float64(common) / float64(len(before)+len(after))
}
