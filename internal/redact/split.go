package redact

import (
	"cmp"
	"slices"
	"strings"
)

// squeezed is a text without its white space, the backslashes of quoting, however often it was quoted, and the
// sequences that color it, and where each byte of it stood. What was wrapped, quoted or colored on its way is found in it.
type squeezed struct {
	text   string
	at     []int // of each byte in the original
	breaks []int // where there was something else than blanks
}

func squeeze(text string) squeezed {
	s := squeezed{at: make([]int, 0, len(text))}
	kept := make([]byte, 0, len(text))
	for i := 0; i < len(text); {
		n := dropped(text[i:])
		switch {
		case n == 0:
			kept, s.at = append(kept, text[i]), append(s.at, i)
			n = 1
		case text[i] != ' ' && text[i] != '\t':
			s.breaks = append(s.breaks, i)
		}
		i += n
	}
	s.text = string(kept)
	return s
}

// dropped is how many bytes a text begins with that are left out.
func dropped(text string) int {
	switch text[0] {
	case ' ', '\t', '\r', '\n':
		return 1
	case '\\':
		rest := strings.TrimLeft(text, `\`)
		if rest != "" && strings.IndexByte("nrt", rest[0]) >= 0 {
			rest = rest[1:]
		}
		return len(text) - len(rest)
	case '\x1b':
		return len(text) - len(withoutColor(text))
	}
	return 0
}

// withoutColor is a text without the sequence that it begins with, if that only changes the color.
func withoutColor(text string) string {
	if codes, ok := strings.CutPrefix(text, "\x1b["); ok {
		if rest, ok := strings.CutPrefix(strings.TrimLeft(codes, "0123456789;"), "m"); ok {
			return rest
		}
	}
	return text
}

// isBroken reports whether a text has anything that squeeze leaves out, besides blanks.
func isBroken(text string) bool { return strings.ContainsAny(text, "\n\\\x1b") }

// span is the part of the original that this part of the squeezed text comes from.
func (s squeezed) span(from, to int) Span { return Span{s.at[from], s.at[to-1] + 1} }

// isBroken reports whether a part of the original has lost anything but blanks.
func (s squeezed) isBroken(part Span) bool {
	i, _ := slices.BinarySearch(s.breaks, part.From)
	return i < len(s.breaks) && s.breaks[i] < part.To
}

// squeezedText is a spelling as it is looked for across lines, "" if it is not: a short word would be found in
// innocent ones.
func squeezedText(spelled string) string {
	if strings.ContainsAny(spelled, " \t\r\n\\\x1b") {
		spelled = squeeze(spelled).text
	}
	if len(spelled) < shortestAnywhere {
		return ""
	}
	return spelled
}

// findBroken returns where a text has secrets that are wrapped, quoted or colored.
func (m Masker) findBroken(s squeezed) []Span {
	if len(s.breaks) == 0 {
		return nil
	}
	var found []Span
	for _, spelling := range m.spellings {
		for from := 0; spelling.squeezed != ""; {
			i := strings.Index(s.text[from:], spelling.squeezed)
			if i < 0 {
				break
			}
			to := from + i + len(spelling.squeezed)
			if part := s.span(from+i, to); s.isBroken(part) {
				found = append(found, part)
			}
			from = to
		}
	}
	return found
}

// findCut returns what a text that is cut out of a longer one begins and ends with of a secret, or all of it, if it
// comes from the midst of one.
func (m Masker) findCut(s squeezed) []Span {
	if len(s.text) < shortestAnywhere {
		return nil
	}
	begin, end := newOverlap(s.text), newOverlap(reverse(s.text))
	var first, last int
	for _, spelling := range m.spellings {
		if strings.Contains(spelling.squeezed, s.text) {
			return []Span{s.span(0, len(s.text))}
		}
		first, last = max(first, begin.with(spelling.squeezed)), max(last, end.with(reverse(spelling.squeezed)))
	}
	var found []Span
	if first >= shortestAnywhere {
		found = append(found, s.span(0, first))
	}
	if last >= shortestAnywhere {
		found = append(found, s.span(len(s.text)-last, len(s.text)))
	}
	return found
}

// overlap finds what a text begins with of the ends of others, in one pass over each (the algorithm of Knuth,
// Morris and Pratt): secrets may be as long as logs.
type overlap struct {
	text string
	fall []int // for each length, the next shorter beginning of the text that it ends with
}

func newOverlap(text string) overlap {
	o := overlap{text, make([]int, len(text)+1)}
	for i, n := 1, 0; i < len(text); i++ {
		n = o.next(n, text[i])
		o.fall[i+1] = n
	}
	return o
}

func (o overlap) next(n int, b byte) int {
	for n > 0 && (n == len(o.text) || o.text[n] != b) {
		n = o.fall[n]
	}
	if o.text[n] == b {
		n++
	}
	return n
}

// with is how many bytes of the text's beginning the other one ends with.
func (o overlap) with(other string) int {
	n := 0
	for i := range len(other) {
		n = o.next(n, other[i])
	}
	return n
}

func reverse(text string) string {
	b := []byte(text)
	slices.Reverse(b)
	return string(b)
}

// merged are spans from the first to the last, none of which touches another.
func merged(all []Span) []Span {
	slices.SortFunc(all, func(a, b Span) int { return cmp.Or(a.From-b.From, a.To-b.To) })
	var done []Span
	for _, s := range all {
		if last := len(done) - 1; last >= 0 && s.From < done[last].To {
			done[last].To = max(done[last].To, s.To)
			continue
		}
		done = append(done, s)
	}
	return done
}
