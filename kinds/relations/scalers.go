package relations

import (
	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds/internal/manifest"
)

// Replicas is the field that autoscalers set.
var Replicas = addrs.NewPath("spec", "replicas")

// Scaler is an autoscaler and what it scales.
type Scaler struct {
	Object addrs.Object
	Target addrs.Object // without a version
}

// Scales reports whether the object is what the autoscaler sets the replicas of.
func (s Scaler) Scales(o addrs.Object) bool { return s.Target == o.Identity() }

// String names the autoscaler.
func (s Scaler) String() string { return s.Object.Kind + " " + s.Object.QualifiedName() }

// ScalerOf is the autoscaler that an object is, if it is one. All of them have the same
// field, those of KEDA too, which leave out that they scale a Deployment.
func ScalerOf(o addrs.Object, object map[string]any) (Scaler, bool) {
	ref := manifest.Object(manifest.Object(object, "spec"), "scaleTargetRef")
	target := addrs.Object{Kind: "Deployment", Group: "apps", Namespace: o.Namespace, Name: manifest.Text(ref, "name")}
	if target.Name == "" {
		return Scaler{}, false
	}
	if kind := manifest.Text(ref, "kind"); kind != "" {
		target.Kind = kind
	}
	if apiVersion := manifest.Text(ref, "apiVersion"); apiVersion != "" {
		group, _, err := addrs.SplitAPIVersion(apiVersion)
		if err != nil {
			return Scaler{}, false
		}
		target.Group = group
	}
	return Scaler{o, target}, true
}
