package funcs

import (
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

// TestCutDocuments: a text that is cut where documents begin gives what it gives in one piece.
func TestCutDocuments(t *testing.T) {
	lines := []string{
		"---", "--- ", "--- # x", "---x", "--- x", "...", "a: 1", "b: |", "  x", "  ---", " ---", "c: 'q", "q'", "# ---", "", "- 1", "d: \"",
		"\"",
		"kind: List", "items: [{a: 1}]", "e: &a x", "f: *a", "---\r", "g: 1\r", "\t", "%YAML 1.1", "h: [", "]", "--- |", "---\t{i: 1}",
	}
	random := rand.New(rand.NewPCG(3, 4))
	rounds, read := 5_000, 0
	if os.Getenv("KPLAN_TORTURE") != "" {
		rounds = 400_000
	}
	for range rounds {
		var text strings.Builder
		for range 1 + random.IntN(9) {
			text.WriteString(lines[random.IntN(len(lines))] + "\n")
		}
		whole, wholeErr := chunk{text: text.String()}.values()
		got, err := yamlValues(text.String())
		if (wholeErr == nil) != (err == nil) && !isForeignAnchor(err) {
			t.Fatalf("%q: in one piece %v, cut %v", text.String(), wholeErr, err)
		}
		if err != nil {
			continue
		}
		read++
		n := 0
		for _, v := range whole {
			for _, item := range listItems(v) {
				if n >= got.LengthInt() || !got.AsValueSlice()[n].RawEquals(item) {
					t.Fatalf("%q is read as %#v and, in one piece, as %#v", text.String(), got, whole)
				}
				n++
			}
		}
		if n != got.LengthInt() {
			t.Fatalf("%q is read as %#v and, in one piece, as %#v", text.String(), got, whole)
		}
	}
	if read < rounds/20 {
		t.Errorf("only %d texts of %d were right", read, rounds)
	}
}

// isForeignAnchor reports whether an error is of an anchor of another document, which the decoder finds all the same.
func isForeignAnchor(err error) bool {
	return err != nil && strings.Contains(err.Error(), "unknown anchor")
}

func FuzzDocuments(f *testing.F) {
	for _, seed := range []string{"a: 1\n---\nb: 2\n", "%YAML 1.1\n---\na: |\n ---\n---\n", "kind: List\nitems: [{}]", "\ufeff--- \r\n...\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, wholeErr := chunk{text: strings.TrimPrefix(text, "\ufeff")}.values()
		if _, err := yamlValues(text); (wholeErr == nil) != (err == nil) && !isForeignAnchor(err) {
			t.Fatalf("%q: in one piece %v, cut %v", text, wholeErr, err)
		}
	})
}
