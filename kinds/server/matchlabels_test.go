package server_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/server"
)

func TestWithMatchLabels(t *testing.T) {
	const term = `{topologyKey: host, labelSelector: {matchLabels: {app: p}}, matchLabelKeys: [rev, none], mismatchLabelKeys: [team]}`
	const full = `{topologyKey: host, matchLabelKeys: [rev, none], mismatchLabelKeys: [team], labelSelector: {matchLabels: {app: p},
		matchExpressions: [{key: rev, operator: In, values: [a]}, {key: team, operator: NotIn, values: [b]}]}}`
	const pod = `{kind: Pod, metadata: {labels: {rev: a, team: b}}, spec: {topologySpreadConstraints: [TERM], affinity: {
		podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [TERM]},
		podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{podAffinityTerm: TERM}]}}}}`
	for _, test := range []struct{ name, before, after string }{
		{"all terms", term, full},
		{"no selector", "{matchLabelKeys: [rev]}", "{matchLabelKeys: [rev]}"},
		{"no keys", "{labelSelector: {}}", "{labelSelector: {}}"},
	} {
		t.Run(test.name, func(t *testing.T) {
			kind, err := kinds.Builtin().Lookup("Pod", "v1")
			if err != nil {
				t.Fatal(err)
			}
			given := fields(t, strings.ReplaceAll(pod, "TERM", test.before))
			got := server.WithMatchLabels(kind, given)
			if diff := cmp.Diff(fields(t, strings.ReplaceAll(pod, "TERM", test.after)), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(fields(t, strings.ReplaceAll(pod, "TERM", test.before)), given); diff != "" {
				t.Errorf("the object given was changed:\n%s", diff)
			}
		})
	}
}

func fields(t *testing.T, text string) map[string]any {
	t.Helper()
	var m map[string]any
	if err := yaml.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	return m
}
