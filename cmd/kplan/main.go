// Command kplan plans and applies changes to Kubernetes clusters.
//
// Each command has a file: its description, its options and a run function that
// says what it does by calls to the packages below. runApp parses a command line,
// runs the command and reports the diagnostics that it returns, once.
package main

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

func main() {
	tuneCollector()
	s := newSession()
	ctx, signals := watchSignals(context.Background(), s.ui)
	os.Exit(signals.exitCode(runApp(ctx, s, os.Args[1:])))
}

// firstCollection is how much memory is filled before garbage is collected for the
// first time.
const firstCollection = 80 << 20

// tuneCollector has the garbage collector come seldom while the heap is small,
// where the program is done before its garbage matters, and often once it is
// large: by default as much garbage may lie around as is in use, which for
// stacks of 10,000 objects is hundreds of megabytes. On a machine that is busy
// each collection halts all requests, for as long as it has to wait for the
// processor. docs/performance.md has the figures.
// GOGC overrules this.
func tuneCollector() {
	if os.Getenv("GOGC") != "" {
		return
	}
	limit := debug.SetMemoryLimit(-1)
	debug.SetMemoryLimit(min(firstCollection, limit))
	debug.SetGCPercent(-1)
	percent := -1
	afterCollection(func() {
		debug.SetMemoryLimit(limit)
		if now := gcPercent(liveHeap()); now != percent { // it stops the world
			percent = now
			debug.SetGCPercent(percent)
		}
	})
}

// gcPercent is how much garbage may lie around, in percent of what is in use.
func gcPercent(live uint64) int {
	switch {
	case live < 16<<20:
		return 400
	case live < 40<<20:
		return 150
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
