package lint

import (
	"fmt"
	"maps"
	"slices"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/internal/manifest"
	"kplan.dev/kplan/kinds/relations"
)

// volumeErrors reports mounts of volumes that the pod does not have.
func volumeErrors(o *Object) []Finding {
	pod := o.pod
	if pod == nil {
		return nil
	}
	spec := pod.Path.Field("spec")
	if o.Unknown.Touches(spec.Field("volumes")) || o.Unknown.Touches(claimTemplates) {
		return nil
	}
	names := volumeNames(o, pod)
	var found []Finding
	for _, c := range containersOf(pod) {
		for _, list := range []string{"volumeMounts", "volumeDevices"} {
			for i, mount := range manifest.List(c.fields, list) {
				fields, _ := mount.(map[string]any)
				path := c.path().Field(list).Index(i).Field("name")
				name := manifest.Text(fields, "name")
				if name == "" || slices.Contains(names, name) || o.isOpen(path) {
					continue
				}
				found = append(found, Finding{Of: o, Path: path, Error: true, Summary: "Undeclared volume",
					Detail: fmt.Sprintf("Container %s of %s mounts the volume %q, and the pod has %s The API server refuses that.",
						manifest.Text(c.fields, "name"), o.Addr, name, have("no volumes", name, slices.Clone(names))),
				})
			}
		}
	}
	return found
}

var claimTemplates = addrs.NewPath("spec", "volumeClaimTemplates")

// volumeNames are the volumes of a pod, those of a StatefulSet's claims among them.
func volumeNames(o *Object, pod *relations.Pod) []string {
	var names []string
	for _, volume := range manifest.List(pod.Spec, "volumes") {
		fields, _ := volume.(map[string]any)
		names = append(names, manifest.Text(fields, "name"))
	}
	if o.Kind.Name == "StatefulSet" {
		for _, template := range manifest.List(manifest.Object(o.Fields, "spec"), "volumeClaimTemplates") {
			fields, _ := template.(map[string]any)
			names = append(names, manifest.Text(manifest.Object(fields, "metadata"), "name"))
		}
	}
	return names
}

// missingKeys reports keys of a ConfigMap or Secret that it does not have.
func missingKeys(o *Object, ref relations.Reference, to *Object) []Finding {
	is := to.Kind.GroupKind()
	if is != kinds.ConfigMap && is != kinds.Secret || ref.Optional {
		return nil
	}
	keys := keysOf(to)
	if len(keys) == 0 { // something else fills it
		return nil
	}
	source, _ := ref.Path.Parent().ValueIn(o.Fields)
	fields, _ := source.(map[string]any)
	var found []Finding
	check := func(key string, path addrs.Path) {
		if key == "" || slices.Contains(keys, key) || o.isOpen(path) || to.mayHave(key) {
			return
		}
		found = append(found, Finding{Of: o, Path: path, Summary: "Key not found",
			Detail: fmt.Sprintf("%s refers to the key %q (%s), which %s does not have.%s", o.Addr, key, path, to.Addr, to.suggest(key, keys)),
		})
	}
	check(manifest.Text(fields, "key"), ref.Path.Parent().Field("key"))
	for i, item := range manifest.List(fields, "items") {
		item, _ := item.(map[string]any)
		check(manifest.Text(item, "key"), ref.Path.Parent().Field("items").Index(i).Field("key"))
	}
	return found
}

// dataFields are the fields of ConfigMaps and Secrets that hold their keys.
var dataFields = []string{"data", "binaryData"}

func keysOf(o *Object) []string {
	var keys []string
	for _, field := range dataFields {
		keys = slices.AppendSeq(keys, maps.Keys(manifest.Object(o.Fields, field)))
	}
	slices.Sort(keys)
	return keys
}

// mayHave reports whether the object may have a key of which nothing is known yet, or one
// that others add.
func (o *Object) mayHave(key string) bool {
	for _, field := range dataFields {
		path := addrs.NewPath(field, key)
		if o.Unknown.Covers(path) || slices.ContainsFunc(o.Ignored, func(p addrs.Path) bool { return p.Contains(path) }) {
			return true
		}
	}
	return false
}

// suggest is the key that may be meant. Those of a Secret are not shown.
func (o *Object) suggest(key string, keys []string) string {
	if o.Kind.GroupKind() == kinds.Secret || o.isOpen(addrs.NewPath("data")) {
		return ""
	}
	return words.Suggest(key, keys)
}

// scaled reports replicas that the configuration sets though an autoscaler of it does.
func (c *Configuration) scaled(scaler *Object) []Finding {
	s, ok := relations.ScalerOf(scaler.Object, scaler.Fields)
	if !ok {
		return nil
	}
	o := c.named[s.Target]
	if o == nil || slices.ContainsFunc(o.Ignored, func(p addrs.Path) bool { return p.Contains(relations.Replicas) }) {
		return nil
	}
	if _, sets := relations.Replicas.ValueIn(o.Fields); !sets {
		return nil
	}
	return []Finding{{Of: o, Path: relations.Replicas, Summary: "Replicas set beside an autoscaler",
		Detail: fmt.Sprintf("%s sets the replicas of %s, and so does the configuration: each would undo what the other does. Leave them "+
			"to the autoscaler with lifecycle { ignore_changes = [spec.replicas] }.", s, o.Addr),
	}}
}
