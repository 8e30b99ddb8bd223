package addrs

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"pgregory.net/rapid"
)

func TestParseInstance(t *testing.T) {
	web := Resource{Type: "Pod", Name: "web"}
	for text, want := range map[string]Instance{
		"Pod.web":                             {Resource: web},
		"Pod.web[0]":                          {web, IntKey(0)},
		"Pod.web[12]":                         {web, IntKey(12)},
		`Pod.web["a"]`:                        {web, StringKey("a")},
		`Pod.web["0"]`:                        {web, StringKey("0")},
		`Pod.web[""]`:                         {web, StringKey("")},
		`Pod.web["a.b/c]"]`:                   {web, StringKey("a.b/c]")},
		`Pod.web["a\"b"]`:                     {web, StringKey(`a"b`)},
		"Pod.web[a]":                          {web, StringKey("a")}, // a shell took the quotes
		"Pod.web[01]":                         {web, StringKey("01")},
		"Pod.web[-1]":                         {web, StringKey("-1")},
		"Pod._web-1":                          {Resource: Resource{Type: "Pod", Name: "_web-1"}},
		"Pod.größe":                           {Resource: Resource{Type: "Pod", Name: "größe"}},
		"module.shop.Pod.web":                 {Resource: Resource{"module.shop", "Pod", "web"}},
		"module.shop[0].Pod.web[1]":           {Resource{"module.shop[0]", "Pod", "web"}, IntKey(1)},
		`module.shop["a.b"].module.x.Pod.web`: {Resource: Resource{`module.shop["a.b"].module.x`, "Pod", "web"}},
		"module.shop[a].Pod.web":              {Resource: Resource{`module.shop["a"]`, "Pod", "web"}},
		"module.module.Pod.web":               {Resource: Resource{"module.module", "Pod", "web"}},
		"module.Pod.Pod.Pod":                  {Resource: Resource{"module.Pod", "Pod", "Pod"}},
	} {
		got, err := ParseInstance(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got != want {
			t.Errorf("%s is read as %#v, want %#v", text, got, want)
		} else if again, err := ParseInstance(got.String()); err != nil || again != got {
			t.Errorf("%s is written as %s and read as %s, %v", text, got, again, err)
		}
	}
}

func TestParseInstanceRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                       "it is empty",
		"Pod":                    "a kind and a name",
		"web":                    "a kind and a name",
		"pod.web":                "begins with a capital",
		"_Pod.web":               "begins with a capital",
		"Ärger.web":              "begins with a capital",
		"data.Secret.tls":        "begins with a capital",
		"Pod.web.x":              "something follows",
		"Pod.web[0].x":           "something follows",
		"Pod.web[0][1]":          "something follows",
		`Pod.web[a="b"]`:         "a key is",
		"Pod.web[]":              "a key is",
		`Pod["web"]`:             "a kind and a name",
		"Pod[0].web":             "a kind and a name",
		"Pod.":                   "beside a dot",
		"Pod.1web":               "a kind and a name",
		"Pod.-web":               "a kind and a name",
		"Pod.a b":                "a kind and a name",
		" Pod.web":               "a kind and a name",
		"Pod.web ":               "a kind and a name",
		"Pod.we\u202eb":          "a kind and a name",
		"Pod.we\x1bb":            "a kind and a name",
		"Pod.we\xffb":            "a kind and a name",
		"Pod.web[0":              "not closed",
		"module":                 "a kind and a name",
		"module.shop":            "a kind and a name",
		"module.shop[a=1].Pod.x": "a kind and a name",
		"module.Pod.web":         "a kind and a name",
		"module.1.Pod.web":       "a kind and a name",
	} {
		got, err := ParseInstance(text)
		if err == nil {
			t.Errorf("%q was read as %s", text, got)
		} else if !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "looks like Pod.web") {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// TestNamesAreIdentifiers: every name that HCL lets a user give has an address.
func TestNamesAreIdentifiers(t *testing.T) {
	for c := rune(0); c <= unicode.MaxRune; c++ {
		for _, name := range []string{string(c), "a" + string(c)} {
			if _, err := ParseInstance("Pod." + name); err != nil && hclsyntax.ValidIdentifier(name) {
				t.Fatalf("%U makes the identifier %q, which is refused: %v", c, name, err)
			}
		}
	}
}

func TestKey(t *testing.T) {
	for _, test := range []struct {
		key     Key
		text    string
		name    string
		index   int
		isName  bool
		isIndex bool
	}{
		{key: Key{}},
		{key: IntKey(0), text: "[0]", isIndex: true},
		{key: IntKey(7), text: "[7]", index: 7, isIndex: true},
		{key: StringKey(""), text: `[""]`, isName: true},
		{key: StringKey("a<b"), text: `["a<b"]`, name: "a<b", isName: true},
		{key: StringKey("\x1b[2J"), text: `["\u001b[2J"]`, name: "\x1b[2J", isName: true},
	} {
		name, isName := test.key.Name()
		index, isIndex := test.key.Index()
		if name != test.name || isName != test.isName || index != test.index || isIndex != test.isIndex ||
			test.key.String() != test.text || test.key.IsZero() != (test.text == "") {
			t.Errorf("the key %#v is %s, %q %v, %d %v", test.key, test.key, name, isName, index, isIndex)
		}
	}
}

func TestInstancesAreSorted(t *testing.T) {
	want := []string{
		"Namespace.a",
		"Pod.a",
		"Pod.web",
		"Pod.web[2]",
		"Pod.web[10]",
		`Pod.web["1"]`,
		`Pod.web["a"]`,
		"module.a.Namespace.a",
	}
	var instances []Instance
	for _, text := range want {
		i, err := ParseInstance(text)
		if err != nil {
			t.Fatal(err)
		}
		instances = append(instances, i)
	}
	slices.Reverse(instances)
	slices.SortFunc(instances, Instance.Compare)
	for n, i := range instances {
		if i.String() != want[n] {
			t.Errorf("at %d is %s, want %s", n, i, want[n])
		}
	}
}

func anInstance(t *rapid.T) Instance {
	name := rapid.StringMatching(`[a-zA-Z_ü][a-zA-Z0-9_-]{0,5}`)
	key := rapid.OneOf(
		rapid.Just(Key{}),
		rapid.Map(rapid.IntRange(0, 1<<31), IntKey),
		rapid.Map(rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "0", `"`, "]", "[", ".", "=", `\`, "\x00", "\u202e"})),
			func(s string) Key { return StringKey(toValid(s)) }),
	)
	var module []string
	for range rapid.IntRange(0, 2).Draw(t, "modules") {
		module = append(module, "module."+name.Draw(t, "module")+key.Draw(t, "module key").String())
	}
	return Instance{
		Resource: Resource{strings.Join(module, "."), rapid.StringMatching(`[A-Z][a-zA-Z0-9]{0,5}`).Draw(t, "type"), name.Draw(t, "name")},
		Key:      key.Draw(t, "key"),
	}
}

func TestInstanceRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		i := anInstance(t)
		if again, err := ParseInstance(i.String()); err != nil || again != i {
			t.Fatalf("%s is read as %s, %v", i, again, err)
		}
		data, err := json.Marshal([]Instance{i})
		if err != nil {
			t.Fatal(err)
		}
		var decoded []Instance
		if err := json.Unmarshal(data, &decoded); err != nil || decoded[0] != i {
			t.Fatalf("%s in JSON is %s, read as %v, %v", i, data, decoded, err)
		}
	})
}

// TestInstanceCompare: an order, in which only equals are equal.
func TestInstanceCompare(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := anInstance(t), anInstance(t), anInstance(t)
		if (a.Compare(b) == 0) != (a == b) || a.Compare(b) != -b.Compare(a) {
			t.Fatalf("%s and %s: %d and %d", a, b, a.Compare(b), b.Compare(a))
		}
		if a.Compare(b) < 0 && b.Compare(c) < 0 && a.Compare(c) >= 0 {
			t.Fatalf("%s < %s < %s, but not the first < the last", a, b, c)
		}
	})
}

func FuzzParseInstance(f *testing.F) {
	for _, seed := range []string{"Pod.web", "Pod.web[0]", `Pod.web["a"]`, `module.a["x.y"].module.b.Pod.web[a]`, "Pod.größe", `Pod.web["\ud800"]`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		i, err := ParseInstance(text)
		if err != nil {
			return
		}
		if again, err := ParseInstance(i.String()); err != nil || again != i {
			t.Fatalf("%q is read as %q, and that as %q, %v", text, i, again, err)
		}
	})
}

func BenchmarkParseInstance(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseInstance(`module.shop["a"].ReplicationController.app["web"]`); err != nil {
			b.Fatal(err)
		}
	}
}
