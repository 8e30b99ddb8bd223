package plan

import (
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/server"
	"kplan.dev/kplan/kube"
)

// Deviation is a value that the server makes other than the plan shows it.
type Deviation struct {
	Path addrs.Path
	// Shown and Made are the values, nil for none.
	Shown, Made any
	// Configured reports whether the configuration sets the field.
	Configured bool
	Sensitive  bool
}

// Deviations are the fields in which an answer of the server, to the change or to a
// dry-run of it, is not what the plan shows. What every API server adds to an object of
// the kind is left out.
func (c *Change) Deviations(answer map[string]any) []Deviation {
	return deviations(c, c.After, answer)
}

func deviations(c *Change, shown, made map[string]any) []Deviation {
	unknown := c.unknown()
	found := differences(c.Kind.Root, c.withoutServers(shown), c.withoutServers(made))
	completed := server.WithMatchLabels(c.Kind, shown)
	lists := listsOfUnknown(c)
	var all []Deviation
	for _, path := range sortedPaths(found) {
		if unknown.Covers(path) || mayBeUnknown(c, lists, shown, path) || onlyAdds(found[path].Before, found[path].After) && c.addsAlways(path) {
			continue
		}
		if added, ok := valueIn(c.Kind, completed, path); ok && c.Kind.At(path).Equal(added, found[path].After) {
			continue
		}
		d := Deviation{Path: path, Shown: found[path].Before, Made: found[path].After}
		_, d.Configured = valueIn(c.Kind, c.DesiredFields, path)
		for sensitive := range c.Sensitive {
			sensitive = keyed(c.Kind, made, sensitive)
			d.Sensitive = d.Sensitive || sensitive.Contains(path) || path.Contains(sensitive)
		}
		all = append(all, d)
	}
	return all
}

// listsOfUnknown are the lists with an element of which a key is not known yet.
func listsOfUnknown(c *Change) []addrs.Path {
	var lists []addrs.Path
	for path := range c.Unknown {
		element := path.Parent()
		list := element.Parent()
		steps := path.Steps()
		field := c.Kind.At(list)
		if field != nil && len(steps) > 2 && slices.Contains(field.ListKeys, steps[len(steps)-1].Field) {
			lists = append(lists, keyed(c.Kind, c.After, list))
		}
	}
	return lists
}

// mayBeUnknown reports whether a field is of an element of one of these lists that is shown
// without a key, or that the key may turn out to name.
func mayBeUnknown(c *Change, lists []addrs.Path, shown map[string]any, path addrs.Path) bool {
	return slices.ContainsFunc(lists, func(list addrs.Path) bool {
		if path == list || !list.Contains(path) {
			return false
		}
		element := path.Steps()[len(list.Steps())]
		_, isShown := valueIn(c.Kind, shown, list.Append(element))
		return !isShown || len(element.Keys) < len(c.Kind.At(list).ListKeys)
	})
}

// Admitted is a field that admission in the cluster, its policies and webhooks, makes other
// than the configuration and the API server by itself would: a container that it injects, a
// value that it overrides or removes.
type Admitted struct {
	Path addrs.Path `json:"path"`
	// Overrides reports whether the configuration sets another value there, which is lost.
	Overrides bool `json:"overrides"`
}

// admittedTo are the fields that admission has made in the server's answer to a change.
func admittedTo(c *Change) []Admitted {
	if c == nil || c.Action == NoOp || isAsDesired(c) {
		return nil
	}
	made, err := predicted(c)
	if err != nil {
		return nil // what no schema describes the server alone can judge
	}
	var admitted []Admitted
	for _, d := range deviations(c, made, c.After) {
		if d.Configured || d.Made != nil {
			admitted = append(admitted, Admitted{d.Path, d.Configured && !onlyAdds(d.Shown, d.Made)})
		}
	}
	return admitted
}

// isAsDesired reports whether a change in place has just what the configuration sets, as of
// nearly all updates, for which there is nothing to predict.
func isAsDesired(c *Change) bool {
	if c.Before == nil || c.Action == Replace || !containsDesired(c.Kind.Root, c.After, c.DesiredFields) {
		return false
	}
	for path, d := range differences(c.Kind.Root, c.withoutServers(c.Before), c.withoutServers(c.After)) {
		if _, configured := valueIn(c.Kind, c.DesiredFields, path); !configured && d.After != nil {
			return false
		}
	}
	return true
}

