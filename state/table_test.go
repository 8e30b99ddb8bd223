package state

import (
	"testing"

	"pgregory.net/rapid"

	"kplan.dev/kplan/addrs"
)

// TestTable holds a table that many steps change to one that is built from scratch, from
// the sorted list, before each step.
func TestTable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, table := New(), New().Table()
		resource := addrs.Resource{Type: "Pod", Name: "web"}
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			o := Object{
				Addr:    resource.Instance(addrs.IntKey(rapid.IntRange(0, 5).Draw(t, "address"))),
				Object:  addrs.Object{Version: "v1", Kind: "Pod", Namespace: "n", Name: string(rune('a' + rapid.IntRange(0, 5).Draw(t, "object")))},
				Deposed: rapid.Bool().Draw(t, "deposed"),
			}
			if rapid.Bool().Draw(t, "remove") {
				if known := s.Remove(o.Object); table.Remove(o.Object) != known {
					t.Fatalf("Remove(%s) is %v, want %v", o.Object, !known, known)
				}
			} else {
				s.Put(o)
				table.Put(o)
			}
			want, known := s.Find(o.Addr)
			if got, found := table.Find(o.Addr); found != known || got.Object != want.Object {
				t.Fatalf("%s is %s, want %s", o.Addr, got.Object, want.Object)
			}
			if got, want := list(&State{Objects: table.List()}), list(s); got != want {
				t.Fatalf("the table holds\n%s\nwant\n%s", got, want)
			}
		}
	})
}
