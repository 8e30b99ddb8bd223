package main

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

// Whatever the size of the heap at the first collection, the collector is on from
// then on.
func TestCollectorIsOnAgain(t *testing.T) {
	t.Setenv("GOGC", "")
	percent, limit := debug.SetGCPercent(100), debug.SetMemoryLimit(-1)
	defer func() { debug.SetGCPercent(percent); debug.SetMemoryLimit(limit) }()
	live := make([]byte, 60<<20)
	tuneCollector()
	runtime.GC()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		now := debug.SetGCPercent(-1)
		debug.SetGCPercent(now)
		if now > 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the collector is still off")
		}
	}
	runtime.KeepAlive(live)
}
