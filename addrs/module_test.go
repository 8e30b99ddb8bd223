package addrs

import "testing"

func TestParseSelection(t *testing.T) {
	for text, isModule := range map[string]bool{
		"Pod.web": false, `module.a.Pod.web["x"]`: false, "module.a": true, `module.a["x.y"]`: true, "module.a[0].module.b": true,
	} {
		got, err := ParseSelection(text)
		if err != nil || got.String() != text || got.IsModule() != isModule {
			t.Errorf("%s is read as %s, a module: %t, %v", text, got, got.IsModule(), err)
		}
		var again Instance
		if err := again.UnmarshalText([]byte(text)); err != nil || again != got {
			t.Errorf("%s is unmarshalled as %s, %v", text, again, err)
		}
	}
	for _, text := range []string{"module", "module.", "module.a.", "module.a.b", "module[0]", "module.a[x", "module.a.Pod", "a.module.b"} {
		if got, err := ParseSelection(text); err == nil {
			t.Errorf("%q is read as %s", text, got)
		}
	}
}

func TestMeans(t *testing.T) {
	for _, test := range []struct {
		given, addr string
		want        bool
	}{
		{"Pod.a", "Pod.a", true},
		{"Pod.a", "Pod.a[1]", true},
		{"Pod.a[1]", "Pod.a[1]", true},
		{"Pod.a[1]", "Pod.a", false},
		{"Pod.a", "module.m.Pod.a", false},
		{"module.m", "module.m.Pod.a[1]", true},
		{"module.m", `module.m["x"].Pod.a`, true},
		{"module.m", "module.m.module.n.Pod.a", true},
		{"module.m", "module.mm.Pod.a", false},
		{`module.m["x"]`, `module.m["x"].Pod.a`, true},
		{`module.m["x"]`, `module.m["y"].Pod.a`, false},
		{`module.m["x"]`, `module.m.Pod.a`, false},
		{"module.n", "module.m.module.n.Pod.a", false},
	} {
		given, err := ParseSelection(test.given)
		addr, err2 := ParseSelection(test.addr)
		if err != nil || err2 != nil || given.Means(addr) != test.want {
			t.Errorf("%s means %s: %t", test.given, test.addr, !test.want)
		}
	}
}

func TestCutDeclared(t *testing.T) {
	for _, test := range []struct {
		path, declared, instance, rest string
		ok                             bool
	}{
		{"", "", "", "", true},
		{"module.a", "", "", "module.a", true},
		{"module.a", "module.a", "module.a", "", true},
		{`module.a["x"].module.b[0]`, "module.a", `module.a["x"]`, "module.b[0]", true},
		{`module.a["x.module.b"].module.b[0]`, "module.a.module.b", `module.a["x.module.b"].module.b[0]`, "", true},
		{"module.ab", "module.a", "", "", false},
		{"", "module.a", "", "", false},
	} {
		instance, rest, ok := CutDeclared(test.path, test.declared)
		if instance != test.instance || rest != test.rest || ok != test.ok {
			t.Errorf("%s without %s: %q, %q, %t", test.path, test.declared, instance, rest, ok)
		}
	}
}