// predicted is what the change would make of its object if nothing but the API server's
// own rules had a hand in it.
func predicted(c *Change) (map[string]any, error) {
	if c.Before == nil || c.Action == Replace {
		return server.Complete(c.Kind, c.DesiredFields), nil
	}
	live, err := c.WithTransferredFields(&unstructured.Unstructured{Object: c.Before})
	if err != nil {
		return nil, err
	}
	return kube.Predict(c.Kind, live, Sent(c))
}

func admittedPaths(admitted []Admitted) addrs.PathSet {
	paths := addrs.PathSet{}
	for _, d := range admitted {
		paths.Add(d.Path)
	}
	return paths
}

// isNote reports whether a field is a label or an annotation that the configuration does
// not set. Admission may make another one each time it is asked, such as the time of the
// change.
func isNote(kind *kinds.Kind, desired map[string]any, path addrs.Path) bool {
	if !labels.Contains(path) && !annotations.Contains(path) {
		return false
	}
	_, configured := valueIn(kind, desired, path)
	return !configured
}

var labels, annotations = addrs.NewPath("metadata", "labels"), addrs.NewPath("metadata", "annotations")

// isRestamped reports whether admission makes something else of a note each time: it
// has changed in one way, and now changes in another.
func isRestamped(kind *kinds.Kind, desired map[string]any, path addrs.Path, agreed, now difference) bool {
	return agreed.After != nil && now.After != nil && reflect.DeepEqual(jsonForm(agreed.Before), jsonForm(now.Before)) &&
		isNote(kind, desired, path)
}

// stamps are the notes of a live object that admission changes when it is written.
func stamps(d *decision, answer map[string]any) addrs.PathSet {
	found := addrs.PathSet{}
	for path, difference := range differences(d.kind.Root, visible(d.before), visible(answer)) {
		if difference.Before != nil && difference.After != nil && isNote(d.kind, d.fields, path) {
			found.Add(path)
		}
	}
	return found
}

// withoutServers is an object without what the server alone keeps in it.
func (c *Change) withoutServers(object map[string]any) map[string]any {
	object = WithoutOwn(visible(object))
	if c.Kind.GroupKind() == kinds.Pod && !hasToken(c.DesiredFields) {
		object = withoutToken(object)
	}
	return object
}

// addedAlways are fields that the API server fills in by itself, by its own admission or
// otherwise, whatever else the cluster has.
var addedAlways = map[addrs.GroupKind][]string{
	kinds.Pod: {
		"spec.tolerations", "spec.serviceAccount", "spec.serviceAccountName", "spec.priority", "spec.preemptionPolicy", "spec.nodeName",
	},
	kinds.PersistentVolumeClaim: {"metadata.finalizers", "spec.storageClassName", "spec.volumeName"},
	kinds.PersistentVolume:      {"metadata.finalizers"},
	kinds.Namespace:             {"metadata.labels", "spec.finalizers"},
	kinds.Service:               {"spec.ipFamilyPolicy"},
	{Group: "batch", Kind: "Job"}: {
		"spec.template.metadata.labels.job-name", `spec.template.metadata.labels["batch.kubernetes.io/job-name"]`,
	},
	{Group: "autoscaling", Kind: "HorizontalPodAutoscaler"}: {"spec.targetCPUUtilizationPercentage"}, // of autoscaling/v1
	// Newer servers alone have these defaults.
	{Group: "apps", Kind: "StatefulSet"}:         {"spec.updateStrategy.rollingUpdate.maxUnavailable"},
	{Group: "storage.k8s.io", Kind: "CSIDriver"}: {"spec.preventPodSchedulingIfMissing", "spec.seLinuxMount"},
}

// onlyAdds reports whether the server adds a value, or elements to a list that is
// applied as a whole.
func onlyAdds(shown, made any) bool {
	want, isList := shown.([]any)
	have, _ := made.([]any)
	return shown == nil || isList && !slices.ContainsFunc(want, func(element any) bool {
		return !slices.ContainsFunc(have, func(other any) bool { return reflect.DeepEqual(element, other) })
	})
}

func (c *Change) addsAlways(path addrs.Path) bool {
	for _, field := range addedAlways[c.Kind.GroupKind()] {
		if strings.HasPrefix(path.String(), field) {
			return true
		}
	}
	return false
}
