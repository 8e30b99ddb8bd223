package main

import (
	"context"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"
)

// signals remembers which signal asked the program to end.
type signals struct{ first atomic.Value }

// watchSignals returns a context that the first INT, TERM or HUP ends, so that the
// command finishes what is under way, saves and unlocks. The second ends the
// program at once.
func watchSignals(parent context.Context, s *session) (context.Context, *signals) {
	ctx, cancel := context.WithCancel(parent)
	caught := &signals{}
	arrived := make(chan os.Signal, 2)
	signal.Notify(arrived, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // as nohup has it
		signal.Notify(arrived, syscall.SIGHUP)
	}
	// Whoever reads the output may go away: an apply then goes on and is recorded.
	signal.Ignore(syscall.SIGPIPE)
	go func() {
		caught.first.Store(<-arrived)
		briefly(func() {
			s.interrupted("Interrupt received.\n" +
				"Nothing new is started; kplan ends once what is under way is done and recorded.\n" +
				"A second interrupt ends it at once.")
		})
		cancel()
		<-arrived
		briefly(func() {
			if s.region != nil {
				s.region.Stop()
			}
			s.interrupted("Two interrupts received. Exiting immediately. What was under way is looked for by the next run.")
		})
		os.Exit(caught.exitCode(exitFailure))
	}()
	return ctx, caught
}

// briefly waits a second for what is said, and no longer: the terminal may stand
// still, or whoever reads the output, and that shall not keep kplan from ending.
func briefly(say func()) {
	said := make(chan struct{})
	go func() {
		defer close(said)
		say()
	}()
	select {
	case <-said:
	case <-time.After(time.Second):
	}
}

// exitCode is what the program ends with after a command came to code. A
// command that succeeded in spite of the signal has succeeded.
func (caught *signals) exitCode(code exitCode) int {
	switch caught.first.Load() {
	case nil:
		return int(code)
	case syscall.SIGTERM:
		return int(interruptedBy(code, exitTerminated))
	case syscall.SIGHUP:
		return int(interruptedBy(code, exitHungUp))
	}
	return int(interruptedBy(code, exitInterrupted))
}

func interruptedBy(code, signalled exitCode) exitCode {
	if code == exitOK {
		return exitOK
	}
	return signalled
}

// exitCode is what the program ends with. Scripts rely on these numbers.
type exitCode int

const (
	exitOK          exitCode = 0
	exitFailure     exitCode = 1
	exitChanges     exitCode = 2 // plan -detailed-exitcode: there is something to do
	exitUnparsable  exitCode = 2 // fmt: a file can't be parsed or read
	exitUnformatted exitCode = 3 // fmt -check: a file is not in canonical form
	exitHungUp      exitCode = 129
	exitInterrupted exitCode = 130
	exitTerminated  exitCode = 143
)
