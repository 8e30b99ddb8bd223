package lint

import (
	"fmt"
	"slices"
	"strconv"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/internal/manifest"
	"kplan.dev/kplan/kinds/relations"
)

// containerLists are the fields of a pod that hold containers with ports of their own.
var containerLists = []string{"initContainers", "containers"}

// container is a container of a pod.
type container struct {
	pod    *relations.Pod
	list   string
	index  int
	fields map[string]any
}

// path is the container's field path in the object.
func (c container) path() addrs.Path { return c.pod.Path.Field("spec").Field(c.list).Index(c.index) }

func containersOf(pod *relations.Pod) []container {
	var all []container
	for _, list := range containerLists {
		for i, element := range manifest.List(pod.Spec, list) {
			fields, _ := element.(map[string]any)
			all = append(all, container{pod, list, i, fields})
		}
	}
	return all
}

// portNames are the names of the ports that a container declares.
func (c container) portNames() []string {
	var names []string
	for _, port := range manifest.List(c.fields, "ports") {
		fields, _ := port.(map[string]any)
		if name := manifest.Text(fields, "name"); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// handlers are the fields of a container by which the kubelet sends it requests.
var handlers = [][]string{{"livenessProbe"}, {"readinessProbe"}, {"startupProbe"}, {"lifecycle", "postStart"}, {"lifecycle", "preStop"}}

// probePorts reports probes of a port by a name that their container does not declare.
func probePorts(o *Object) []Finding {
	pod := o.pod
	if pod == nil {
		return nil
	}
	var found []Finding
	for _, c := range containersOf(pod) {
		for _, handler := range handlers {
			fields := c.fields
			for _, step := range handler {
				fields = manifest.Object(fields, step)
			}
			for _, way := range []string{"httpGet", "tcpSocket"} {
				if name, ok := portName(manifest.Object(fields, way)["port"]); ok {
					found = append(found, c.probePort(o, append(slices.Clone(handler), way, "port"), name)...)
				}
			}
		}
	}
	return found
}

// probePort reports the port of a probe by its name, if the container does not declare it.
func (c container) probePort(o *Object, steps []string, name string) []Finding {
	names := c.portNames()
	path := c.path()
	for _, step := range steps {
		path = path.Field(step)
	}
	if slices.Contains(names, name) || o.isOpen(c.path().Field("ports")) || o.isOpen(path) {
		return nil
	}
	return []Finding{{Of: o, Path: path, Summary: undeclaredPort,
		Detail: fmt.Sprintf("%s of container %s of %s is %q, and the container declares %s The kubelet can't tell which port to use.",
			addrs.NewPath(steps...), manifest.Text(c.fields, "name"), o.Addr, name, have(noPortNames, name, names)),
	}}
}

const undeclaredPort = "Undeclared port name"

// portName is the name by which a port is meant, false for a number.
func portName(value any) (string, bool) {
	name, ok := value.(string)
	if _, err := strconv.Atoi(name); err == nil {
		return "", false
	}
	return name, ok && name != ""
}

// have is what there is of something, in words, and what of it a name may stand for.
func have(none, name string, names []string) string {
	if len(names) == 0 {
		return none + "."
	}
	slices.Sort(names)
	names = slices.Compact(names)
	return words.Plural(len(names), "only ", "") + words.And(names) + "." + words.Suggest(name, names)
}

const noPortNames = "no port with a name"

// targetPorts reports ports of a Service by a name that none of its pods declare.
func (c *Configuration) targetPorts(o *Object) []Finding {
	if o.Kind.GroupKind() != kinds.Service {
		return nil
	}
	ports := manifest.List(manifest.Object(o.Fields, "spec"), "ports")
	if !slices.ContainsFunc(ports, func(port any) bool { return targetPort(port) != "" }) {
		return nil
	}
	names, by, known := c.portsBehind(o)
	if len(by) == 0 || !known {
		return nil
	}
	var found []Finding
	for i, port := range ports {
		path := addrs.NewPath("spec", "ports").Index(i).Field("targetPort")
		if name := targetPort(port); name != "" && !slices.Contains(names, name) && !o.isOpen(path) {
			found = append(found, Finding{Of: o, Path: path, Summary: undeclaredPort,
				Detail: fmt.Sprintf("%s of %s is %q, and the pods of %s declare %s The Service has no endpoints there.",
					path, o.Addr, name, words.And(firstOf(by)), have(noPortNames, name, names)),
			})
		}
	}
	return found
}

func targetPort(port any) string {
	fields, _ := port.(map[string]any)
	name, _ := portName(fields["targetPort"])
	return name
}

// portsBehind are the names of the ports of the pods that a Service selects, and whose
// those are; known is false where there may be others.
func (c *Configuration) portsBehind(service *Object) (names []string, by []addrs.Instance, known bool) {
	known = true
	for _, s := range relations.Selectors(service.Kind, service.Fields) {
		known = known && !service.Unknown.Touches(s.Path)
		for _, w := range c.selected(service.Object.Namespace, s) {
			by = append(by, w.Addr)
			for _, list := range containerLists {
				known = known && !w.Unknown.Touches(w.pod.Path.Field("spec").Field(list))
			}
			for _, c := range containersOf(w.pod) {
				names = append(names, c.portNames()...)
			}
		}
	}
	return names, by, known
}

// MissingPort is what is wrong with the port of a reference to a Service, if the Service
// has no such port.
func MissingPort(o *Object, ref relations.Reference, service map[string]any) []Finding {
	spec := manifest.Object(service, "spec")
	name, path := backendPort(o, ref)
	if name == "" || o.isOpen(path) || manifest.Text(spec, "type") == "ExternalName" {
		return nil
	}
	var all []string
	for _, port := range manifest.List(spec, "ports") {
		fields, _ := port.(map[string]any)
		number := fmt.Sprint(fields["port"])
		if name == number || name == manifest.Text(fields, "name") {
			return nil
		}
		all = append(all, number)
		if text := manifest.Text(fields, "name"); text != "" {
			all[len(all)-1] += " (" + text + ")"
		}
	}
	if len(all) == 0 {
		return nil
	}
	return []Finding{{Of: o, Path: path, Summary: "Service without the port",
		Detail: fmt.Sprintf("%s refers to port %s of Service %s (%s), which has only %s.",
			o.Addr, name, ref.To.QualifiedName(), path, words.And(all)),
	}}
}

func missingPort(o *Object, ref relations.Reference, to *Object) []Finding {
	if to.Kind.GroupKind() != kinds.Service || to.Unknown.Touches(addrs.NewPath("spec", "ports")) {
		return nil
	}
	return MissingPort(o, ref, to.Fields)
}

// backendPort is the port of a Service that a reference to it asks for, by name or number,
// "" for none. Webhooks are called at 443 where they name no port.
func backendPort(o *Object, ref relations.Reference) (string, addrs.Path) {
	if ref.To.GroupKind() != kinds.Service {
		return "", addrs.Path{}
	}
	backend, _ := ref.Path.Parent().ValueIn(o.Fields)
	fields, _ := backend.(map[string]any)
	path := ref.Path.Parent().Field("port")
	switch port := fields["port"].(type) {
	case map[string]any:
		if name := manifest.Text(port, "name"); name != "" {
			return name, path.Field("name")
		}
		if number := port["number"]; number != nil {
			return fmt.Sprint(number), path.Field("number")
		}
	case nil:
		if _, isWebhook := fields["namespace"]; isWebhook {
			return "443", ref.Path
		}
	default:
		return fmt.Sprint(port), path
	}
	return "", path
}
