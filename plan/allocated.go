package plan

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/server"
)

// withoutAllocated takes out of a planned creation what only the creation will
// decide: a dry-run invents a uid and a cluster IP like any other answer. It
// returns the object without them and their fields.
func withoutAllocated(kind *kinds.Kind, object, desired map[string]any) (map[string]any, addrs.PathSet) {
	fields := server.KnownAfterApply(kind, desired)
	slices.SortFunc(fields, addrs.Path.Compare)
	for _, field := range slices.Backward(fields) {
		object, _ = field.ReplaceIn(object, nil).(map[string]any)
	}
	if kind.GroupKind() == kinds.Pod && !hasToken(desired) {
		object = withoutToken(object)
	}
	return object, addrs.NewPathSet(fields...)
}

// withoutNewlyAllocated does the same for an update, which may call for a value
// that the live object has not: a Service that becomes one of type NodePort gets
// ports, and a dry-run can only make them up. asked means that after is the
// server's answer, which lacks what the server will not fill in.
func withoutNewlyAllocated(d *decision, after map[string]any, asked bool) (map[string]any, addrs.PathSet) {
	unknown := addrs.PathSet{}
	lacking := addrs.NewPathSet()
	for _, field := range server.KnownAfterApply(d.kind, d.before) {
		lacking.Add(keyed(d.kind, d.before, field))
	}
	for _, field := range server.KnownAfterApply(d.kind, d.fields) {
		if top := field.Steps()[0].Field; top == "metadata" || top == "status" {
			continue
		}
		field = keyed(d.kind, d.fields, field)
		old, had := ValueAt(d.before, field)
		planned, has := ValueAt(after, field)
		switch {
		case has && had && reflect.DeepEqual(jsonForm(old), jsonForm(planned)):
			continue
		case !has && (asked || had || lacking.Has(field)):
			continue
		}
		if position, ok := positioned(d.kind, after, field); ok {
			unknown.Add(position)
		}
	}
	unknown.AddAll(addrs.NewPathSet(server.ControllerFilled(d.kind, d.before, after)...))
	return withoutPaths(after, unknown), unknown
}

// tokenVolume begins the name of the volume that admission adds to each pod for
// the token of its service account. The rest of it is generated whenever the
// server is asked.
const tokenVolume = "kube-api-access-"

func isToken(volumeOrMount any) bool {
	fields, _ := volumeOrMount.(map[string]any)
	name, _ := fields["name"].(string)
	return strings.HasPrefix(name, tokenVolume)
}

// hasToken reports whether the configuration itself has such a volume, as a
// manifest has that was once read from a cluster.
func hasToken(pod map[string]any) bool {
	spec, _ := pod["spec"].(map[string]any)
	volumes, _ := spec["volumes"].([]any)
	return slices.ContainsFunc(volumes, isToken)
}

func withoutToken(pod map[string]any) map[string]any {
	pod, spec := maps.Clone(pod), cloneMap(pod["spec"])
	dropTokens(spec, "volumes")
	for _, list := range []string{"initContainers", "containers"} {
		containers, ok := spec[list].([]any)
		if !ok {
			continue
		}
		containers = slices.Clone(containers)
		for i, c := range containers {
			container := cloneMap(c)
			dropTokens(container, "volumeMounts")
			containers[i] = container
		}
		spec[list] = containers
	}
	pod["spec"] = spec
	return pod
}

func dropTokens(of map[string]any, list string) {
	elements, _ := of[list].([]any)
	if kept := slices.DeleteFunc(slices.Clone(elements), isToken); len(kept) > 0 {
		of[list] = kept
	} else {
		delete(of, list)
	}
}
