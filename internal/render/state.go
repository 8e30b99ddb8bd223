package render

import (
	"io"
	"maps"
	"slices"

	"kplan.dev/kplan/state"
)

// jsonState is a state in the format of `terraform show -json`.
type jsonState struct {
	FormatVersion    string     `json:"format_version"`
	TerraformVersion string     `json:"terraform_version"`
	KplanVersion     string     `json:"kplan_version"`
	Lineage          string     `json:"lineage"`
	Serial           uint64     `json:"serial"`
	Cluster          string     `json:"cluster,omitempty"`
	Values           jsonValues `json:"values"`
}

// StateJSON writes a state for machines. As the state itself, it shows which
// objects there are and not what is in them.
func StateJSON(w io.Writer, s *state.State, version string) error {
	doc := jsonState{
		FormatVersion: "1.0", TerraformVersion: version, KplanVersion: version,
		Lineage: s.Lineage, Serial: s.Serial, Cluster: s.Cluster,
		Values: jsonValues{Outputs: map[string]jsonOutput{}},
	}
	for _, o := range s.Objects {
		doc.Values.RootModule.add(o.Addr, stateResource(o))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Outputs)) {
		o := s.Outputs[name]
		doc.Values.Outputs[name] = Output{name, o.Value, o.Type, o.Sensitive}.json()
	}
	return writeJSON(w, doc, true)
}

func stateResource(o state.Object) jsonResource {
	metadata := map[string]any{"name": o.Object.Name, "uid": o.UID}
	if o.Object.Namespace != "" {
		metadata["namespace"] = o.Object.Namespace
	}
	r := jsonResource{
		Values:          map[string]any{"apiVersion": o.Object.APIVersion(), "kind": o.Object.Kind, "metadata": metadata},
		SensitiveValues: map[string]any{},
	}
	for _, n := range o.Dependencies {
		r.DependsOn = append(r.DependsOn, n.String())
	}
	if o.Deposed {
		r.DeposedKey = o.UID
	}
	return r
}

// managedObject is one in a list.
type managedObject struct {
	Address    string `json:"address"`
	APIVersion string `json:"api_version"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name"`
	UID        string `json:"uid"`
	Deposed    bool   `json:"deposed,omitempty"`
}

// ObjectsJSON writes which objects these are, in a list, without their values.
func ObjectsJSON(w io.Writer, objects []state.Object) error {
	list := make([]managedObject, len(objects))
	for i, o := range objects {
		list[i] = managedObject{
			Address: o.Addr.String(), APIVersion: o.Object.APIVersion(), Kind: o.Object.Kind, Namespace: o.Object.Namespace,
			Name: o.Object.Name, UID: o.UID, Deposed: o.Deposed,
		}
	}
	return writeJSON(w, list, true)
}
