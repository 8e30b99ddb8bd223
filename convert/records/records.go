// Package records reads what other deployment tools have recorded of the objects that they manage: Helm and kapp
// in the cluster, Terraform in its state. It reads names and not fields, which are in the cluster, and changes nothing.
package records

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/convert/live"
)

// NotFoundError is the error of what no record was found of.
type NotFoundError struct {
	What      string // "Helm release", "kapp app"
	Name      string
	Namespace string
}

func (e *NotFoundError) Error() string {
	return fmt.Sprintf("there is no %s %s in the namespace %s", e.What, e.Name, e.Namespace)
}

// InvalidError is the error of a record that is not in the format of its tool.
type InvalidError struct {
	Record string // what it is and where
	Err    error
}

func (e *InvalidError) Error() string { return fmt.Sprintf("%s: %v", e.Record, e.Err) }

func (e *InvalidError) Unwrap() error { return e.Err }

// referenceTo is the name of an object, in a namespace where it has none of its own.
func referenceTo(o *unstructured.Unstructured, namespace string) live.Reference {
	if own := o.GetNamespace(); own != "" {
		namespace = own
	}
	return live.Reference{APIVersion: o.GetAPIVersion(), Kind: o.GetKind(), Namespace: namespace, Name: o.GetName()}
}
