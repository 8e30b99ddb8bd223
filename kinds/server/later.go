package server

import (
	"slices"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
)

// laterFields are fields outside of the status that controllers fill in some time
// after an object was made.
var laterFields = map[addrs.GroupKind][]addrs.Path{
	kinds.Pod:                   {addrs.NewPath("spec", "nodeName")},
	kinds.PersistentVolumeClaim: {addrs.NewPath("spec", "volumeName")},
	{Kind: "PersistentVolume"}:  {addrs.NewPath("spec", "claimRef")},
	{Kind: "ServiceAccount"}:    {addrs.NewPath("secrets")},
	{Kind: "Node"}: {
		addrs.NewPath("spec", "podCIDR"), addrs.NewPath("spec", "podCIDRs"), addrs.NewPath("spec", "providerID"),
	},
	{Group: "apps", Kind: "Deployment"}: {addrs.NewPath("metadata", "annotations", "deployment.kubernetes.io/revision")},
}

// tokenFields are filled in by the token controller in a Secret that is to hold a
// service account's token.
var tokenFields = []addrs.Path{
	addrs.NewPath("data", "token"), addrs.NewPath("data", "ca.crt"), addrs.NewPath("data", "namespace"),
}

// AppearsLater reports whether a field is one that the cluster fills in some time
// after the object obj was made: everything in its status, and some others. That it
// is absent means nothing then, but that it is not there yet.
func AppearsLater(k *kinds.Kind, obj map[string]any, field addrs.Path) bool {
	if field.Steps()[0].Field == "status" {
		return true
	}
	fields := laterFields[k.GroupKind()]
	if k.GroupKind() == kinds.Secret && obj["type"] == "kubernetes.io/service-account-token" {
		fields = tokenFields
	}
	return slices.ContainsFunc(fields, func(f addrs.Path) bool { return f.Contains(field) })
}

// progressFields are parts of a status that change while the object gets ready.
var progressFields = []string{
	"phase", "state", "conditions", "observedGeneration", "containerStatuses", "initContainerStatuses", "health", "ready",
}

// ChangesUntilReady reports whether a field goes on changing after it has appeared:
// counts, phases and conditions, and what holds them. An address or a name appears
// once and stays.
func ChangesUntilReady(k *kinds.Kind, field addrs.Path) bool {
	steps := field.Steps()
	if steps[0].Field != "status" {
		return false
	}
	for _, step := range steps {
		if slices.Contains(progressFields, step.Field) {
			return true
		}
	}
	switch f := k.At(field); {
	case len(steps) == 1 || f == nil:
		return len(steps) == 1
	case f.Type == kinds.Integer, f.Type == kinds.Number, f.Type == kinds.Boolean:
		return true
	}
	return false
}
