package rebuild

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/state"
)

func entry(t *testing.T, addr, name, uid string) state.Object {
	t.Helper()
	return state.Object{Addr: address(t, addr), Object: configMaps.Object("n", name), UID: uid}
}

// TestAddFound: what the state lacks is entered, what it has stays, what has no address
// is left out, and of two objects with one address the younger has it.
func TestAddFound(t *testing.T) {
	known := entry(t, "ConfigMap.known", "known", "1")
	known.Protected = true
	st := &state.State{Objects: []state.Object{known}}
	found := func(addr, name, uid string) Scanned {
		f := Scanned{Object: configMaps.Object("n", name), UID: uid}
		if addr != "" {
			f.Addr = address(t, addr)
		}
		return f
	}
	b := &rebuilding{state: st, objects: st.Table(), found: []Scanned{ // the oldest first
		found("ConfigMap.known", "known", "1"), found("ConfigMap.a", "older", "2"),
		found("ConfigMap.a", "younger", "3"), found("", "nameless", "4"),
	}}
	b.addFound()
	got := map[string]state.Object{}
	for _, o := range b.objects.List() {
		got[o.Object.Name] = o
	}
	older := entry(t, "ConfigMap.a", "older", "2")
	older.Deposed = true
	want := map[string]state.Object{"known": known, "older": older, "younger": entry(t, "ConfigMap.a", "younger", "3")}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(addrs.Key{}, addrs.Path{})); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// TestCompare: the report names what was added, changed and dropped, and no more.
func TestCompare(t *testing.T) {
	same, was, is := entry(t, "ConfigMap.same", "same", "1"), entry(t, "ConfigMap.c", "c", "2"), entry(t, "ConfigMap.c", "c", "3")
	gone, added := entry(t, "ConfigMap.gone", "gone", "4"), entry(t, "ConfigMap.added", "added", "5")
	r := &Result{State: &state.State{Objects: []state.Object{same, is, added}}}
	r.compare(&state.State{Objects: []state.Object{same, was, gone}})
	names := func(objects []state.Object) (all []string) {
		for _, o := range objects {
			all = append(all, o.Object.Name)
		}
		return all
	}
	want := [][]string{{"added"}, {"c"}, {"gone"}}
	if diff := cmp.Diff(want, [][]string{names(r.Added), names(r.Changed), names(r.Gone)}); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}
