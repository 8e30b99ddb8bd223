// Package relations describes what objects mean to each other: which other objects one
// refers to by name, which pods it selects, and what the API server judges and completes
// it by without any name.
//
// It is one table with many readers: the order of objects, what a planned answer of the
// server depends on, and the checks of meaning.
package relations

import (
	"slices"
	"strings"
	"sync"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/internal/manifest"
)

// Reference is the name of another object in a field.
type Reference struct {
	// To is the object, without a version. Of a kind that the table does not know it has a
	// namespace though the kind may have none: see Names.
	To addrs.Object
	// Path is the field that holds the name.
	Path addrs.Path
	// Optional reports whether the object works without the other: the manifest says so, or
	// the name has a meaning of its own.
	Optional bool
	// Implied reports whether no field holds the name: a pod that names no account has the
	// one named default.
	Implied bool
}

// Names are the objects that the reference may mean: the kind may have namespaces or not.
func (r Reference) Names() []addrs.Object {
	if r.To.Namespace == "" {
		return []addrs.Object{r.To}
	}
	clusterWide := r.To
	clusterWide.Namespace = ""
	return []addrs.Object{r.To, clusterWide}
}

// References are the objects that an object of the kind refers to by name, in the order of
// the table. Fields that are not known are left out.
func References(kind *kinds.Kind, object map[string]any) []Reference {
	f := finder{namespace: manifest.Text(manifest.Object(object, "metadata"), "namespace")}
	if f.namespace == "" && kind.Namespaced {
		f.namespace = "default"
	}
	f.apply(compiled().any, object, nil)
	f.apply(compiled().of[kind.GroupKind()], object, nil)
	if template, ok := kind.PodTemplate(); ok {
		steps := make([]any, 0, 8)
		var spec any = object
		for _, step := range template.Field("spec").Steps() {
			fields, _ := spec.(map[string]any)
			spec, steps = fields[step.Field], append(steps, step.Field)
		}
		if spec, ok := spec.(map[string]any); ok {
			f.apply(compiled().pod, spec, steps)
			f.account(spec, steps)
		}
	}
	return f.found
}

// finder collects references.
type finder struct {
	namespace string
	found     []Reference
}

func (f *finder) apply(rules []compiledRule, object map[string]any, trail []any) {
	for i := range rules {
		f.follow(&rules[i], rules[i].steps, object, trail)
	}
}

// follow goes down to the fields that a rule means.
func (f *finder) follow(r *compiledRule, steps []string, value any, trail []any) {
	object, ok := value.(map[string]any)
	if !ok {
		return
	}
	if len(steps) == 0 {
		f.untyped(object, trail)
		return
	}
	field, isList := strings.CutSuffix(steps[0], "[]")
	next, there := object[field]
	switch {
	case !there:
		return
	case isList:
		list, _ := next.([]any)
		for i, element := range list {
			if name, ok := element.(string); ok && len(steps) == 1 {
				f.named(r, object, name, with(trail, field, i))
				continue
			}
			f.follow(r, steps[1:], element, with(trail, field, i))
		}
	case len(steps) == 1 && !r.untyped:
		name, _ := next.(string)
		f.named(r, object, name, with(trail, field))
	default:
		f.follow(r, steps[1:], next, with(trail, field))
	}
}

func with(trail []any, steps ...any) []any { return slices.Concat(trail, steps) }

// named adds a reference to an object of the rule's kind. Its neighbors in the manifest
// are the namespace, and whether it is optional.
func (f *finder) named(r *compiledRule, neighbors map[string]any, name string, trail []any) {
	if name == "" {
		return
	}
	ref := Reference{
		To:       addrs.Object{Group: r.to.Group, Kind: r.to.Kind, Namespace: f.namespace, Name: name},
		Optional: r.optional || manifest.Flag(neighbors, "optional"), Path: pathOf(trail),
	}
	switch namespace := manifest.Text(neighbors, "namespace"); {
	case clusterWide[r.to]:
		ref.To.Namespace = ""
	case namespace != "":
		ref.To.Namespace = namespace
	}
	f.found = append(f.found, ref)
}

// untyped adds a reference that holds the kind, too.
func (f *finder) untyped(ref map[string]any, trail []any) {
	to := addrs.Object{Kind: manifest.Text(ref, "kind"), Name: manifest.Text(ref, "name"), Namespace: f.namespace}
	if namespace := manifest.Text(ref, "namespace"); namespace != "" {
		to.Namespace = namespace
	}
	if apiVersion := manifest.Text(ref, "apiVersion"); apiVersion != "" {
		to.Group, _, _ = addrs.SplitAPIVersion(apiVersion)
	} else {
		to.Group = manifest.Text(ref, "apiGroup") + manifest.Text(ref, "group")
	}
	if to.Kind == "" || to.Name == "" || to.Group == rbacGroup && (to.Kind == "User" || to.Kind == "Group") {
		return
	}
	if clusterWide[to.GroupKind()] {
		to.Namespace = ""
	}
	f.found = append(f.found, Reference{To: to, Path: pathOf(with(trail, "name"))})
}

// account adds the service account that a pod has without naming one.
func (f *finder) account(spec map[string]any, trail []any) {
	if manifest.Text(spec, "serviceAccountName") == "" && manifest.Text(spec, "serviceAccount") == "" {
		f.found = append(f.found, Reference{
			To:       addrs.Object{Kind: kinds.ServiceAccount.Kind, Namespace: f.namespace, Name: "default"},
			Path:     pathOf(with(trail, "serviceAccountName")),
			Optional: true, Implied: true,
		})
	}
}

func pathOf(trail []any) addrs.Path {
	var p addrs.Path
	for _, step := range trail {
		switch step := step.(type) {
		case string:
			p = p.Field(step)
		case int:
			p = p.Index(step)
		}
	}
	return p
}

// compiledRule is a rule whose place is cut into steps.
type compiledRule struct {
	rule
	steps []string
}

type compiledTable struct {
	any, pod []compiledRule
	of       map[addrs.GroupKind][]compiledRule
}

var compiled = sync.OnceValue(func() *compiledTable {
	t := &compiledTable{any: compile(everyKind), pod: compile(podSpec()), of: map[addrs.GroupKind][]compiledRule{}}
	for kind, rules := range byKind {
		t.of[kind] = compile(rules)
	}
	return t
})

func compile(rules []rule) []compiledRule {
	all := make([]compiledRule, len(rules))
	for i, r := range rules {
		steps := strings.Split(r.at, ".")
		for n := range steps {
			steps[n] = strings.ReplaceAll(steps[n], "\x00", ".") // the key of an annotation
		}
		all[i] = compiledRule{r, steps}
	}
	return all
}
