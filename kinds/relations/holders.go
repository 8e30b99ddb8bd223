package relations

import (
	"slices"
	"strconv"
	"strings"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/internal/manifest"
)

// The cluster keeps some objects for as long as others use them: a deletion puts only a
// mark on them, and a finalizer goes when the last user has gone.

// holders are the kinds of what uses an object of a kind that the cluster keeps so.
var holders = map[addrs.GroupKind][]addrs.GroupKind{
	kinds.PersistentVolume:      {kinds.PersistentVolumeClaim, attachment},
	kinds.PersistentVolumeClaim: {kinds.Pod},
	resourceClaim:               {kinds.Pod},
	volumeClass:                 {kinds.PersistentVolumeClaim, kinds.PersistentVolume},
}

// HoldersOf are the kinds of objects that keep one of this kind in the cluster while they
// use it, none for most kinds.
func HoldersOf(kind addrs.GroupKind) []addrs.GroupKind { return holders[kind] }

// attacherFinalizer begins the finalizer that a driver's attacher puts on a volume while it
// is attached to a node.
const attacherFinalizer = "external-attacher/"

// Holds reports whether an object of the kind uses the other in a way that keeps it: a pod
// only once it has a node, an attachment once the driver has marked the volume, a volume its
// class and a claim its volume from the start.
func Holds(kind *kinds.Kind, object map[string]any, held addrs.Object, live map[string]any) bool {
	switch {
	case !Uses(kind, object, held):
		return false
	case kind.GroupKind() == kinds.Pod:
		return manifest.Text(manifest.Object(object, "spec"), "nodeName") != ""
	case kind.GroupKind() == attachment:
		return slices.ContainsFunc(manifest.List(manifest.Object(live, "metadata"), "finalizers"), func(v any) bool {
			finalizer, _ := v.(string)
			return strings.HasPrefix(finalizer, attacherFinalizer)
		})
	}
	return true
}

// Uses reports whether an object of the kind keeps the other, or will: a pod that has no
// node yet gets one.
func Uses(kind *kinds.Kind, object map[string]any, held addrs.Object) bool {
	if !slices.Contains(holders[held.GroupKind()], kind.GroupKind()) {
		return false
	}
	return slices.ContainsFunc(References(kind, object), func(ref Reference) bool {
		return slices.Contains(ref.Names(), held.Identity())
	})
}

// ClaimTemplate reports whether a claim of that name is one that a StatefulSet makes for
// one of its pods, from a template that it has.
func ClaimTemplate(statefulSet map[string]any, claim string) bool {
	_, ok := claimOrdinal(statefulSet, claim)
	return ok
}

// claimOrdinal is the number of the pod for which a StatefulSet makes a claim of that name.
func claimOrdinal(statefulSet map[string]any, claim string) (ordinal int64, ok bool) {
	name := manifest.Text(manifest.Object(statefulSet, "metadata"), "name")
	for _, v := range manifest.List(manifest.Object(statefulSet, "spec"), "volumeClaimTemplates") {
		template, _ := v.(map[string]any)
		prefix := manifest.Text(manifest.Object(template, "metadata"), "name") + "-" + name + "-"
		if text, ok := strings.CutPrefix(claim, prefix); ok {
			if n, err := strconv.ParseUint(text, 10, 31); err == nil {
				return int64(n), true
			}
		}
	}
	return 0, false
}
