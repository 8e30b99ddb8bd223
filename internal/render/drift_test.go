package render

import (
	"strings"
	"testing"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/plan"
)

// The keys of a map that is sensitive as a whole are as secret as its values.
func TestDriftBelowSensitiveField(t *testing.T) {
	c := &plan.Change{
		Sensitive: addrs.NewPathSet(addrs.NewPath("data"), addrs.NewPath("spec", "password")),
		Drift: []plan.Drift{
			{Path: addrs.NewPath("data", "hunter2"), Manager: "eve"}, {Path: addrs.NewPath("data", "hunter3"), Manager: "eve"},
			{Path: addrs.NewPath("spec", "password"), Manager: "eve"},
		},
	}
	got := strings.Join(entry{Change: c}.driftNotes(), "\n")
	if want := `changed outside of kplan: data, spec.password by "eve"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
