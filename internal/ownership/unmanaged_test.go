package ownership

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"kplan.dev/kplan/addrs"
)

// An element of a list that others added is one thing, not all that is in it; what
// they added to an element of kplan's, or to a map, is named by itself.
func TestUnmanaged(t *testing.T) {
	record := Of(decode(t, `{metadata: {managedFields: [
		{manager: kplan, operation: Apply, fieldsV1: {"f:data": {"f:ours": {}}, "f:metadata": {"f:finalizers": {"v:\"a/ours\"": {}}},
			"f:containers": {"k:{\"name\":\"app\"}": {".": {}, "f:name": {}, "f:image": {}}}}},
		{manager: kubectl-patch, operation: Update, fieldsV1: {"f:data": {"f:ours": {}, "f:theirs": {}},
			"f:metadata": {"f:finalizers": {"v:\"a/theirs\"": {}}},
			"f:containers": {"k:{\"name\":\"app\"}": {"f:tty": {}}, "k:{\"name\":\"more\"}": {".": {}, "f:name": {}, "f:image": {}}}}},
		{manager: kubelet, operation: Update, subresource: status, fieldsV1: {"f:status": {"f:phase": {}}}},
		{manager: before-first-apply, operation: Update, fieldsV1: {"f:data": {"f:once": {}}}},
		{manager: kube-controller-manager, operation: Update, fieldsV1: {"f:metadata": {"f:annotations": {"f:revision": {}}}}}]}}`))
	paths := func(all bool) (texts []string) {
		for _, f := range record.Unmanaged(all) {
			texts = append(texts, f.Path.String()+" "+f.Manager)
		}
		return texts
	}
	want := []string{`containers[name="app"].tty kubectl-patch`, `containers[name="more"] kubectl-patch`, "data.theirs kubectl-patch",
		"metadata.finalizers kubectl-patch"}
	if diff := cmp.Diff(want, paths(false)); diff != "" {
		t.Error(diff)
	}
	if all := paths(true); len(all) != 5 || all[3] != "metadata.annotations.revision kube-controller-manager" {
		t.Errorf("with the control plane: %q", all)
	}
}

// TestBeside: who else owns a field that is not desired does not matter.
func TestBeside(t *testing.T) {
	record := Of(decode(t, `{metadata: {managedFields: [
		{manager: kplan, operation: Apply, fieldsV1: {"f:data": {"f:kept": {}, "f:shared": {}, "f:dropped": {}}}},
		{manager: other, operation: Apply, fieldsV1: {"f:data": {"f:kept": {}, "f:shared": {}, "f:theirs": {}}}},
		{manager: before-first-apply, operation: Update, fieldsV1: {"f:data": {"f:once": {}}}}]}}`))
	var got []string
	for _, f := range record.Beside(NewSet(addrs.NewPath("data", "kept"))) {
		got = append(got, f.Path.String()+" "+f.Manager)
	}
	if diff := cmp.Diff([]string{"data.once before-first-apply", "data.shared other", "data.theirs other"}, got); diff != "" {
		t.Error(diff)
	}
}
