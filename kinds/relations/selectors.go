package relations

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/internal/manifest"
)

// Selector is a field by which an object selects pods of its namespace.
type Selector struct {
	Path  addrs.Path
	Match labels.Selector
}

var selectorFields = map[addrs.GroupKind][]addrs.Path{
	{Kind: "Service"}: {addrs.NewPath("spec", "selector")},
	{Group: "policy", Kind: "PodDisruptionBudget"}: {addrs.NewPath("spec", "selector")},
	{Group: networkGroup, Kind: "NetworkPolicy"}:   {addrs.NewPath("spec", "podSelector")},
	{Kind: "ReplicationController"}:                {addrs.NewPath("spec", "selector")},
	{Group: "apps", Kind: "Deployment"}:            {addrs.NewPath("spec", "selector")},
	{Group: "apps", Kind: "ReplicaSet"}:            {addrs.NewPath("spec", "selector")},
	{Group: "apps", Kind: "StatefulSet"}:           {addrs.NewPath("spec", "selector")},
	{Group: "apps", Kind: "DaemonSet"}:             {addrs.NewPath("spec", "selector")},
}

// Selectors are the fields by which an object of the kind selects pods. One that selects
// all pods of the namespace, or none, is left out.
func Selectors(kind *kinds.Kind, object map[string]any) []Selector {
	var found []Selector
	for _, path := range selectorFields[kind.GroupKind()] {
		value, _ := path.ValueIn(object)
		fields, _ := value.(map[string]any)
		if match := selector(fields); match != nil && !match.Empty() {
			found = append(found, Selector{Path: path, Match: match})
		}
	}
	return found
}

// selector reads a label selector, also one that is a mere map of labels.
func selector(fields map[string]any) labels.Selector {
	if len(fields) == 0 {
		return nil
	}
	_, hasLabels := fields["matchLabels"].(map[string]any)
	_, hasExpressions := fields["matchExpressions"].([]any)
	if !hasLabels && !hasExpressions {
		return labels.SelectorFromValidatedSet(texts(fields))
	}
	var s metav1.LabelSelector
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(fields, &s); err != nil {
		return nil
	}
	match, err := metav1.LabelSelectorAsSelector(&s)
	if err != nil {
		return nil
	}
	return match
}

func texts(m map[string]any) labels.Set {
	set := labels.Set{}
	for key, value := range m {
		if text, ok := value.(string); ok {
			set[key] = text
		}
	}
	return set
}

// Pod is what an object says of the pods that it is or makes.
type Pod struct {
	Path   addrs.Path // of the pod or of the template
	Labels labels.Set
	Spec   map[string]any
}

// LabelsPath is the field with the pod's labels.
func (p *Pod) LabelsPath() addrs.Path { return p.Path.Field("metadata").Field("labels") }

// PodOf is the pod that an object of the kind is or makes, nil where it makes none.
func PodOf(kind *kinds.Kind, object map[string]any) *Pod {
	path, ok := kind.PodTemplate()
	if !ok {
		return nil
	}
	value, _ := path.ValueIn(object)
	template, _ := value.(map[string]any)
	labels := texts(manifest.Object(manifest.Object(template, "metadata"), "labels"))
	return &Pod{Path: path, Labels: labels, Spec: manifest.Object(template, "spec")}
}

// Answers reports whether a role's rules let whoever has it change objects of the kind,
// as who takes care of them must.
func Answers(rules []any, kind *kinds.Kind) bool {
	return slices.ContainsFunc(rules, func(rule any) bool {
		fields, _ := rule.(map[string]any)
		resources, verbs := manifest.Texts(fields, "resources"), manifest.Texts(fields, "verbs")
		isOf := func(resource string) bool {
			return resource == "*" || resource == kind.Plural || resource == kind.Plural+"/*" ||
				resource == kind.Plural+"/finalizers" || resource == kind.Plural+"/status"
		}
		writes := func(verb string) bool { return verb == "*" || verb == "update" || verb == "patch" }
		return slices.Contains(manifest.Texts(fields, "apiGroups"), kind.Group) &&
			slices.ContainsFunc(resources, isOf) && slices.ContainsFunc(verbs, writes)
	})
}
