package plan

import (
	"testing"

	"kplan.dev/kplan/internal/redact"
)

// BenchmarkSensitivePaths looks through an object without secrets, as nearly
// all are.
func BenchmarkSensitivePaths(b *testing.B) {
	kind, _, live := liveController(b)
	b.ReportAllocs()
	for b.Loop() {
		if len(redact.Paths(kind, live.Object)) > 0 {
			b.Fatal("there is no secret in it")
		}
	}
}
