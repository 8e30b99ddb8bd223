package relations

import (
	"strconv"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds/internal/manifest"
)

// ClaimsScaledDown are the claims that go when a StatefulSet gets fewer replicas, which its
// retention policy may ask for. None are, by default.
func ClaimsScaledDown(before, after map[string]any) []addrs.Object {
	was, is := manifest.Object(before, "spec"), manifest.Object(after, "spec")
	if manifest.Text(manifest.Object(is, "persistentVolumeClaimRetentionPolicy"), "whenScaled") != "Delete" {
		return nil
	}
	metadata := manifest.Object(before, "metadata")
	first, _ := manifest.Object(is, "ordinals")["start"].(int64)
	var claims []addrs.Object
	for ordinal := first + replicasOf(is); ordinal < first+replicasOf(was); ordinal++ {
		for _, v := range manifest.List(was, "volumeClaimTemplates") {
			template, _ := v.(map[string]any)
			name := manifest.Text(manifest.Object(template, "metadata"), "name") + "-" + manifest.Text(metadata, "name") + "-"
			claims = append(claims, addrs.Object{Version: "v1", Kind: "PersistentVolumeClaim",
				Namespace: manifest.Text(metadata, "namespace"), Name: name + strconv.FormatInt(ordinal, 10)})
		}
	}
	return claims
}

// replicasOf is 1 where a workload sets none.
func replicasOf(spec map[string]any) int64 {
	if n, ok := spec["replicas"].(int64); ok {
		return n
	}
	return 1
}
