package ui

import (
	"errors"
	"io"
	"syscall"
)

// output is standard output. It remembers the first error, so that no command has
// to check each line.
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

// Failed is the error that standard output has met, nil for none. From then on
// events go nowhere. That the reader went away, as head does, is its choice.
func (s *Streams) Failed() error {
	out, ok := s.Out.(*output)
	if !ok || out.err == nil || errors.Is(out.err, syscall.EPIPE) {
		return nil
	}
	s.speaking.Lock()
	defer s.speaking.Unlock()
	s.events = nil
	s.inJSON.Store(false)
	return out.err
}

// Wrote is the error of printing a result, nil if Failed will return it.
func (s *Streams) Wrote(err error) error {
	if out, ok := s.Out.(*output); ok && out.err != nil {
		return nil
	}
	return err
}
