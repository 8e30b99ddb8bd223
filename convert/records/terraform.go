package records

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/convert/live"
	"kplan.dev/kplan/kinds"
)

// terraformState is a state of Terraform, or what terraform show -json makes of one. The formats are those of
// version 4 of the state and of version 1 of the JSON output.
type terraformState struct {
	Version   int                 `json:"version"`
	Format    string              `json:"format_version"`
	Resources []terraformResource `json:"resources"`
	Values    *struct {
		Root terraformModule `json:"root_module"`
	} `json:"values"`
}

type terraformResource struct {
	Module    string `json:"module"`
	Mode      string `json:"mode"`
	Type      string `json:"type"`
	Name      string `json:"name"`
	Instances []struct {
		Key        any             `json:"index_key"`
		Attributes json.RawMessage `json:"attributes"`
	} `json:"instances"`
}

type terraformModule struct {
	Resources []struct {
		Address string          `json:"address"`
		Mode    string          `json:"mode"`
		Type    string          `json:"type"`
		Values  json.RawMessage `json:"values"`
	} `json:"resources"`
	Children []terraformModule `json:"child_modules"`
}

// Terraform reads the objects of Kubernetes in a state of Terraform or OpenTofu: what terraform state pull or
// terraform show -json prints. The error says what is wrong with the text.
func Terraform(text []byte) (*live.Record, error) {
	s := terraformState{}
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, fmt.Errorf("it is no JSON of Terraform: %w", err)
	}
	record := &live.Record{}
	switch {
	case s.Values != nil:
		addModule(record, s.Values.Root)
	case s.Format != "":
		return nil, errors.New("it has no values: it is of an empty state, or of a plan, whose state is not applied yet")
	case s.Version == 0:
		return nil, errors.New("it is not in the format of a state")
	case s.Version != 4:
		return nil, fmt.Errorf("it is a state in the format of version %d; Terraform writes version 4 since 0.12", s.Version)
	}
	for _, r := range s.Resources {
		for _, i := range r.Instances {
			address := strings.TrimPrefix(r.Module+"."+r.Type+"."+r.Name, ".")
			if i.Key != nil {
				key, _ := json.Marshal(i.Key)
				address += "[" + string(key) + "]"
			}
			addResource(record, address, r.Mode, r.Type, i.Attributes)
		}
	}
	return record, nil
}

func addModule(record *live.Record, m terraformModule) {
	for _, r := range m.Resources {
		addResource(record, r.Address, r.Mode, r.Type, r.Values)
	}
	for _, child := range m.Children {
		addModule(record, child)
	}
}

// addResource adds an instance of a resource: a reference to its object, or why there is none.
func addResource(record *live.Record, address, mode, kind string, attributes json.RawMessage) {
	if mode != "managed" { // a data source is read, and not managed
		return
	}
	ref, why := terraformReference(kind, attributes)
	if why != "" {
		record.Left = append(record.Left, live.Left{What: address, Why: why})
		return
	}
	record.References = append(record.References, ref)
}

// terraformPatches are resources of the provider that set fields of objects, and manage none.
var terraformPatches = map[string]bool{"annotations": true, "labels": true, "env": true, "nodetaint": true, "configmapv1data": true,
	"secretv1data": true, "defaultserviceaccount": true, "tokenrequest": true}

// terraformVersion is the version at the end of a type: kubernetes_deployment_v1.
var terraformVersion = regexp.MustCompile(`_v[0-9]+((alpha|beta)[0-9]+)?$`)

// terraformReference is the object of a resource's attributes, or why there is none.
func terraformReference(kind string, attributes json.RawMessage) (ref live.Reference, why string) {
	switch kind {
	case "kubernetes_manifest":
		return ofManifest(attributes)
	case "kubectl_manifest":
		return ofKubectl(attributes)
	case "helm_release":
		return ref, "it is a release of Helm, whose own record can be imported"
	}
	typed, ok := strings.CutPrefix(kind, "kubernetes_")
	if !ok {
		return ref, "it is no object of Kubernetes"
	}
	if spelled := strings.ReplaceAll(typed, "_", ""); terraformPatches[spelled] || terraformPatches[strings.TrimSuffix(spelled, "v1")] {
		return ref, "it sets fields of an object that something else has made"
	}
	version := terraformVersion.FindString(typed)
	spelled := strings.ReplaceAll(strings.TrimSuffix(typed, version), "_", "")
	for _, k := range kinds.Builtin().Kinds() {
		if strings.EqualFold(k.Name, spelled) && kinds.IsBuiltinGroup(k.Group) && (version == "" || k.Version == version[1:]) {
			return ofTyped(k, attributes)
		}
	}
	return ref, "kplan knows no such kind"
}

const withoutName = "its attributes have no name"

// ofTyped is the object of a resource that is named by its kind. Its metadata is a list with one element.
func ofTyped(k *kinds.Kind, attributes json.RawMessage) (ref live.Reference, why string) {
	var of struct {
		Metadata []struct{ Name, Namespace string } `json:"metadata"`
	}
	if err := json.Unmarshal(attributes, &of); err != nil || len(of.Metadata) == 0 || of.Metadata[0].Name == "" {
		return ref, withoutName
	}
	return live.Reference{APIVersion: k.APIVersion(), Kind: k.Name, Namespace: of.Metadata[0].Namespace, Name: of.Metadata[0].Name}, ""
}

// ofManifest is the object of a kubernetes_manifest: a value, or in a state a value beside its type.
func ofManifest(attributes json.RawMessage) (ref live.Reference, why string) {
	var of struct {
		Manifest map[string]any `json:"manifest"`
		Object   map[string]any `json:"object"` // as the server has it, so with the namespace
	}
	if err := json.Unmarshal(attributes, &of); err != nil {
		return ref, withoutName
	}
	for _, fields := range []map[string]any{of.Object, of.Manifest} {
		if value, isDynamic := fields["value"].(map[string]any); isDynamic && fields["kind"] == nil {
			fields = value
		}
		if o := (&unstructured.Unstructured{Object: fields}); o.GetKind() != "" && o.GetName() != "" {
			return referenceTo(o, ""), ""
		}
	}
	return ref, withoutName
}

// ofKubectl is the object of a kubectl_manifest, which names it in attributes of its own.
func ofKubectl(attributes json.RawMessage) (ref live.Reference, why string) {
	var of struct {
		APIVersion string `json:"api_version"`
		Kind       string `json:"kind"`
		Namespace  string `json:"namespace"`
		Name       string `json:"name"`
	}
	if err := json.Unmarshal(attributes, &of); err != nil || of.Kind == "" || of.Name == "" {
		return ref, withoutName
	}
	return live.Reference{APIVersion: of.APIVersion, Kind: of.Kind, Namespace: of.Namespace, Name: of.Name}, ""
}
