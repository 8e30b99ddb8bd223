package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	"kplan.dev/kplan/internal/render"
)

// record is the file that -json-into names, and the events that go there.
type record struct {
	*render.Events
	file *os.File
}

// startRecord has the session write events into a file, besides what it shows.
func (s *session) startRecord(ctx context.Context, path string) bool {
	file, err := unlessEnded(ctx, func() (*os.File, error) { return createRecord(path) }) // a pipe waits for its reader
	if err != nil && ctx.Err() != nil {
		s.report(interruptedAt(path))
		return false
	}
	if err != nil {
		s.fail("Can't write the events", "%s: %v.", path, reason(err))
		return false
	}
	s.speaking.Lock()
	defer s.speaking.Unlock()
	s.record = &record{render.NewEvents(file, time.Now), file}
	s.record.Version(versionText())
	return true
}

// createRecord opens the file for the events, which nobody else may read. It may
// be a pipe or a device. One that is there and holds something else stays as it
// is.
func createRecord(path string) (*os.File, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return os.OpenFile(path, os.O_WRONLY, 0)
	}
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	for _, ready := range []func() error{
		func() error { return mayHoldEvents(file) },
		func() error { return file.Chmod(0o600) },
		func() error { return file.Truncate(0) },
	} {
		if err := ready(); err != nil {
			return nil, errors.Join(err, file.Close())
		}
	}
	return file, nil
}

// mayHoldEvents refuses a file that is neither empty nor an older record, and
// leaves the next write at its beginning.
func mayHoldEvents(file *os.File) error {
	begins := []byte(`{"@level":`)
	head := make([]byte, len(begins))
	n, err := io.ReadFull(file, head)
	if n > 0 && !bytes.Equal(head[:n], begins) {
		return errors.New("the file is there and holds no events; it is left as it is")
	}
	if err != nil && err != io.EOF {
		return err
	}
	_, err = file.Seek(0, io.SeekStart)
	return err
}

// endRecord is what a command ends with that came to code: not well, if the
// events could not all be written. What the command did, it has done.
func (s *session) endRecord(code exitCode) exitCode {
	s.speaking.Lock()
	ended := s.record
	s.record = nil
	s.speaking.Unlock()
	if ended == nil {
		return code
	}
	if err := errors.Join(ended.Err(), ended.file.Close()); err != nil {
		s.fail("Can't write the events", "%s is not complete: %v. All else was done as shown.", ended.file.Name(), reason(err))
		return exitFailure
	}
	return code
}
