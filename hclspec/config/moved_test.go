package config

import (
	"testing"

	"kplan.dev/kplan/addrs"
)

func TestDestination(t *testing.T) {
	for _, test := range []struct{ from, to, within, addr, want string }{
		{"Pod.a", "Pod.b", "", "Pod.a", "Pod.b"},
		{"Pod.a", "Pod.b", "", "Pod.a[1]", "Pod.b[1]"},
		{"Pod.a", "Pod.b[0]", "", "Pod.a", "Pod.b[0]"},
		{"Pod.a", "Pod.b[0]", "", "Pod.a[1]", ""},
		{"Pod.a", "module.m.Pod.a", "", "Pod.a", "module.m.Pod.a"},
		{`module.m["x"].Pod.a`, "Pod.a", "", `module.m["x"].Pod.a`, "Pod.a"},
		{"module.m", "module.n", "", "module.m.Pod.a", "module.n.Pod.a"},
		{"module.m", "module.n", "", `module.m["x"].Pod.a`, `module.n["x"].Pod.a`},
		{"module.m", "module.n", "", "module.mm.Pod.a", ""},
		{"module.m", `module.m["x"]`, "", "module.m.Pod.a", `module.m["x"].Pod.a`},
		{"module.m", `module.m["x"]`, "", `module.m["x"].Pod.a`, ""},
		{"module.m", "module.o.module.m", "", "module.m.module.n.Pod.a", "module.o.module.m.module.n.Pod.a"},
		{"Pod.a", "Pod.b", "module.m", `module.m["x"].Pod.a`, `module.m["x"].Pod.b`},
		{"Pod.a", "Pod.b", "module.m", "Pod.a", ""},
		{"Pod.a", "module.n.Pod.a", "module.m", `module.m[0].Pod.a`, `module.m[0].module.n.Pod.a`},
	} {
		parse := func(text string) addrs.Instance {
			addr, err := addrs.ParseSelection(text)
			if err != nil {
				t.Fatal(err)
			}
			return addr
		}
		m := &Moved{From: parse(test.from), To: parse(test.to), Within: test.within}
		got, ok := m.Destination(parse(test.addr))
		if ok != (test.want != "") || ok && got.String() != test.want {
			t.Errorf("from %s to %s in %q: %s becomes %s, %t, want %q", test.from, test.to, test.within, test.addr, got, ok, test.want)
		}
	}
}
