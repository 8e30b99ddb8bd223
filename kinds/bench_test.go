package kinds

import "testing"

const benchPod = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","namespace":"acme","labels":{"app":"web","tier":"front"},"annotations":{"a":"b"}},
"spec":{"containers":[{"name":"app","image":"nginx:1","ports":[{"containerPort":9080,"name":"http"},{"containerPort":9090}],
"env":[{"name":"A","value":"1"},{"name":"B","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}}],
"resources":{"requests":{"cpu":"0.5","memory":"512Mi"},"limits":{"cpu":"1000m","memory":"1024Mi"}},
"volumeMounts":[{"name":"data","mountPath":"/data"}],"readinessProbe":{"httpGet":{"path":"/","port":"http"},"periodSeconds":5}}],
"volumes":[{"name":"data","emptyDir":{}}],"nodeSelector":{"disk":"ssd"},"tolerations":[{"key":"a","operator":"Exists"}]}}`

func pod(b testing.TB) (*Kind, map[string]any) {
	b.Helper()
	k, err := Builtin().Lookup("Pod", "")
	if err != nil {
		b.Fatal(err)
	}
	return k, decodeJSON(b, benchPod)
}

// A program that starts: reading the table and describing every field of a Pod.
func BenchmarkColdPod(b *testing.B) {
	for b.Loop() {
		t := readTable(builtinText)
		for _, line := range t.kinds {
			if line.name == "Pod" {
				_ = t.kind(line).Root.Field("spec").Field("containers").Elem.Fields()
			}
		}
	}
}

func BenchmarkLookup(b *testing.B) {
	s := Builtin()
	for b.Loop() {
		if _, err := s.Lookup("Deployment", ""); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBuiltinSet(b *testing.B) {
	for b.Loop() {
		t := readTable(builtinText)
		all := make([]*Kind, len(t.kinds))
		for i, line := range t.kinds {
			all[i] = t.kind(line)
		}
		new(Set).With(all...)
	}
}

func BenchmarkFieldSet(b *testing.B) {
	k, obj := pod(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.FieldSet(obj); err != nil {
			b.Fatal(err)
		}
	}
}

// What FieldSet saves: the same by way of structured merge.
func BenchmarkFieldSetByStructuredMerge(b *testing.B) {
	k, obj := pod(b)
	p := k.Parseable()
	b.ReportAllocs()
	for b.Loop() {
		tv, err := p.FromUnstructured(obj)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := tv.ToFieldSet(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEqual(b *testing.B) {
	k, obj := pod(b)
	_, other := pod(b)
	b.ReportAllocs()
	for b.Loop() {
		if !k.Root.Equal(obj, other) {
			b.Fatal("not equal")
		}
	}
}
