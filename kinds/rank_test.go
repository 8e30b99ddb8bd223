package kinds_test

import (
	"slices"
	"testing"

	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/kindstest"
)

func TestRank(t *testing.T) {
	later := map[string]int{
		"Pod": 1, "ReplicationController": 2, "ReplicaSet": 2, "Deployment": 2, "StatefulSet": 2, "DaemonSet": 2, "Job": 2, "CronJob": 2,
	}
	for _, k := range kinds.Builtin().Kinds() {
		if got := k.Rank(); got != later[k.Name] {
			t.Errorf("%s has rank %d, want %d", k.GroupKind(), got, later[k.Name])
		}
	}
}

func TestRankOfCustomKind(t *testing.T) {
	crd := decode(t, kindstest.Widget+`
    schema: {openAPIV3Schema: {type: object}}
`)
	ranks := []int{}
	for _, k := range fromCRD(t, crd) {
		ranks = append(ranks, k.Rank())
	}
	if !slices.Equal(ranks, []int{1}) {
		t.Errorf("got %v, want 1", ranks)
	}
}
