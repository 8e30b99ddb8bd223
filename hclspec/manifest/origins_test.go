package manifest

import (
	"slices"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/funcs"
)

func configMap(name string) addrs.Instance {
	return addrs.Resource{Type: "ConfigMap", Name: name}.Instance(addrs.Key{})
}

// TestOrigins: what a value came from stays with what is made of it, and of several
// skipped instances the first in order is reported, whatever came first.
func TestOrigins(t *testing.T) {
	a, b, c := configMap("a"), configMap("b"), configMap("c")
	var o Origins
	o.Need(b)
	o.Need(a)
	o.skip(c)
	o.skip(b)
	value := cty.ListVal([]cty.Value{o.Mark(cty.StringVal("x")), cty.StringVal("y")})
	_, marks := value.UnmarkDeep()

	var again Origins
	if again.Take(marks) {
		t.Error("it is not a secret")
	}
	if got := again.Sorted(addrs.Instance{}); !slices.Equal(got, []addrs.Instance{a, b}) {
		t.Errorf("it came from %v", got)
	}
	if got := again.Sorted(a); !slices.Equal(got, []addrs.Instance{b}) {
		t.Errorf("without a it came from %v", got)
	}
	if again.Skipped == nil || *again.Skipped != b {
		t.Errorf("it was skipped by %v", again.Skipped)
	}

	var sum Origins
	sum.Need(c)
	sum.Add(again)
	if got := sum.Sorted(addrs.Instance{}); !slices.Equal(got, []addrs.Instance{a, b, c}) || *sum.Skipped != b {
		t.Errorf("the sum came from %v, skipped by %v", got, sum.Skipped)
	}
	if !sum.Take(cty.NewValueMarks(funcs.Sensitive)) {
		t.Error("a secret is not noticed")
	}
}

// TestUnmarkUnknown: the marks inside of what is not known are taken, those inside of
// what is known stay where they are.
func TestUnmarkUnknown(t *testing.T) {
	marked := cty.StringVal("x").Mark(funcs.Sensitive)
	known := cty.ObjectVal(map[string]cty.Value{"a": marked})
	if v, marks := UnmarkUnknown(known); len(marks) != 0 || !v.RawEquals(known) {
		t.Errorf("a known value: %#v %v", v, marks)
	}
	unknown := cty.UnknownVal(cty.String).Mark(funcs.Sensitive)
	if v, marks := UnmarkUnknown(unknown); len(marks) != 1 || v.IsMarked() {
		t.Errorf("an unknown value: %#v %v", v, marks)
	}
}
