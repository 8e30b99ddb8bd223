package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"kplan.dev/kplan/graph"
)

// reportPanic says what to do about a bug in kplan that would otherwise end in
// a Go stack trace alone. The panic's own text is left out unless the runtime
// wrote it, as ours may hold a value of the configuration or the cluster.
func reportPanic(s *session, code *exitCode) {
	problem := recover()
	if problem == nil {
		return
	}
	*code = exitFailure
	stack := debug.Stack()
	if elsewhere, ok := problem.(*graph.Panic); ok {
		problem, stack = elsewhere.Value, elsewhere.Stack
	}
	what := fmt.Sprintf("a %T", problem)
	if err, ok := problem.(runtime.Error); ok {
		what = err.Error()
	}
	fmt.Fprintf(s.stderr, `
!!!!!!!!!!!!!!!!!!!!!!!!!!! kplan has a bug and stopped !!!!!!!!!!!!!!!!!!!!!!!!!!!

What was done so far is in the state, or will be found by the next plan.
Please report this: the command you ran, without values that are secret, and all
that follows. It holds no value of your configuration.

%s, %s/%s, %s
%s

%s`, versionText(), runtime.GOOS, runtime.GOARCH, runtime.Version(), what, stack)
}
