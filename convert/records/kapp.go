package records

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/convert/live"
	"kplan.dev/kplan/kube"
)

// kappSuffix is what newer versions of kapp add to the name of an app's record.
const kappSuffix = ".apps.k14s.io"

// kappApp is what kapp records of an app, as JSON in the key "spec" of a ConfigMap: the label that all
// its objects have, and their kinds.
type kappApp struct {
	LabelKey   string                         `json:"labelKey"`
	LabelValue string                         `json:"labelValue"`
	UsedGKs    []struct{ Group, Kind string } `json:"usedGKs"`
}

// Kapp reads what an app of kapp has deployed. The error is a *NotFoundError, an *InvalidError or one of kube.
func Kapp(ctx context.Context, c *kube.Cluster, namespace, name string) (*live.Record, error) {
	o, err := kappRecord(ctx, c, namespace, name)
	if err != nil {
		return nil, err
	}
	app := kappApp{}
	spec, _, _ := unstructured.NestedString(o.Object, "data", "spec")
	err = json.Unmarshal([]byte(spec), &app)
	if err == nil && (app.LabelKey == "" || app.LabelValue == "") {
		err = errors.New("it names no label")
	}
	var selector labels.Selector
	if err == nil {
		selector, err = labels.ValidatedSelectorFromSet(labels.Set{app.LabelKey: app.LabelValue})
	}
	if err != nil {
		return nil, &InvalidError{fmt.Sprintf("the key spec of the ConfigMap %s/%s, which is no record of kapp", namespace, o.GetName()), err}
	}
	record := &live.Record{Selector: selector.String()}
	for _, used := range app.UsedGKs {
		record.Kinds = append(record.Kinds, addrs.GroupKind(used))
	}
	return record, nil
}

func kappRecord(ctx context.Context, c *kube.Cluster, namespace, name string) (*unstructured.Unstructured, error) {
	k, err := c.LookupAnew(ctx, "ConfigMap", "v1")
	if err != nil {
		return nil, err
	}
	for _, record := range []string{name + kappSuffix, name} {
		o, err := c.Get(ctx, k, namespace, record)
		if kube.ReasonOf(err) != kube.NotFound {
			return o, err
		}
	}
	return nil, &NotFoundError{"kapp app", name, namespace}
}
