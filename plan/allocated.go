package plan

import (
	"maps"
	"strings"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
)

// withoutAllocated takes out of a planned creation what only the creation will
// decide: a dry-run invents a uid and a cluster IP like any other answer. It
// returns the object without them and their places.
func withoutAllocated(kind *kinds.Kind, object, wish map[string]any) (map[string]any, addrs.PathSet) {
	unknown := addrs.PathSet{}
	kept, _ := dropAllocated(kind.Root, object, wish, addrs.Path{}, unknown).(map[string]any)
	addNodePorts(kind, kept, unknown)
	return kept, unknown
}

// addNodePorts adds the node ports that a predicted Service will get. They are
// the one allocated field that depends on another one, the Service's type.
func addNodePorts(kind *kinds.Kind, object map[string]any, unknown addrs.PathSet) {
	if kind.GroupKind() != (addrs.GroupKind{Kind: "Service"}) {
		return
	}
	spec, _ := object["spec"].(map[string]any)
	if spec["type"] != "NodePort" && spec["type"] != "LoadBalancer" {
		return
	}
	ports, _ := spec["ports"].([]any)
	for i, port := range ports {
		if fields, ok := port.(map[string]any); ok && fields["nodePort"] == nil {
			unknown.Add(addrs.NewPath("spec", "ports").Index(i).Field("nodePort"))
		}
	}
}

func dropAllocated(f *kinds.Field, value, wish any, at addrs.Path, unknown addrs.PathSet) any {
	switch v := value.(type) {
	case map[string]any:
		return dropFromObject(f, v, wish, at, unknown)
	case []any:
		if f.Elem == nil {
			return value
		}
		wished, _ := wish.([]any)
		kept := make([]any, len(v))
		for i, element := range v {
			var want any
			if i < len(wished) {
				want = wished[i]
			}
			kept[i] = dropAllocated(f.Elem, element, want, at.Index(i), unknown)
		}
		return kept
	}
	return value
}

func dropFromObject(f *kinds.Field, object map[string]any, wish any, at addrs.Path, unknown addrs.PathSet) map[string]any {
	wished, _ := wish.(map[string]any)
	kept := maps.Clone(object)
	for name, value := range object {
		child := f.Field(name)
		if child == nil {
			continue
		}
		if _, set := wished[name]; child.Allocated && !set {
			delete(kept, name)
			unknown.Add(at.Field(name))
			continue
		}
		kept[name] = dropAllocated(child, value, wished[name], at.Field(name), unknown)
	}
	if f.Type != kinds.Object {
		return kept
	}
	for _, child := range f.Fields() {
		if _, set := kept[child.Name]; child.Allocated && !set && !strings.HasSuffix(strings.ToLower(child.Name), "nodeport") {
			unknown.Add(at.Field(child.Name))
		}
	}
	return kept
}
