package kinds

import (
	"fmt"
	"slices"

	"kplan.dev/kplan/kinds/internal/manifest"
)

// FromCRD describes the kinds that a CustomResourceDefinition declares, one for
// each version that it serves, in the manifest's order. The manifest is in JSON
// form, of apiVersion apiextensions.k8s.io/v1. It is kept: do not change it
// afterwards.
func FromCRD(crd map[string]any) ([]*Kind, error) {
	spec := manifest.Object(crd, "spec")
	names := manifest.Object(spec, "names")
	group, name, plural := manifest.Text(spec, "group"), manifest.Text(names, "kind"), manifest.Text(names, "plural")
	switch {
	case manifest.Text(crd, "kind") != "CustomResourceDefinition" || manifest.Text(crd, "apiVersion") != "apiextensions.k8s.io/v1":
		return nil, fmt.Errorf("%s %s is not a CustomResourceDefinition of apiextensions.k8s.io/v1", manifest.Text(crd, "apiVersion"),
			manifest.Text(crd, "kind"))
	case group == "" || name == "" || plural == "":
		return nil, fmt.Errorf("CustomResourceDefinition %s lacks spec.group, spec.names.kind or spec.names.plural",
			manifest.Text(manifest.Object(crd, "metadata"), "name"))
	}
	var all []*Kind
	for i, v := range manifest.List(spec, "versions") {
		version, _ := v.(map[string]any)
		switch {
		case manifest.Text(version, "name") == "":
			return nil, fmt.Errorf("CustomResourceDefinition %s.%s lacks spec.versions[%d].name", plural, group, i)
		case !manifest.Flag(version, "served"):
			continue
		}
		k := &Kind{Group: group, Version: manifest.Text(version, "name"), Name: name, Plural: plural,
			Namespaced: manifest.Text(spec, "scope") != "Cluster", Schema: manifest.Object(manifest.Object(version, "schema"), "openAPIV3Schema")}
		if manifest.Object(version, "subresources")["status"] != nil {
			k.resets = []string{"status"}
		}
		k.describe(&schemaReader{seen: map[component]*children{}}, k.Schema)
		all = append(all, k)
	}
	return all, nil
}

// describe makes the kind's Root of a schema; without one the shape is unknown.
func (k *Kind) describe(r *schemaReader, s map[string]any) {
	all := builtin().pathRules(k.GroupKind())
	k.resets = append(k.resets, all.rules.fieldsWith(reset)...)
	if !slices.Contains(k.resets, "status") { // then it is a field like any other
		all.rules = all.rules.without("status")
	}
	k.Root = r.field("", s, all, false)
	if k.Root.Type != Object {
		*k.Root = Field{Type: Object, Elem: anyBelow(&Field{})}
	}
	k.Root.KeepsEmpty, k.Root.Required = true, false
	ownObject(k.Root, all)
}

// Opaque is a kind of unknown shape: it takes any field beside apiVersion, kind
// and metadata.
func Opaque(group, version, name, plural string, namespaced bool) *Kind {
	return FromExcerpt(group, version, name, plural, namespaced, nil)
}
