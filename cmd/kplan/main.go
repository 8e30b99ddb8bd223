// Command kplan plans and applies changes to Kubernetes clusters.
//
// Each command has a file: its description, its options and a run function that
// says what it does by calls to the packages below. runApp parses a command line,
// runs the command and reports the diagnostics that it returns, once.
package main

import (
	"context"
	"os"
	"runtime/debug"
)

func main() {
	tuneCollector()
	s := newSession()
	ctx, signals := watchSignals(context.Background(), s.ui)
	s.signals = signals
	os.Exit(signals.exitCode(runApp(ctx, s, os.Args[1:])))
}

// garbage is how much garbage may lie around, in percent of what is in use: one plan or
// apply is soon over, and twice Go's own 100 costs it no memory that it would not touch
// anyway. docs/performance.md has the figures. GOGC overrules this.
const garbage = 200

func tuneCollector() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbage)
	}
}
