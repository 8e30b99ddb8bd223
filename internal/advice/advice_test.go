package advice_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/internal/advice"
)

// What else is attached to a diagnostic can still be found.
func TestAdd(t *testing.T) {
	d := &hcl.Diagnostic{Extra: 7}
	advice.Add(d, advice.Adopt, "Pod.a", "Pod.b")
	advice.Add(d, advice.ChooseContext)
	want := []advice.Advice{{Option: advice.Adopt, Value: "Pod.a"}, {Option: advice.Adopt, Value: "Pod.b"}, {Option: advice.ChooseContext}}
	if diff := cmp.Diff(want, advice.Of(d)); diff != "" {
		t.Error(diff)
	}
	if n, ok := hcl.DiagnosticExtra[int](d); !ok || n != 7 {
		t.Errorf("found %v, %v", n, ok)
	}
	if found := advice.Of(&hcl.Diagnostic{}); found != nil {
		t.Errorf("advice out of nothing: %v", found)
	}
}
