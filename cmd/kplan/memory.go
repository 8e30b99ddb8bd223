package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// tuneCollector has the garbage collector come seldom while the heap is small,
// where the program is done before its garbage matters, and often once it is
// large: by default as much garbage may lie around as is in use, which for
// stacks of 10,000 objects is hundreds of megabytes. docs/performance.md has the
// figures.
// GOGC overrules this.
func tuneCollector() {
	if os.Getenv("GOGC") != "" {
		return
	}
	percent := gcPercent(0)
	debug.SetGCPercent(percent)
	afterCollection(func() {
		if now := gcPercent(liveHeap()); now != percent { // it stops the world
			percent = now
			debug.SetGCPercent(percent)
		}
	})
}

// gcPercent is how much garbage may lie around, in percent of what is in use.
func gcPercent(live uint64) int {
	switch {
	case live < 24<<20:
		return 200
	case live < 96<<20:
		return 100
	}
	return 50
}

// afterCollection calls do after each garbage collection.
func afterCollection(do func()) {
	runtime.AddCleanup(new(sentinel), func(do func()) {
		do()
		afterCollection(do)
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
