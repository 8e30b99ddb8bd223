package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// largeHeap is from when on memory counts for more than the collector's time.
const largeHeap = 96 << 20

// saveMemory has the garbage collector come twice as often once the heap is
// large. By default it lets as much rubbish lie as there is in use, which for
// stacks of 10,000 objects is hundreds of megabytes; small ones are done before
// that matters. docs/performance.md has the figures. GOGC overrules this.
func saveMemory() {
	if os.Getenv("GOGC") != "" {
		return
	}
	afterCollection(func() (again bool) {
		if liveHeap() < largeHeap {
			return true
		}
		debug.SetGCPercent(50)
		return false
	})
}

// afterCollection calls do after the next garbage collection, and again after
// each until it returns false.
func afterCollection(do func() (again bool)) {
	rubbish := new(sentinel)
	runtime.AddCleanup(rubbish, func(do func() bool) {
		if do() {
			afterCollection(do)
		}
	}, do)
}

// sentinel is something to be collected. It holds a pointer, since the runtime
// packs pointer-free things of its size together and frees them together.
type sentinel struct{ _ *sentinel }

func liveHeap() uint64 {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	return live[0].Value.Uint64()
}
