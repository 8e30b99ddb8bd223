package addrs

import "testing"

// TestLocate: the server does not quote the keys of maps, and the object shows where they end.
func TestLocate(t *testing.T) {
	object := map[string]any{
		"metadata": map[string]any{"labels": map[string]any{"a": "x", "a.b/c": "y", "a.b": "z", "a]": "q"}},
		"spec": map[string]any{
			"limits":     map[string]any{"example.com/gpu": map[string]any{"size": 1}},
			"example":    map[string]any{"com/gpu": 1},
			"ports":      []any{map[string]any{"port": 80, "notes": map[string]any{"a.b": "c"}}},
			"containers": []any{map[string]any{"name": "app", "env": []any{}}},
		},
	}
	for text, want := range map[string]string{
		"":                          "",
		"<nil>":                     "",
		"[]":                        "",
		".spec.replicas":            "spec.replicas",
		"data[tls.crt]":             `data["tls.crt"]`,
		"metadata.annotations[a/b]": `metadata.annotations["a/b"]`,
		"spec.containers[0].image":  "spec.containers[0].image",
		`.spec.ports[port=80,protocol="TCP"].name`: `spec.ports[port=80,protocol="TCP"].name`,
		`.metadata.finalizers["example.com/x"]`:    `metadata.finalizers["example.com/x"]`,
		"metadata.labels[a=b]":                     "metadata.labels",
		"spec.x[<bad>=].y":                         "spec.x",

		"metadata.labels.a":                   "metadata.labels.a",
		"metadata.labels.a.b":                 `metadata.labels["a.b"]`,
		"metadata.labels.a.b/c":               `metadata.labels["a.b/c"]`,
		"metadata.labels[a.b/c]":              `metadata.labels["a.b/c"]`,
		`metadata.labels["a.b/c"]`:            `metadata.labels["a.b/c"]`,
		".metadata.labels.a.b/c":              `metadata.labels["a.b/c"]`,
		"spec.limits.example.com/gpu.size":    `spec.limits["example.com/gpu"].size`,
		"spec.limits.example.com/gpu.color":   `spec.limits["example.com/gpu"].color`,
		"spec.limits[example.com/gpu].color":  `spec.limits["example.com/gpu"].color`,
		"spec.limits.example.com/gpu[<bad>=]": `spec.limits["example.com/gpu"]`,
		"spec.example.com/gpu":                `spec.example["com/gpu"]`,
		"spec.ports[0].notes.a.b":             `spec.ports[0].notes["a.b"]`,
		".spec.ports[port=80].notes.a.b":      `spec.ports[port=80].notes["a.b"]`,
		"spec.ports[1].notes.a.b":             "spec.ports[1].notes.a.b",
	} {
		if got := Locate(object, text).String(); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
