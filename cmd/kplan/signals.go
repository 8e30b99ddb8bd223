package main

import (
	"context"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/internal/ui"
)

// signals remembers which signal asked the program to end.
type signals struct {
	first    atomic.Value
	diverted atomic.Pointer[func()] // nil: an interrupt ends the program
}

// divertInterrupts has interrupts end something else than the program, until stop is called.
func (caught *signals) divertInterrupts(end func()) (stop func()) {
	if caught == nil {
		return func() {}
	}
	caught.diverted.Store(&end)
	return func() { caught.diverted.Store(nil) }
}

// next waits for a signal that is to end the program.
func (caught *signals) next(arrived <-chan os.Signal) os.Signal {
	for {
		s := <-arrived
		end := caught.diverted.Load()
		if end == nil || s != os.Interrupt {
			return s
		}
		(*end)()
	}
}

// watchSignals returns a context that the first INT, TERM or HUP ends, so that the
// command finishes what is in progress, saves and unlocks. The second ends the
// program at once.
func watchSignals(parent context.Context, u *ui.Streams) (context.Context, *signals) {
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
		caught.first.Store(caught.next(arrived))
		briefly(func() {
			u.Interrupted("Interrupt received.\n" +
				"Nothing new is started; kplan exits once the changes in progress are done and recorded.\n" +
				"A second interrupt exits at once.")
		})
		cancel()
		<-arrived
		briefly(func() {
			u.StopLive()
			u.Interrupted("Two interrupts received. Exiting immediately. The next run determines the outcome of changes in progress.")
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

// exitCode is what the program ends with after a command that returned code. A
// command that succeeded in spite of the signal has succeeded.
func (caught *signals) exitCode(code cli.ExitCode) int {
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

func interruptedBy(code, signalled cli.ExitCode) cli.ExitCode {
	if code == exitOK {
		return exitOK
	}
	return signalled
}
