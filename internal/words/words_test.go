package words_test

import (
	"strings"
	"testing"

	"kplan.dev/kplan/internal/words"
)

func TestShorten(t *testing.T) {
	for _, test := range []struct {
		text string
		n    int
		want string
	}{
		{"short", 5, "short"},
		{"ääääää", 6, "ääääää"},
		{"one two three four", 14, "one two three… (5 more characters)"},
		{"aaaaaaaaaaaa", 4, "aaaa… (8 more characters)"},
		{"äöüäöü", 5, "äöüäö… (1 more character)"},
	} {
		if got := words.Shorten(test.text, test.n); got != test.want {
			t.Errorf("Shorten(%q, %d) = %q, want %q", test.text, test.n, got, test.want)
		}
	}
}

func TestLists(t *testing.T) {
	for _, test := range []struct {
		words   []string
		or, and string
	}{
		{nil, "", ""},
		{[]string{"a"}, "a", "a"},
		{[]string{"a", "b"}, "a or b", "a and b"},
		{[]string{"a", "b", "c"}, "a, b or c", "a, b and c"},
	} {
		if or, and := words.Or(test.words), words.And(test.words); or != test.or || and != test.and {
			t.Errorf("%v: %q, %q; want %q, %q", test.words, or, and, test.or, test.and)
		}
	}
}

func TestNearest(t *testing.T) {
	kinds := []string{"Pod", "Service", "Secret", "ReplicationController", "ReplicaSet"}
	for given, want := range map[string]string{
		"Pods":                    "Pod",
		"pod":                     "Pod",
		"Servcie":                 "Service",
		"ReplicationControler":    "ReplicationController",
		"Secert":                  "Secret",
		"Deployment":              "",
		"":                        "",
		"X":                       "",
		strings.Repeat("Pod", 40): "", // too long
	} {
		if got := words.Nearest(given, kinds); got != want {
			t.Errorf("%q: did you mean %q? want %q", given, got, want)
		}
	}
	if got := words.Nearest("wob", []string{"web", "job"}); got != "web" {
		t.Errorf("of equally close names got %q, want the first", got)
	}
	if got := words.Nearest("x", nil); got != "" {
		t.Errorf("of no names got %q", got)
	}
}

func TestSuggest(t *testing.T) {
	for given, want := range map[string]string{
		"Servcie":      ` Did you mean "Service"?`,
		`Pod.wbe["a"]`: ` Did you mean Pod.web["a"]?`,
		"Deployment":   "",
	} {
		if got := words.Suggest(given, []string{"Service", `Pod.web["a"]`}); got != want {
			t.Errorf("%s: got %q, want %q", given, got, want)
		}
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0 blocks", 1: "1 block", 2: "2 blocks"} {
		if got := words.Count(n, "block"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestPluralOf(t *testing.T) {
	for noun, want := range map[string]string{
		"Pod": "Pods", "Ingress": "Ingresses", "StorageClass": "StorageClasses", "NetworkPolicy": "NetworkPolicies", "Endpoints": "Endpoints",
		"Gateway": "Gateways", "PersistentVolumeClaim": "PersistentVolumeClaims", "API": "APIs",
	} {
		if got := words.PluralOf(noun); got != want {
			t.Errorf("%s: %s, want %s", noun, got, want)
		}
	}
}

func TestCapital(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "nothing listens.": "Nothing listens.", "état perdu": "État perdu", "\xff": "\xff",
		"main.yaml: no plan": "main.yaml: no plan", "https://k8s.test did not answer": "https://k8s.test did not answer",
		"lost. Again": "Lost. Again",
	} {
		if got := words.Capital(text); got != want {
			t.Errorf("Capital(%q) = %q, want %q", text, got, want)
		}
	}
}
