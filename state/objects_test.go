package state

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kplan.dev/kplan/addrs"
)

func entry(t testing.TB, address, of string) Object {
	return Object{Addr: addr(t, address), Object: object(t, of), UID: "uid of " + of}
}

// list is the entries in their order, as text.
func list(s *State) string {
	var lines []string
	for _, o := range s.Objects {
		line := o.Addr.String() + " = " + o.Object.String()
		if o.Deposed {
			line += " deposed"
		}
		for _, need := range o.Dependencies {
			line += " needs " + need.String()
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func wantList(t *testing.T, s *State, lines ...string) {
	t.Helper()
	if diff := cmp.Diff(strings.Join(lines, "\n"), list(s)); diff != "" {
		t.Errorf("the entries differ (-want +got):\n%s", diff)
	}
	if err := s.check(); err != nil {
		t.Errorf("the state can't be stored: %v", err)
	}
}

func TestPut(t *testing.T) {
	s := New()
	s.Put(entry(t, "Pod.web[10]", "v1 Pod acme/j"))
	s.Put(entry(t, "Pod.web[9]", "v1 Pod acme/i"))
	s.Put(entry(t, "Namespace.tenant", "v1 Namespace acme"))
	s.Put(entry(t, `module.a.Pod.web["x"]`, "v1 Pod acme/x"))
	wantList(t, s,
		"Namespace.tenant = v1 Namespace acme",
		"Pod.web[9] = v1 Pod acme/i",
		"Pod.web[10] = v1 Pod acme/j",
		`module.a.Pod.web["x"] = v1 Pod acme/x`)

	s.Put(entry(t, "Pod.web[9]", "v2 Pod acme/i")) // the same object, by another version
	s.Put(entry(t, "Pod.web[10]", "v1 Pod acme/k"))
	wantList(t, s,
		"Namespace.tenant = v1 Namespace acme",
		"Pod.web[9] = v2 Pod acme/i",
		"Pod.web[10] = v1 Pod acme/k",
		"Pod.web[10] = v1 Pod acme/j deposed",
		`module.a.Pod.web["x"] = v1 Pod acme/x`)

	if o, found := s.Find(addr(t, "Pod.web[10]")); !found || o.Object.Name != "k" {
		t.Errorf("Find gives %v, %v", o, found)
	}
	if o, found := s.Table().FindObject(object(t, "v7 Pod acme/j")); !found || !o.Deposed {
		t.Errorf("FindObject gives %v, %v", o, found)
	}
	if _, found := s.Table().FindObject(object(t, "v1 Pod other/j")); found {
		t.Errorf("FindObject finds another namespace's object")
	}
	if n := len(s.ByIdentity()); n != 5 {
		t.Errorf("ByIdentity has %d entries", n)
	}

	if !s.Remove(object(t, "v1 Pod acme/k")) || s.Remove(object(t, "v1 Pod acme/k")) {
		t.Errorf("Remove does not report whether it did")
	}
	if o, found := s.Find(addr(t, "Pod.web[10]")); found {
		t.Errorf("an address finds what is deposed: %v", o)
	}
}

func TestMove(t *testing.T) {
	s := New()
	s.Put(entry(t, "Namespace.a", "v1 Namespace a"))
	shared := []addrs.Instance{addr(t, "Namespace.a")}
	pod := entry(t, "Pod.web", "v1 Pod a/web")
	pod.Dependencies = shared
	s.Put(pod)
	if s.Move(addr(t, "Namespace.b"), addr(t, "Namespace.c")) {
		t.Error("what is unknown was moved")
	}
	if s.Move(addr(t, "Namespace.a"), addr(t, "Pod.web")) {
		t.Error("something was moved to where something is")
	}
	if !s.Move(addr(t, "Namespace.a"), addr(t, "Namespace.z")) {
		t.Error("nothing was moved")
	}
	wantList(t, s,
		"Namespace.z = v1 Namespace a",
		"Pod.web = v1 Pod a/web needs Namespace.z")
	if shared[0] != addr(t, "Namespace.a") {
		t.Error("the needs of whoever put the object were changed")
	}
}

func TestMoveAllSwaps(t *testing.T) {
	s := New()
	a, b := entry(t, "Pod.a", "v1 Pod x/a"), entry(t, "Pod.b", "v1 Pod x/b")
	a.Dependencies = []addrs.Instance{b.Addr}
	s.Put(a)
	s.Put(b)
	s.MoveAll(map[addrs.Instance]addrs.Instance{a.Addr: b.Addr, b.Addr: a.Addr})
	wantList(t, s,
		"Pod.a = v1 Pod x/b",
		"Pod.b = v1 Pod x/a needs Pod.a")
	s.MoveAll(map[addrs.Instance]addrs.Instance{a.Addr: b.Addr})
	wantList(t, s,
		"Pod.b = v1 Pod x/b",
		"Pod.b = v1 Pod x/a deposed needs Pod.b")
}

// TestObjectsStaySorted holds the operations to a plain model.
func TestObjectsStaySorted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := New()
		model := map[addrs.Object]bool{}
		resource := addrs.Resource{Type: "Pod", Name: "web"}
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			a := resource.Instance(addrs.IntKey(rapid.IntRange(0, 5).Draw(t, "address")))
			o := addrs.Object{Version: "v1", Kind: "Pod", Namespace: "n", Name: string(rune('a' + rapid.IntRange(0, 5).Draw(t, "object")))}
			switch rapid.SampledFrom([]string{"put", "put", "remove", "move"}).Draw(t, "step") {
			case "put":
				s.Put(Object{Addr: a, Object: o, UID: "uid-" + o.Name})
				model[o.Identity()] = true
				if got, found := s.Find(a); !found || got.Object != o {
					t.Fatalf("%s was put at %s, where %v is found", o, a, got)
				}
			case "remove":
				if s.Remove(o) != model[o.Identity()] {
					t.Fatalf("Remove(%s) is wrong about what is known", o)
				}
				delete(model, o.Identity())
			case "move":
				s.Move(a, resource.Instance(addrs.IntKey(rapid.IntRange(0, 5).Draw(t, "to"))))
			}
			if err := s.check(); err != nil {
				t.Fatalf("%v\n%s", err, list(s))
			}
			if !slices.IsSortedFunc(s.Objects, compareObjects) {
				t.Fatalf("not sorted:\n%s", list(s))
			}
			if len(s.Objects) != len(model) {
				t.Fatalf("%d objects, want %d", len(s.Objects), len(model))
			}
		}
	})
}

