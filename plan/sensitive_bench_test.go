package plan

import (
	"testing"

	"kplan.dev/kplan/addrs"
)

// BenchmarkCollectSensitive looks through an object without secrets, as nearly
// all are.
func BenchmarkCollectSensitive(b *testing.B) {
	kind, _, live := liveController(b)
	b.ReportAllocs()
	for b.Loop() {
		paths := addrs.PathSet{}
		if collectSensitive(kind.Root, live.Object, addrs.Path{}, paths); len(paths) > 0 {
			b.Fatal("there is no secret in it")
		}
	}
}
