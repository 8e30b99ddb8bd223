package ui

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	"kplan.dev/kplan/internal/files"
	"kplan.dev/kplan/internal/render"
)

// record is a file and the events that go there.
type record struct {
	*render.Events
	file *os.File
}

// Record has events written to a file, besides what is shown.
func (s *Streams) Record(ctx context.Context, path string) error {
	file, err := files.Await(ctx, func() (*os.File, error) { return createRecord(path) }) // a pipe waits for its reader
	if err != nil {
		return err
	}
	s.speaking.Lock()
	defer s.speaking.Unlock()
	s.record = &record{render.NewEvents(file, time.Now), file}
	s.record.Version(s.Version)
	return nil
}

// createRecord opens the file for the events, which nobody else may read. It may
// be a pipe or a device. A file that exists and holds something else stays as it
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
		return errors.New("the file exists and has no events; it is left unchanged")
	}
	if err != nil && err != io.EOF {
		return err
	}
	_, err = file.Seek(0, io.SeekStart)
	return err
}

// EndRecord closes the file of Record. It returns the file's name and why it is
// not complete.
func (s *Streams) EndRecord() (path string, err error) {
	s.speaking.Lock()
	ended := s.record
	s.record = nil
	s.speaking.Unlock()
	if ended == nil {
		return "", nil
	}
	return ended.file.Name(), errors.Join(ended.Err(), ended.file.Close())
}