func TestCloneSharesNothing(t *testing.T) {
	s := example(t)
	c := s.Clone()
	if diff := cmp.Diff(s, c, comparable); diff != "" {
		t.Fatalf("a clone differs:\n%s", diff)
	}
	c.Key[0]++
	c.Objects[0].UID = "other"
	c.Objects[1].Dependencies[0] = addr(t, "Pod.other")
	c.Pending[0].Dependencies[0] = addr(t, "Pod.other")
	c.Pending[1].UID = "other"
	c.Outputs["ports"].Value.([]any)[0] = "other"
	c.Outputs["ports"].Type.([]any)[1].([]any)[0] = "other"
	delete(c.Outputs, "password")
	if diff := cmp.Diff(example(t), s, comparable); diff != "" {
		t.Errorf("a change of the clone changes the state:\n%s", diff)
	}
}

func TestNew(t *testing.T) {
	a, b := New(), New()
	if a.Lineage == b.Lineage || string(a.Key) == string(b.Key) {
		t.Error("two new states have something in common")
	}
	// What the API server accepts as the value of a label.
	label := regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$`)
	if !label.MatchString(a.StackID()) {
		t.Errorf("the stack's id %q is no label value", a.StackID())
	}
	if _, err := a.Encode(); err != nil {
		t.Error(err)
	}
}

func TestDigest(t *testing.T) {
	s := example(t)
	value := map[string]any{"b": []any{int64(1), 2.5, true, nil}, "a": "<secret>"}
	const want = "7186c1aade25695a91fd39e8df8c9023"
	if got := s.Digest(value); got != want {
		t.Errorf("the digest is %s, was %s: every stored state would show changes", got, want)
	}
	if s.Digest(map[string]any{"a": "<secret>", "b": []any{int64(1), 2.5, true, nil}}) != want {
		t.Error("the order of a map shows")
	}
	if s.Digest(int64(1)) != s.Digest(1.0) {
		t.Error("equal numbers have different digests")
	}
	seen := map[string]any{}
	for _, v := range []any{nil, "", "null", 0, "0", false, []any{}, []any{nil}, map[string]any{}, map[string]any{"a": nil}, []any{"a", "b"},
		[]any{"ab"}} {
		d := s.Digest(v)
		if other, twice := seen[d]; twice {
			t.Errorf("%#v and %#v have the same digest", v, other)
		}
		seen[d] = v
	}
	if New().Digest(value) == want {
		t.Error("two stacks give the same digest")
	}
}

func TestDigestPanics(t *testing.T) {
	for name, digest := range map[string]func(){
		"no key":   func() { (&State{}).Digest("x") },
		"not JSON": func() { New().Digest(func() {}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			digest()
		}()
	}
}

func BenchmarkTable10000(b *testing.B) {
	from := stateOf(b, 10_000)
	for b.Loop() {
		t := New().Table()
		for i := range from.Objects { // an order that is far from sorted
			t.Put(from.Objects[(i*7919)%len(from.Objects)])
		}
		if len(t.List()) != len(from.Objects) {
			b.Fatal("objects are missing")
		}
	}
}
