package records

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"

	"kplan.dev/kplan/convert/live"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kube"
)

// maxRelease bounds a release that is unpacked, in bytes. Helm keeps at most 1 MiB of it, packed.
const maxRelease = 256 << 20

// release is what Helm records of a release, one for each revision. The format is that of its package
// release, versions 3 and 4.
type release struct {
	Version  int
	Info     struct{ Status string }
	Manifest string
	Hooks    []struct{ Name, Kind, Manifest string }
	Chart    struct {
		Files []struct{ Name string }
	}
}

// Helm reads what a release has installed. The error is a *NotFoundError, an *InvalidError or one of kube.
func Helm(ctx context.Context, c *kube.Cluster, namespace, name string) (*live.Record, error) {
	newest, err := newestRelease(ctx, c, namespace, name)
	if err != nil {
		return nil, err
	}
	invalid := func(err error) error {
		return &InvalidError{fmt.Sprintf("revision %d of the Helm release %s", newest.Version, name), err}
	}
	objects, err := documents(newest.Manifest)
	if err != nil {
		return nil, invalid(err)
	}
	record := &live.Record{}
	for _, o := range objects {
		record.References = append(record.References, referenceTo(o, namespace))
	}
	for _, h := range newest.Hooks {
		record.Left = append(record.Left, live.Left{What: h.Kind + " " + h.Name, Why: "it is a hook, which Helm runs on install or upgrade"})
	}
	for _, f := range newest.Chart.Files {
		if strings.HasPrefix(f.Name, "crds/") {
			record.Left = append(record.Left, live.Left{What: f.Name, Why: "Helm installs the definitions of a chart once and does not manage them"})
		}
	}
	return record, nil
}

// newestRelease is the revision that is deployed, or the newest one where none is.
func newestRelease(ctx context.Context, c *kube.Cluster, namespace, name string) (*release, error) {
	selector, err := labels.ValidatedSelectorFromSet(labels.Set{"owner": "helm", "name": name})
	if err != nil {
		return nil, &NotFoundError{"Helm release", name, namespace} // none can have such a name
	}
	var all []*release
	for _, kind := range []string{"Secret", "ConfigMap"} { // by HELM_DRIVER
		k, err := c.LookupAnew(ctx, kind, "v1")
		if err != nil {
			return nil, err
		}
		found, err := c.List(ctx, k, kube.ListOptions{Namespace: namespace, Selector: selector.String()})
		if err != nil {
			return nil, err
		}
		for _, o := range found {
			r, err := readRelease(o)
			if err != nil {
				return nil, &InvalidError{fmt.Sprintf("the %s %s", kind, k.Object(namespace, o.GetName()).QualifiedName()), err}
			}
			all = append(all, r)
		}
	}
	if len(all) == 0 {
		return nil, &NotFoundError{"Helm release", name, namespace}
	}
	return slices.MaxFunc(all, func(a, b *release) int {
		return cmp.Or(cmp.Compare(a.deployed(), b.deployed()), cmp.Compare(a.Version, b.Version))
	}), nil
}

// deployed is 1 for the revision that runs, and 0 for those before it and those that failed.
func (r *release) deployed() int {
	if r.Info.Status == "deployed" {
		return 1
	}
	return 0
}

// readRelease unpacks the release of a Secret or a ConfigMap: JSON, packed by gzip, in base64.
func readRelease(o *unstructured.Unstructured) (*release, error) {
	text, _, _ := unstructured.NestedString(o.Object, "data", "release")
	if text == "" {
		return nil, errors.New("it has no key release")
	}
	if o.GetKind() == kinds.Secret.Kind { // the data of any Secret is in base64
		decoded, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, err
		}
		text = string(decoded)
	}
	packed, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, err
	}
	unpacker, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	unpacked, err := io.ReadAll(io.LimitReader(unpacker, maxRelease+1))
	switch {
	case err != nil:
		return nil, err
	case len(unpacked) > maxRelease:
		return nil, fmt.Errorf("it unpacks to more than %d MiB", maxRelease>>20)
	}
	r := &release{}
	return r, json.Unmarshal(unpacked, r)
}

// documents are the objects in the documents of a manifest, and in its lists.
func documents(manifest string) (objects []*unstructured.Unstructured, err error) {
	decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(manifest), 4096)
	for {
		o := &unstructured.Unstructured{}
		switch err := decoder.Decode(&o.Object); {
		case errors.Is(err, io.EOF):
			return objects, nil
		case err != nil:
			return nil, err
		case len(o.Object) == 0: // only comments
			continue
		case !o.IsList():
			objects = append(objects, o)
			continue
		}
		err := o.EachListItem(func(item runtime.Object) error {
			objects = append(objects, item.(*unstructured.Unstructured))
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
}
