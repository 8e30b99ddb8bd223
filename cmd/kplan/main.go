// Command kplan plans and applies changes to Kubernetes clusters.
//
// This package is flags, wiring, prompts and exit codes: what a command does
// is told by its run function, in the file of its name, and done by the
// packages it calls. A command line goes from main through arrange, which puts
// it in order, and urfave/cli, which sets the flags, to the command's run.
package main

import (
	"context"
	"os"
)

// version is set by the linker: see the Makefile.
var version = ""

func main() {
	tuneCollector()
	s := newSession()
	ctx, signals := watchSignals(context.Background(), s)
	os.Exit(signals.exitCode(runApp(ctx, s, os.Args[1:])))
}
