package faulttest

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"
)

// Cluster is the API server as an administrator sees it, past the proxy.
type Cluster struct{ dynamic.Interface }

// Bystander is the field manager, and the user agent in the audit log, of what tests do
// besides kplan.
const Bystander = "bystander"

// Connect connects with the rights of a kubeconfig.
func Connect(kubeconfig string) (Cluster, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return Cluster{}, err
	}
	config.QPS, config.UserAgent = -1, Bystander
	client, err := dynamic.NewForConfig(config)
	return Cluster{client}, err
}

var (
	namespaces = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
	// resources are those of the kinds that a Stack is made of.
	resources = []string{"configmaps", "pods", "secrets", "serviceaccounts", "services"}
)

// In is the objects of one of these resources in a namespace.
func (c Cluster) In(namespace, resource string) dynamic.ResourceInterface {
	return c.Resource(schema.GroupVersionResource{Version: "v1", Resource: resource}).Namespace(namespace)
}

// MakeNamespace creates a namespace and, in it, an object of every kind that kplan does
// not manage.
func (c Cluster) MakeNamespace(ctx context.Context, name string) error {
	_, err := c.Resource(namespaces).Create(ctx, object("Namespace", name, nil), metav1.CreateOptions{})
	for _, o := range bystanders() {
		if err == nil {
			_, err = c.In(name, strings.ToLower(o.GetKind())+"s").Create(ctx, o, metav1.CreateOptions{})
		}
	}
	return err
}

// DropNamespace deletes a namespace and does not wait.
func (c Cluster) DropNamespace(ctx context.Context, name string) error {
	return c.Resource(namespaces).Delete(ctx, name, metav1.DeleteOptions{})
}

// HasNamespace reports whether a namespace exists, even if it is being deleted.
func (c Cluster) HasNamespace(ctx context.Context, name string) bool {
	_, err := c.Resource(namespaces).Get(ctx, name, metav1.GetOptions{})
	return !apierrors.IsNotFound(err)
}

func bystanders() []*unstructured.Unstructured {
	return []*unstructured.Unstructured{
		object("ConfigMap", Bystander, map[string]any{"data": map[string]any{"whose": "not kplan's"}}),
		object("Secret", Bystander, map[string]any{"stringData": map[string]any{"whose": "not kplan's"}}),
		object("Service", Bystander, map[string]any{"spec": map[string]any{"ports": []any{map[string]any{"port": int64(80)}}}}),
		object("ServiceAccount", Bystander, nil),
	}
}

func object(kind, name string, content map[string]any) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{}}
	for field, value := range content {
		o.Object[field] = value
	}
	o.SetAPIVersion("v1")
	o.SetKind(kind)
	o.SetName(name)
	return o
}

// Objects lists what the namespace has of a Stack's kinds, without what the cluster
// creates in every namespace.
func (c Cluster) Objects(ctx context.Context, namespace string) ([]*unstructured.Unstructured, error) {
	var all []*unstructured.Unstructured
	for _, resource := range resources {
		list, err := c.In(namespace, resource).List(ctx, metav1.ListOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			return nil, err
		}
		for i := range list.Items {
			o := &list.Items[i]
			if o.GetName() != "kube-root-ca.crt" && o.GetName() != "default" {
				all = append(all, o)
			}
		}
	}
	return all, nil
}

// Dump is the content of a namespace in a form in which two namespaces are the same text
// if kplan applied the same to both: without what the server generates, and with kplan's
// own field ownership only.
func (c Cluster) Dump(ctx context.Context, namespace string) (string, error) {
	objects, err := c.Objects(ctx, namespace)
	if err != nil {
		return "", err
	}
	var lines []string
	names := []string{namespace, "NAMESPACE"}
	for _, o := range objects {
		if prefix := o.GetGenerateName(); prefix != "" {
			names = append(names, o.GetName(), prefix+"GENERATED")
		}
		text, err := json.Marshal(canonical(o))
		if err != nil {
			return "", err
		}
		lines = append(lines, string(text))
	}
	dump := strings.NewReplacer(names...).Replace(strings.Join(lines, "\n"))
	dump = uids.ReplaceAllString(dump, "UID")
	lines = strings.Split(dump, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n"), nil
}

// uids are those that objects refer to, and the stack's id.
var uids = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

func canonical(o *unstructured.Unstructured) map[string]any {
	var fields []string
	for _, m := range o.GetManagedFields() {
		if m.Manager == "kplan" {
			fields = append(fields, fmt.Sprintf("%s %s", m.Operation, m.FieldsV1))
		}
	}
	slices.Sort(fields)
	out := map[string]any{
		"kind": o.GetKind(), "name": o.GetName(), "labels": o.GetLabels(), "annotations": o.GetAnnotations(),
		"deleted": o.GetDeletionTimestamp() != nil, "fields": fields,
		"data": o.Object["data"], "immutable": o.Object["immutable"],
	}
	if o.GetKind() == "Service" {
		spec := o.Object["spec"].(map[string]any)
		out["ports"], out["selector"] = spec["ports"], spec["selector"]
	}
	return out
}
