package convert

import (
	"fmt"
	"strings"
	"testing"
)

// shop is a bundle of five objects for each of n services, in one namespace.
func shop(n int) string {
	var b strings.Builder
	b.WriteString("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n")
	for i := range n {
		fmt.Fprintf(&b, `---
# Source: shop/templates/service-%[1]d.yaml
apiVersion: apps/v1
kind: Deployment
metadata:
  name: service-%[1]d
  namespace: shop
  labels: {app.kubernetes.io/name: service-%[1]d, app.kubernetes.io/part-of: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: service-%[1]d}}
  template:
    metadata: {labels: {app: service-%[1]d}}
    spec:
      serviceAccountName: service-%[1]d
      containers:
      - name: app
        image: registry.example/service-%[1]d:1.4.2 # pinned
        args: ["--listen=:8080", "--config=/etc/app/config.yaml"]
        ports: [{name: http, containerPort: 8080}]
        envFrom: [{secretRef: {name: service-%[1]d}}]
        readinessProbe: {httpGet: {path: /ready, port: http}}
        resources: {requests: {cpu: 100m, memory: 128Mi}, limits: {memory: 256Mi}}
        volumeMounts: [{name: config, mountPath: /etc/app}]
      volumes: [{name: config, configMap: {name: service-%[1]d}}]
---
apiVersion: v1
kind: Service
metadata: {name: service-%[1]d, namespace: shop}
spec:
  selector: {app: service-%[1]d}
  ports: [{name: http, port: 80, targetPort: http}]
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: service-%[1]d, namespace: shop}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: service-%[1]d, namespace: shop}
data:
  config.yaml: |
    listen: ":8080"
    upstream: service-%[1]d
    features: [a, b, c]
---
apiVersion: v1
kind: Secret
metadata: {name: service-%[1]d, namespace: shop}
stringData: {PASSWORD: "hunter%[1]d"}
`, i)
	}
	return b.String()
}

// definitions are n definitions of custom kinds of about 40 kB, and an object of each.
func definitions(n int) string {
	var properties strings.Builder
	for i := range 235 {
		fmt.Fprintf(&properties, `              field%d:
                description: What the field is for, in a sentence of usual length that explains it.
                type: string
                maxLength: 63
`, i)
	}
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  annotations: {controller-gen.kubebuilder.io/version: v0.18.0}
  name: kind%[1]ds.example.com
spec:
  group: example.com
  names: {kind: Kind%[1]d, plural: kind%[1]ds}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
%[2]s---
apiVersion: example.com/v1
kind: Kind%[1]d
metadata: {name: one, namespace: default}
spec: {field1: a}
`, i, properties.String())
	}
	return b.String()
}

func benchmark(b *testing.B, text string, opts Options) {
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		objects, diags := Read("bundle.yaml", text)
		c, problems := New(objects, opts)
		if len(diags)+len(problems) > 0 {
			b.Fatal(diags, problems)
		}
		b.ReportMetric(float64(len(c.Blocks)), "objects")
		b.ReportMetric(float64(len(c.Whole().origin)), "lines")
	}
}

// BenchmarkShop converts a bundle of 301 objects, 215 kB.
func BenchmarkShop(b *testing.B) { benchmark(b, shop(60), Options{SecretVariables: true, Files: true}) }

// BenchmarkDefinitions converts 2,400 objects, half of them definitions, of 52 MB.
func BenchmarkDefinitions(b *testing.B) {
	benchmark(b, definitions(1200), Options{SecretVariables: true, Files: true})
}

// BenchmarkDefinitionsInline writes a hundred definitions out.
func BenchmarkDefinitionsInline(b *testing.B) { benchmark(b, definitions(100), Options{}) }
