package relations

import "kplan.dev/kplan/kinds/internal/manifest"

// ClaimsDropped reports by its name whether a claim goes when a StatefulSet gets fewer
// replicas, which its retention policy may ask for. It is nil where none go.
func ClaimsDropped(before, after map[string]any) func(claim string) bool {
	policy := manifest.Object(manifest.Object(after, "spec"), "persistentVolumeClaimRetentionPolicy")
	if manifest.Text(policy, "whenScaled") != "Delete" {
		return nil
	}
	had, has := ordinalsOf(before), ordinalsOf(after)
	if had.first >= has.first && had.end <= has.end {
		return nil
	}
	return func(claim string) bool {
		n, ok := claimOrdinal(before, claim)
		return ok && had.has(n) && !has.has(n)
	}
}

// ordinals are the numbers of a StatefulSet's pods, without the end.
type ordinals struct{ first, end int64 }

func (o ordinals) has(n int64) bool { return o.first <= n && n < o.end }

func ordinalsOf(statefulSet map[string]any) ordinals {
	spec := manifest.Object(statefulSet, "spec")
	first, _ := manifest.Object(spec, "ordinals")["start"].(int64)
	replicas, set := spec["replicas"].(int64)
	if !set {
		replicas = 1
	}
	return ordinals{first, first + replicas}
}
