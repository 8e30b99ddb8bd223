package kinds

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/json"

	"kplan.dev/kplan/kinds/internal/manifest"
)

// FromOpenAPIv3 describes the kinds of one group version from the OpenAPI v3
// document that an API server gives for it, ordered by group, version and name.
// Kinds that can't be kept, such as lists, options and reviews, are left out.
// Plural and Namespaced are read from the document's paths; a document without
// paths leaves them to the caller.
func FromOpenAPIv3(doc []byte) ([]*Kind, error) {
	var root map[string]any
	if err := json.Unmarshal(doc, &root); err != nil {
		return nil, fmt.Errorf("OpenAPI document: %w", err)
	}
	components := manifest.Object(manifest.Object(root, "components"), "schemas")
	if components == nil {
		return nil, errors.New("OpenAPI document: it has no components.schemas")
	}
	r := &schemaReader{components: components, seen: map[component]*children{}}
	served := servedKinds(manifest.Object(root, "paths"))
	var all []*Kind
	for name := range components {
		gvk, ok := kindOf(manifest.Object(components, name))
		if !ok || strings.HasSuffix(gvk.name, "List") && served == nil {
			continue
		}
		k := &Kind{Group: gvk.group, Version: gvk.version, Name: gvk.name}
		if served != nil {
			at := served[gvk]
			if at == nil || !at.kept {
				continue
			}
			k.Plural, k.Namespaced = at.plural, at.namespaced
			if at.status {
				k.resets = []string{"status"}
			}
		}
		k.describe(r, map[string]any{"$ref": name})
		all = append(all, k)
	}
	slices.SortFunc(all, func(a, b *Kind) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Version, b.Version), cmp.Compare(a.Name, b.Name))
	})
	return all, nil
}

// versionedKind is how a document names a kind.
type versionedKind struct{ group, version, name string }

// kindOf is the kind that a schema or an operation is of. What is of many
// kinds, such as DeleteOptions, is of none.
func kindOf(m map[string]any) (versionedKind, bool) {
	v := m["x-kubernetes-group-version-kind"]
	if several, ok := v.([]any); ok && len(several) == 1 {
		v = several[0]
	}
	gvk, ok := v.(map[string]any)
	return versionedKind{manifest.Text(gvk, "group"), manifest.Text(gvk, "version"), manifest.Text(gvk, "kind")}, ok
}

// servedKind is a kind as the paths of a document describe it.
type servedKind struct {
	plural     string
	namespaced bool
	kept       bool // single objects of it can be read and applied
	status     bool // it has the subresource
}

// servedKinds reads the paths of a document, nil when it has none. A path is
// /apis/GROUP/VERSION/namespaces/{namespace}/PLURAL/{name}/status, or shorter.
func servedKinds(paths map[string]any) map[versionedKind]*servedKind {
	if len(paths) == 0 {
		return nil
	}
	served := map[versionedKind]*servedKind{}
	for path := range paths {
		plural, namespaced, subresource, ok := splitPath(path)
		operations := manifest.Object(paths, path)
		gvk, known := kindOf(manifest.Object(operations, "get"))
		if !ok || !known || subresource != "" && subresource != "status" {
			continue
		}
		k := served[gvk]
		if k == nil {
			k = &servedKind{}
			served[gvk] = k
		}
		if subresource == "status" {
			k.status = true
			continue
		}
		k.plural, k.namespaced, k.kept = plural, namespaced, operations["patch"] != nil
	}
	return served
}

// splitPath takes apart the path of single objects.
func splitPath(path string) (plural string, namespaced bool, subresource string, ok bool) {
	steps := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case steps[0] == "api" && len(steps) > 2:
		steps = steps[2:]
	case steps[0] == "apis" && len(steps) > 3:
		steps = steps[3:]
	default:
		return "", false, "", false
	}
	if len(steps) > 2 && steps[0] == "namespaces" && steps[1] == "{namespace}" {
		namespaced, steps = true, steps[2:]
	}
	if len(steps) < 2 || len(steps) > 3 || steps[1] != "{name}" {
		return "", false, "", false
	}
	return steps[0], namespaced, strings.Join(steps[2:], ""), true
}
