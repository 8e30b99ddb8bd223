package server

import (
	"slices"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
)

// KnownAfterApply returns the field paths of an object that is to be created whose
// values only the server will know: what Field.Allocated marks, as far as obj
// leaves it out and the server does fill it in. A Service without a cluster IP
// gets one, but a node port only if its type has them; a name is allocated when it
// is to be generated. Paths inside others of the result are left out.
func KnownAfterApply(k *kinds.Kind, obj map[string]any) []addrs.Path {
	w := knownAfterApply{obj: obj, skip: notAllocatedIn[k.GroupKind()]}
	metadata, _ := obj["metadata"].(map[string]any)
	if metadata["name"] == nil && metadata["generateName"] != nil {
		w.found = append(w.found, addrs.NewPath("metadata", "name"))
	}
	w.walk(addrs.Path{}, k.Root, obj)
	slices.SortFunc(w.found, addrs.Path.Compare)
	return w.found
}

type knownAfterApply struct {
	obj   map[string]any
	skip  func(obj map[string]any, field addrs.Path) bool
	found []addrs.Path
}

// absentAtFirst are fields that the server fills in, but not when an object is created.
var absentAtFirst = []addrs.Path{
	addrs.NewPath("metadata", "deletionTimestamp"),
	addrs.NewPath("metadata", "deletionGracePeriodSeconds"),
	addrs.NewPath("metadata", "selfLink"),
}

// walk looks at the fields of an object that is there or, like metadata,
// always will be.
func (w *knownAfterApply) walk(at addrs.Path, f *kinds.Field, m map[string]any) {
	for _, child := range f.Fields() {
		path := at.Field(child.Name)
		v := m[child.Name]
		switch {
		case v == nil && child.Allocated:
			if !slices.Contains(absentAtFirst, path) && (w.skip == nil || !w.skip(w.obj, path)) {
				w.found = append(w.found, path)
			}
		case child.Allocated:
		default:
			w.inside(path, child, v)
		}
	}
}

func (w *knownAfterApply) inside(at addrs.Path, f *kinds.Field, v any) {
	switch v := v.(type) {
	case map[string]any:
		if f.Type == kinds.Object {
			w.walk(at, f, v)
		}
		w.special(at, f, v)
	case []any:
		if f.Type != kinds.List || f.Elem.Type != kinds.Object {
			return
		}
		for i, elem := range v {
			if m, ok := elem.(map[string]any); ok {
				w.walk(at.Index(i), f.Elem, m)
			}
		}
	case nil:
		if slices.Contains(alwaysThere, at) {
			w.walk(at, f, nil)
		}
		w.special(at, f, nil)
	}
}

// alwaysThere are objects that the server makes where they are left out, since
// it has something to put into them.
var alwaysThere = []addrs.Path{addrs.NewPath("metadata"), addrs.NewPath("spec", "template", "metadata")}

// special looks at the keys of a map about which more is known.
func (w *knownAfterApply) special(at addrs.Path, f *kinds.Field, m map[string]any) {
	for key, known := range f.KnownKeys {
		path := at.Field(key)
		if known.Allocated && m[key] == nil && (w.skip == nil || !w.skip(w.obj, path)) {
			w.found = append(w.found, path)
		}
	}
}

// What the server does not fill in, though it does so for others of the kind.
var notAllocatedIn = map[addrs.GroupKind]func(obj map[string]any, field addrs.Path) bool{
	kinds.Service:                 notAllocatedInService,
	{Group: "batch", Kind: "Job"}: notAllocatedInJob,
}

func notAllocatedInService(obj map[string]any, field addrs.Path) bool {
	kind := serviceType(obj)
	switch field.Steps()[len(field.Steps())-1].Field {
	case "nodePort":
		given := valueAt(obj, addrs.NewPath("spec", "allocateLoadBalancerNodePorts"))
		return kind != "NodePort" && kind != "LoadBalancer" || kind == "LoadBalancer" && given == false
	case "healthCheckNodePort":
		return kind != "LoadBalancer" || valueAt(obj, addrs.NewPath("spec", "externalTrafficPolicy")) != "Local"
	case "clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy":
		return kind == "ExternalName"
	}
	return false
}

// A job with a selector of its own gets neither selector nor labels.
func notAllocatedInJob(obj map[string]any, field addrs.Path) bool {
	return addrs.NewPath("spec").Contains(field) && valueAt(obj, addrs.NewPath("spec", "manualSelector")) == true
}

// keptChoices are fields that the server chooses when an object is created, by its other
// fields, and keeps from then on, though it may refuse what it has chosen beside others.
var keptChoices = map[addrs.GroupKind][]addrs.Path{
	kinds.Service: {addrs.NewPath("spec", "ipFamilyPolicy")},
}

// IsKeptChoice reports whether the server has chosen the value of a field by what the
// object was when it was created, and keeps it. Another object with the same fields may
// get another value.
func IsKeptChoice(k *kinds.Kind, field addrs.Path) bool {
	return slices.Contains(keptChoices[k.GroupKind()], field)
}
