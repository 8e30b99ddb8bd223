package kube_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/kube"
)

// TestTransferFields takes a field that only the server has filled in. What an apply
// then makes of the object is what was predicted, and neither another version of
// the object nor another object of its name is touched.
func TestTransferFields(t *testing.T) {
	c := connect(t)
	ns := namespace(t, c)
	k := lookup(t, c, "Deployment")
	live := create(t, c, "Deployment", sampleManifests["Deployment"], ns)
	desired := manifest(t, sampleManifests["Deployment"], ns)
	desired["spec"].(map[string]any)["strategy"] = map[string]any{"type": "Recreate"}

	guard := kube.ApplyOptions{UID: string(live.GetUID())}
	_, err := c.Apply(t.Context(), k, desired, guard)
	wantReason(t, err, kube.Invalid)

	field := addrs.NewPath("spec", "strategy", "rollingUpdate")
	transferred, err := ownership.Transfer{APIVersion: k.APIVersion(), Fields: ownership.NewSet(field)}.Of(live)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[kube.Reason]func(*unstructured.Unstructured){
		kube.ResourceVersionChanged: func(u *unstructured.Unstructured) { u.SetResourceVersion("1") },
		kube.ReplacedOutside:        func(u *unstructured.Unstructured) { u.SetUID(types.UID("00000000-0000-0000-0000-000000000000")) },
	} {
		other := transferred.DeepCopy()
		change(other)
		_, err := c.TransferFields(t.Context(), k, other)
		wantReason(t, err, name)
	}

	var predicted, now *unstructured.Unstructured
	eventually(t, func() (err error) { // its controller writes into it as well
		if live, err = c.Get(t.Context(), k, ns, "sample"); err != nil {
			return err
		}
		if transferred, err = (ownership.Transfer{APIVersion: k.APIVersion(), Fields: ownership.NewSet(field)}).Of(live); err != nil {
			return err
		}
		if predicted, err = c.DryRunAfterTransfer(t.Context(), k, transferred, desired); err != nil {
			return err
		}
		now, err = c.TransferFields(t.Context(), k, transferred)
		return err
	})
	if diff := cmp.Diff(live.Object["spec"], now.Object["spec"]); diff != "" {
		t.Error("transferring a field changed a value:", diff)
	}
	after, err := c.Apply(t.Context(), k, desired, guard)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(predicted.Object["spec"], after.Object["spec"]); diff != "" {
		t.Error("-predicted +applied:", diff)
	}
}
