package plan_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os/exec"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
)

// mutate changes a live object as somebody else would. What the server refuses
// is no mutation.
func (r *round) mutate() {
	if len(r.state.Objects) == 0 {
		return
	}
	entry := r.state.Objects[r.IntN(len(r.state.Objects))]
	o := entry.Object
	m := r.desiredFor(entry.Addr)
	if m == nil || m.rule != nil || o.Kind == "Namespace" || o.Kind == "CustomResourceDefinition" {
		return
	}
	live, ok := r.get(o)
	if !ok {
		return
	}
	if r.disturb(o, m, live) {
		r.touched[o.Identity()] = true
	}
}

// desiredFor is the resource of that address.
func (r *round) desiredFor(addr addrs.Instance) *made {
	for _, m := range r.resources {
		if m.block == addr.Resource.Name && m.Kind == addr.Resource.Type {
			return m
		}
	}
	return nil
}

func (r *round) disturb(o addrs.Object, m *made, live *unstructured.Unstructured) bool {
	word := words[r.IntN(len(words))]
	switch r.IntN(18) {
	case 0:
		return r.kubectlOn(o, nil, "label", "--overwrite", "color="+word)
	case 1:
		return r.kubectlOn(o, nil, "annotate", "--overwrite", "note="+word)
	case 2:
		return r.kubectlOn(o, nil, "label", addrs.StackLabel+"-")
	case 3:
		return r.kubectlOn(o, nil, "annotate", addrs.AddressAnnotation+"-")
	case 4:
		return r.kubectlOn(o, nil, "label", "tier-")
	case 5:
		return scales(o) && r.kubectlOn(o, nil, "scale", fmt.Sprintf("--replicas=%d", r.IntN(4)))
	case 6:
		return rolls(o) && r.kubectlOn(o, nil, "set", "image", "*=nginx:"+word)
	case 7:
		return rolls(o) && r.kubectlOn(o, nil, "rollout", "restart")
	case 8:
		return r.kubectlOn(o, nil, "delete", "--wait=true", "--grace-period=0", "--force")
	case 9:
		return r.again(o, m)
	case 10:
		return r.kubectlOn(o, nil, "patch", "--type=merge", "-p", `{"metadata":{"managedFields":[{}]}}`)
	case 11:
		return r.removeField(o, m, live)
	case 12, 13:
		return r.applyBeside(o, m)
	case 14:
		return r.replaceWhole(o, m, live)
	}
	kind := "--type=merge"
	if m.Kind != "Database" && r.IntN(2) == 0 {
		kind = "--type=strategic"
	}
	return r.kubectlOn(o, nil, "patch", kind, "-p", string(r.fragment(o, m)))
}

var words = []string{"one", "two", "three"}

func scales(o addrs.Object) bool {
	return slices.Contains([]string{"Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"}, o.Kind)
}

func rolls(o addrs.Object) bool {
	return slices.Contains([]string{"Deployment", "StatefulSet", "DaemonSet"}, o.Kind)
}

// fragment is an alternative of what the kind's objects may have, as it would
// be patched in.
func (r *round) fragment(o addrs.Object, m *made) []byte {
	fragment := map[string]any{}
	if len(m.Choices) > 0 {
		alternatives := m.Choices[r.IntN(len(m.Choices))]
		fragment = alternatives[r.IntN(len(alternatives))]
	}
	return r.asJSON(o, fragment)
}

func (r *round) asJSON(o addrs.Object, fields map[string]any) []byte {
	data, err := json.Marshal(fields)
	if err != nil {
		r.Fatal(err)
	}
	text := strings.ReplaceAll(r.withNames(string(data)), "NAME", o.Name)
	return []byte(referring.ReplaceAllString(text, `"$1"`))
}

// referring matches a reference and what replaces it.
var referring = regexp.MustCompile(`"@[^"|]*\|([^"]*)"`)

// whole is a manifest of the object with a fragment of the kind's own.
func (r *round) whole(o addrs.Object, fields map[string]any) []byte {
	metadata := map[string]any{"name": o.Name}
	if o.Namespace != "" {
		metadata["namespace"] = o.Namespace
	}
	return r.asJSON(o, merged(fields, map[string]any{"apiVersion": o.APIVersion(), "kind": o.Kind, "metadata": metadata}))
}

