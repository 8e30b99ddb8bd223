// Package lint finds what is wrong between the objects of a configuration though each by
// itself is valid: a selector that matches no pod, a port that no container declares, a key
// that a ConfigMap does not have. It also finds the commonest values that the API server
// refuses: names and ports.
//
// It knows no cluster. What only the cluster can tell, whether there is an object of a name
// or a pod with some labels, it returns as questions: Dangling and Unmatched. It reports
// nothing about values that are not known yet or must not be shown.
package lint

import (
	"sync"

	"k8s.io/apimachinery/pkg/selection"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/relations"
)

// Object is an object of a configuration.
type Object struct {
	Addr   addrs.Instance
	Object addrs.Object // its name is "" where it is not known
	Kind   *kinds.Kind
	Fields map[string]any
	// Unknown are the fields that are not known yet, and Sensitive those that must not be
	// shown.
	Unknown, Sensitive addrs.PathSet
	// Ignored are the fields that others may change.
	Ignored []addrs.Path

	pod *relations.Pod // that it is or makes, nil for none
}

// Finding is something wrong with an object.
type Finding struct {
	Of      *Object
	Path    addrs.Path
	Error   bool // the API server refuses the object
	Summary string
	Detail  string
}

// Configuration is all objects of a configuration, and what they mean to each other.
type Configuration struct {
	objects []*Object
	named   map[addrs.Object]*Object
	pods    map[string][]workload // by namespace
	labeled map[label][]workload
	made    func() *makers
	// open are the kinds of which there may be more objects than are known, the empty
	// one where it may be any kind.
	open map[addrs.GroupKind]bool
}

// workload is an object that is a pod, or makes pods.
type workload struct {
	*Object
	pod *relations.Pod
}

// label is a label of pods in a namespace.
type label struct{ namespace, key, value string }

// New reads the objects of a configuration. There may be more than these of the kinds that
// are open: of any kind where the empty one is.
func New(objects []*Object, open map[addrs.GroupKind]bool) *Configuration {
	c := &Configuration{objects: objects, named: make(map[addrs.Object]*Object, len(objects)), open: open,
		pods: map[string][]workload{}, labeled: map[label][]workload{}}
	c.made = sync.OnceValue(func() *makers { return makersOf(objects) })
	for _, o := range objects {
		if o.Object.Name != "" {
			c.named[o.Object.Identity()] = o
		}
		if o.pod = relations.PodOf(o.Kind, o.Fields); o.pod != nil {
			c.pods[o.Object.Namespace] = append(c.pods[o.Object.Namespace], workload{o, o.pod})
			for key, value := range o.pod.Labels {
				at := label{o.Object.Namespace, key, value}
				c.labeled[at] = append(c.labeled[at], workload{o, o.pod})
			}
		}
	}
	return c
}

// Objects are all objects of the configuration.
func (c *Configuration) Objects() []*Object { return c.objects }

// find is the object that a reference means, nil where the configuration has none.
func (c *Configuration) find(ref relations.Reference) *Object {
	for _, name := range ref.Names() {
		if o := c.named[name.Identity()]; o != nil {
			return o
		}
	}
	return nil
}

// selected are the workloads whose pods a selector matches.
func (c *Configuration) selected(namespace string, s relations.Selector) []workload {
	candidates := c.pods[namespace]
	requirements, _ := s.Match.Requirements()
	for _, r := range requirements {
		if values := r.ValuesUnsorted(); len(values) == 1 && (r.Operator() == selection.Equals || r.Operator() == selection.In) {
			candidates = c.labeled[label{namespace, r.Key(), values[0]}]
			break
		}
	}
	var found []workload
	for _, w := range candidates {
		if s.Match.Matches(w.pod.Labels) {
			found = append(found, w)
		}
	}
	return found
}

// Errors are what the API server would refuse.
func (c *Configuration) Errors() []Finding {
	var found []Finding
	for _, o := range c.objects {
		found = append(found, selectorErrors(o)...)
		found = append(found, volumeErrors(o)...)
		found = append(found, valueErrors(o)...)
	}
	return found
}

// Warnings are what the API server accepts and what can't work, whatever else the cluster
// has.
func (c *Configuration) Warnings() []Finding {
	var found []Finding
	for _, o := range c.objects {
		found = append(found, probePorts(o)...)
		found = append(found, c.targetPorts(o)...)
		found = append(found, c.scaled(o)...)
		for _, ref := range relations.References(o.Kind, o.Fields) {
			if to := c.find(ref); to != nil {
				found = append(found, missingPort(o, ref, to)...)
				found = append(found, missingKeys(o, ref, to)...)
			}
		}
	}
	return found
}

// isOpen reports whether a value at the path or below it is not known yet, or must not be
// shown.
func (o *Object) isOpen(path addrs.Path) bool {
	return o.Unknown.Touches(path) || o.Sensitive.Touches(path)
}
