package addrs

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

func TestParsePath(t *testing.T) {
	for text, want := range map[string]string{
		"spec":                                   "spec",
		".spec":                                  "spec",
		"spec.ports[0].nodePort":                 "spec.ports[0].nodePort",
		`spec.containers[name="app"].env`:        `spec.containers[name="app"].env`,
		`.spec.ports[protocol="TCP",port=80]`:    `spec.ports[port=80,protocol="TCP"]`,
		`spec.ports[port=80.0]`:                  `spec.ports[port=80]`,
		`spec.ports[port=8e1]`:                   `spec.ports[port=80]`,
		`spec.x[on=true,w=0.5,n=null]`:           `spec.x[n=null,on=true,w=0.5]`,
		`spec.x[id=9007199254740993]`:            `spec.x[id=9007199254740993]`,
		`x[name="a]b"].c`:                        `x[name="a]b"].c`,
		`x[name="a\"]"].c`:                       `x[name="a\"]"].c`,
		`x[name="a,b=c"]`:                        `x[name="a,b=c"]`,
		`x[name="\u003ca\u003e"]`:                `x[name="<a>"]`,
		`x["a=b"="c"]`:                           `x["a=b"="c"]`,
		`x["a"="c"]`:                             `x[a="c"]`,
		"data[tls.crt]":                          `data["tls.crt"]`,
		`data["tls.crt"]`:                        `data["tls.crt"]`,
		`data["plain"]`:                          "data.plain",
		"data[plain]":                            "data.plain",
		`metadata.annotations["a.b/c"]`:          `metadata.annotations["a.b/c"]`,
		"metadata.annotations[a.b/c].d":          `metadata.annotations["a.b/c"].d`,
		`data["0"]`:                              "data.0",
		"data.0":                                 "data.0",
		"data[01]":                               "data.01",
		"data[-1]":                               "data.-1",
		`data[""]`:                               `data[""]`,
		`data["null"]`:                           "data.null",
		"data[null]":                             "data.null",
		`data["a\nb"]`:                           `data["a\nb"]`,
		"data[ü].größe":                          "data.ü.größe",
		`["a.b"].c`:                              `["a.b"].c`,
		"[0].a":                                  "[0].a",
		"a[0][1]":                                "a[0][1]",
		"a[]":                                    "a[]",
		"data[99999999999999999999999999999999]": "data.99999999999999999999999999999999",
	} {
		p, err := ParsePath(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if p.String() != want {
			t.Errorf("%s is read as %s, want %s", text, p, want)
		}
		var again Path
		for _, s := range p.Steps() {
			again = again.Append(s)
		}
		if again != p {
			t.Errorf("%s in steps is %s", p, again)
		}
	}
}

func TestParsePathRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":             "it is empty",
		".":            "it is empty",
		"..a":          "beside a dot",
		"a.":           "beside a dot",
		"a..b":         "beside a dot",
		"a.[0]":        "beside a dot",
		"a[0]b":        "a dot is missing",
		"a[0]..b":      "beside a dot",
		"a[":           "not closed",
		"a[0":          "not closed",
		`a["x]`:        "not closed",
		`a["x]"`:       "not closed",
		`a["x"y]`:      "not a quoted string",
		`a[x=]`:        "not JSON",
		`a[x=y]`:       "not JSON",
		`a[=1]`:        "key=value",
		`a[x=1,]`:      "key=value",
		`a[x=1,y]`:     "key=value",
		`a[x=1 y=2]`:   "key=value",
		`a[x=1,x=2]`:   "key=value",
		`a[x={"y":1}]`: "neither a string",
		`a["x"1=2]`:    "key=value",
	} {
		p, err := ParsePath(text)
		if err == nil {
			t.Errorf("%q was read as %s", text, p)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestPathMake(t *testing.T) {
	for _, test := range []struct {
		path Path
		want string
	}{
		{Path{}, ""},
		{NewPath("spec", "replicas"), "spec.replicas"},
		{NewPath("metadata", "annotations", "a.b/c"), `metadata.annotations["a.b/c"]`},
		{NewPath("data", ""), `data[""]`},
		{NewPath("data", "a b"), `data["a b"]`},
		{NewPath("data", `a"b`), `data["a\"b"]`},
		{NewPath("data", "<&>"), "data.<&>"},
		{NewPath("data", "a<.b"), `data["a<.b"]`},
		{NewPath("data", "\x1b]0;x"), `data["\u001b]0;x"]`},
		{NewPath("data", "\u202e"), `data["\u202e"]`},
		{NewPath("data", "\U000e0041"), `data["\udb40\udc41"]`},
		{NewPath("data", "\xff"), "data[\"\uFFFD\"]"},
		{NewPath("spec", "ports").Index(3), "spec.ports[3]"},
		{NewPath("a").Select(map[string]any{"port": int64(80), "protocol": "TCP"}), `a[port=80,protocol="TCP"]`},
		{NewPath("a").Select(map[string]any{"port": float64(80)}), `a[port=80]`},
		{NewPath("a").Select(map[string]any{"b,c": true}), `a["b,c"=true]`},
		{NewPath("a").Select(nil), "a[]"},
	} {
		if test.path.String() != test.want {
			t.Errorf("got %s, want %s", test.path, test.want)
		}
		if test.path.IsZero() != (test.want == "") {
			t.Errorf("IsZero of %q is wrong", test.want)
		}
		var again Path
		if err := again.UnmarshalText([]byte(test.path.String())); err != nil || again != test.path {
			t.Errorf("%s is read as %s, %v", test.path, again, err)
		}
	}
}

func TestStepKinds(t *testing.T) {
	p, err := ParsePath(`a["b.c"][2][k="v",n=1]`)
	if err != nil {
		t.Fatal(err)
	}
	steps := p.Steps()
	if len(steps) != 4 {
		t.Fatalf("%s has %d steps", p, len(steps))
	}
	for i, want := range []struct {
		field, index, keys bool
		text               string
	}{
		{true, false, false, "a"},
		{true, false, false, `["b.c"]`},
		{false, true, false, "[2]"},
		{false, false, true, `[k="v",n=1]`},
	} {
		s := steps[i]
		if s.IsField() != want.field || s.IsIndex() != want.index || s.IsKeys() != want.keys || s.String() != want.text {
			t.Errorf("step %d is %s: field %v, index %v, keys %v", i, s, s.IsField(), s.IsIndex(), s.IsKeys())
		}
	}
	if steps[1].Field != "b.c" || steps[2].Index != 2 || steps[3].Keys["k"] != `"v"` || steps[3].Keys["n"] != "1" {
		t.Errorf("the steps hold %+v", steps)
	}
	if steps := (Path{}).Steps(); len(steps) != 0 {
		t.Errorf("the whole object has the steps %v", steps)
	}
}

func TestPathContains(t *testing.T) {
	for _, test := range []struct {
		p, other string
		want     bool
	}{
		{"", "", true}, {"", "a", true}, {"a", "", false},
		{"a", "a", true}, {"a", "a.b", true}, {"a", "a[0]", true}, {"a", `a["b.c"]`, true}, {"a", `a[k=1].x`, true},
		{"a", "ab", false}, {"a.b", "a", false}, {"a.b", "a.bc", false}, {"a[1]", "a[10]", false}, {"a[1]", "a[1].b", true},
		{`a["b"]`, "a.b", true}, {`a["b.c"]`, "a.b.c", false}, {"a.b", `a["b.c"]`, false},
	} {
		p, other := mustPath(t, test.p), mustPath(t, test.other)
		if got := p.Contains(other); got != test.want {
			t.Errorf("%q contains %q: %v", p, other, got)
		}
		if got := NewPathSet(p).Covers(other); got != test.want {
			t.Errorf("a set of %q covers %q: %v", p, other, got)
		}
	}
}

func mustPath(t testing.TB, text string) Path {
	t.Helper()
	if text == "" {
		return Path{}
	}
	p, err := ParsePath(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPathSet(t *testing.T) {
	var none PathSet
	if none.Has(Path{}) || none.Covers(NewPath("a")) || len(none.Sorted()) != 0 {
		t.Error("the zero set holds something")
	}
	s := NewPathSet(NewPath("b"), NewPath("a", "x.y"), NewPath("a"), NewPath("b"))
	var sorted []string
	for _, p := range s.Sorted() {
		sorted = append(sorted, p.String())
	}
	if got := strings.Join(sorted, " "); got != `a a["x.y"] b` {
		t.Errorf("sorted: %s", got)
	}
	c := s.Clone()
	c.AddAll(NewPathSet(NewPath("c")))
	if s.Has(NewPath("c")) || !c.Has(NewPath("c")) || !c.Has(NewPath("b")) {
		t.Error("AddAll or Clone is wrong")
	}
	none.Clone().Add(NewPath("a")) // no panic
}

// aPath draws a path by way of steps, with the texts of the steps' parts.
func aPath(t *rapid.T) Path {
	name := rapid.OneOf(
		rapid.StringMatching(`[a-z][A-Za-z0-9]{0,6}`),
		rapid.SampledFrom([]string{"", "a.b/c", "0", "null", "true", "=", ",", "[", "]", `"`, `\`, "<&>", "\u202e", "\u2028", "\x00",
			"\xff", "ü", "\uFFFD"}),
		rapid.String(),
	)
	value := rapid.OneOf(
		rapid.Map(name, func(s string) any { return s }),
		rapid.Map(rapid.Int64(), func(i int64) any { return i }),
		rapid.Map(rapid.Float64Range(0.25, 1e300), func(f float64) any { return f }),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Just[any](nil),
	)
	var p Path
	for range rapid.IntRange(0, 5).Draw(t, "steps") {
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0, 1:
			p = p.Field(name.Draw(t, "name"))
		case 2:
			p = p.Index(rapid.IntRange(0, 1000).Draw(t, "index"))
		case 3:
			p = p.Select(rapid.MapOfN(rapid.Map(name, toValid), value, 0, 3).Draw(t, "keys"))
		}
	}
	return p
}

func toValid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

func TestPathRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := aPath(t)
		var again Path
		if err := again.UnmarshalText([]byte(p.String())); err != nil {
			t.Fatal(err)
		}
		if again != p {
			t.Fatalf("%q is read as %q", p, again)
		}
		data, err := json.Marshal(map[string]Path{"path": p})
		if err != nil {
			t.Fatal(err)
		}
		var decoded map[string]Path
		if err := json.Unmarshal(data, &decoded); err != nil || decoded["path"] != p {
			t.Fatalf("%q in JSON is %s, read as %q, %v", p, data, decoded["path"], err)
		}
		if p.IsZero() {
			return
		}
		checkSteps(t, p)
	})
}

func checkSteps(t *rapid.T, p Path) {
	steps := p.Steps()
	parent := p.Parent()
	if got := parent.Append(steps[len(steps)-1]); got != p {
		t.Fatalf("the parent of %q is %q, and with the last step %q", p, parent, got)
	}
	if !parent.Contains(p) || p.Contains(parent) {
		t.Fatalf("%q and its parent %q: who contains whom?", p, parent)
	}
	if !NewPathSet(parent).Covers(p) || NewPathSet(p).Covers(parent) {
		t.Fatalf("%q and its parent %q: who covers whom?", p, parent)
	}
}

// TestPathTextIsClean: a path that is shown moves no cursor and turns no text
// around.
func TestPathTextIsClean(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for _, c := range aPath(t).String() {
			if !unicode.IsGraphic(c) {
				t.Fatalf("a path holds the character %q", c)
			}
		}
	})
}

// TestPathsDiffer: unequal steps make unequal paths.
func TestPathsDiffer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := aPath(t), aPath(t)
		sameText := func(a, b Step) bool { return a.String() == b.String() }
		if a != b && !a.IsZero() && !b.IsZero() && slices.EqualFunc(a.Steps(), b.Steps(), sameText) {
			t.Fatalf("%q and %q have the same steps", a, b)
		}
	})
}

func FuzzParsePath(f *testing.F) {
	for _, seed := range []string{"spec.ports[0]", `.spec.ports[port=80,protocol="TCP"]`, "data[tls.crt]", `metadata.annotations["a.b/c"]`, `a["b"="c"]`, "a[]", `x[n=1e400]`, `a[b="\ud800"]`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePath(text)
		if err != nil {
			return
		}
		again, err := ParsePath(p.String())
		if err != nil || again != p {
			t.Fatalf("%q is read as %q, and that as %q, %v", text, p, again, err)
		}
		if steps := p.Steps(); p.Parent().Append(steps[len(steps)-1]) != p {
			t.Fatalf("%q has the parent %q", p, p.Parent())
		}
	})
}
