package main

import (
	"errors"
	"io"
	"syscall"
)

// output is standard output. It remembers what went wrong with it, so that no
// command has to look after each line.
type output struct {
	w   io.Writer
	err error
}

func (o *output) Write(p []byte) (int, error) {
	n, err := o.w.Write(p)
	if err != nil && o.err == nil {
		o.err = err
	}
	return n, err
}

// written is what a command ends with that came to code: what was asked for
// was not given if it could not be written. That the reader went away, as head
// does, is the reader's choice.
func (s *session) written(code exitCode) exitCode {
	out, ok := s.stdout.(*output)
	if !ok || out.err == nil || errors.Is(out.err, syscall.EPIPE) {
		return code
	}
	s.events = nil // they would go the same way
	s.fail("Can't write the result", "Standard output: %v.", reason(out.err))
	return exitFailure
}

// wrote is what a command ends with that has printed something for a program.
func (s *session) wrote(err error) exitCode {
	if out, ok := s.stdout.(*output); err == nil || ok && out.err != nil {
		return exitOK // of what went wrong with standard output, written tells
	}
	s.fail("Can't write the result", "%v.", err)
	return exitFailure
}
