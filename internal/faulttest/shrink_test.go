//go:build unix

package faulttest_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"kplan.dev/kplan/internal/faulttest"
)

// TestShrink shrinks trials that fail as long as they have some of their faults and
// objects: no more is left than these, and the configurations refer to nothing that does
// not exist.
func TestShrink(t *testing.T) {
	for seed := range uint64(50) {
		trial := faulttest.RandomTrial(seed, 40)
		rng := rand.New(rand.NewPCG(seed, 3))
		fault := trial.Faults[rng.IntN(len(trial.Faults))]
		needed := []string{trial.Before[rng.IntN(len(trial.Before))].Name, trial.After[rng.IntN(len(trial.After))].Name}
		played := 0
		small := faulttest.Shrink(trial, func(smaller faulttest.Trial) bool {
			played++
			checkReferences(t, smaller.Before)
			checkReferences(t, smaller.After)
			has := slices.Contains(smaller.Faults, fault)
			for _, name := range needed {
				has = has && slices.ContainsFunc(slices.Concat(smaller.Before, smaller.After), func(i faulttest.Item) bool { return i.Name == name })
			}
			return has
		})
		slices.Sort(needed)
		if len(small.Faults) != 1 || len(names(small)) != len(slices.Compact(needed)) {
			t.Errorf("seed %d: %d faults and the objects %v are left of what takes %v", seed, len(small.Faults), names(small), needed)
		}
		if played > 300 {
			t.Errorf("seed %d: it took %d trials to shrink one", seed, played)
		}
	}
}

func names(trial faulttest.Trial) []string {
	var all []string
	for _, item := range slices.Concat(trial.Before, trial.After) {
		all = append(all, item.Name)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func checkReferences(t *testing.T, s faulttest.Stack) {
	t.Helper()
	text := s.HCL("n")
	for _, item := range s {
		for _, other := range slices.Concat(item.Needs, item.Awaits) {
			kind, name, _ := strings.Cut(other, ".")
			if !strings.Contains(text, `resource "`+kind+`" "`+name+`"`) {
				t.Fatalf("%s refers to %s, which does not exist", item.Name, other)
			}
		}
	}
}