// applyBeside is another manager's apply, from either side.
func (r *round) applyBeside(o addrs.Object, m *made) bool {
	fields := map[string]any{"metadata": map[string]any{"labels": map[string]any{"beside": "yes"}}}
	if len(m.Choices) > 0 {
		alternatives := m.Choices[r.IntN(len(m.Choices))]
		fields = merged(fields, alternatives[r.IntN(len(alternatives))])
	}
	manifest := r.whole(o, fields)
	if r.IntN(3) == 0 {
		return r.tryKubectl(manifest, "apply", "--validate=false", "-f", "-")
	}
	return r.tryKubectl(manifest, "apply", "--server-side", "--force-conflicts", "--validate=false", "--field-manager=other", "-f", "-")
}

// replaceWhole is an edit: the whole object is sent back with another value.
func (r *round) replaceWhole(o addrs.Object, m *made, live *unstructured.Unstructured) bool {
	var fragment map[string]any
	if err := json.Unmarshal(r.fragment(o, m), &fragment); err != nil {
		r.Fatal(err)
	}
	edited := merged(live.Object, fragment)
	data, err := json.Marshal(edited)
	if err != nil {
		r.Fatal(err)
	}
	return r.tryKubectl(data, "replace", "--validate=false", "-f", "-")
}

// again deletes the object and creates it again, as someone would who had the
// manifest.
func (r *round) again(o addrs.Object, m *made) bool {
	if !r.kubectlOn(o, nil, "delete", "--wait=true", "--grace-period=0", "--force") {
		return false
	}
	how := [][]string{{"create"}, {"apply"}, {"apply", "--server-side"}}[r.IntN(3)]
	r.tryKubectl(r.whole(o, m.fields()), append(how, "--validate=false", "-f", "-")...)
	return true
}

// removeField takes out one value that the configuration sets.
func (r *round) removeField(o addrs.Object, m *made, live *unstructured.Unstructured) bool {
	leaves := pointers(m.fields(), "")
	if len(leaves) == 0 {
		return false
	}
	patch, err := json.Marshal([]any{map[string]any{"op": "remove", "path": leaves[r.IntN(len(leaves))]}})
	if err != nil {
		r.Fatal(err)
	}
	return r.kubectlOn(o, nil, "patch", "--type=json", "-p", string(patch))
}

// pointers are the JSON pointers of everything in a value.
func pointers(value any, at string) []string {
	var found []string
	below := func(step string, v any) {
		pointer := at + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(step)
		found = append(append(found, pointer), pointers(v, pointer)...)
	}
	switch v := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			below(name, v[name])
		}
	case []any:
		for i, element := range v {
			below(fmt.Sprint(i), element)
		}
	}
	return found
}

// kubectlOn runs a command of kubectl about one object and reports whether it
// went through.
func (r *round) kubectlOn(o addrs.Object, stdin []byte, command string, args ...string) bool {
	line := []string{command}
	if command == "set" || command == "rollout" {
		line, args = append(line, args[0]), args[1:]
	}
	target := resourceName(o)
	line = append(line, target)
	if o.Namespace != "" {
		line = append(line, "-n", o.Namespace)
	}
	return r.tryKubectl(stdin, append(line, args...)...)
}

// resourceName names an object as kubectl takes it.
func resourceName(o addrs.Object) string {
	if o.Group == "" {
		return o.Kind + "/" + o.Name
	}
	return fmt.Sprintf("%s.%s.%s/%s", o.Kind, o.Version, o.Group, o.Name)
}

func (r *round) tryKubectl(stdin []byte, args ...string) bool {
	cmd := exec.CommandContext(r.Context(), "kubectl", append([]string{"--kubeconfig", r.kubeconfig}, args...)...)
	cmd.Stdin = bytes.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	r.tell("kubectl %s", strings.Join(args, " "))
	if len(stdin) > 0 {
		r.tell("  %s", stdin)
	}
	r.tell("  %s", bytes.TrimSpace(out))
	return err == nil
}
