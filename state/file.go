package state

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// MaxSize bounds what is read into memory, in bytes: a hundred times a large
// stack's state.
const MaxSize = 512 << 20

// readFile returns a file's content, nil if it does not exist. It follows no symbolic
// link: kplan replaces the file that it reads, and whoever can create a link must not
// choose which file that is.
func readFile(path string) ([]byte, error) {
	info, err := statFile(path)
	if info == nil || err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDONLY|noFollow, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data := make([]byte, 0, info.Size()+1)
	for {
		n, err := f.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		if err == io.EOF {
			return data, nil
		}
		if err != nil {
			return nil, err
		}
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
	}
}

// statFile returns nil where there is no file, and refuses what is not a regular one.
func statFile(path string) (fs.FileInfo, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case info.Mode()&fs.ModeSymlink != 0:
		return nil, fmt.Errorf("%s is a symbolic link, and kplan does not follow links to its state; name the file itself", path)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a regular file; name the file that contains the state", path)
	case info.Size() > MaxSize:
		return nil, fmt.Errorf("%s has %d bytes, more than any state; check the path", path, info.Size())
	}
	return info, nil
}

// writeFile replaces a file's content as a whole: after a crash at any instant the file
// has the old content or the new, and once writeFile has returned, the new. mayCommit is
// called right before the file is replaced.
func writeFile(path string, data []byte, mayCommit func() error) error {
	temp, err := writeTemp(path, data)
	if err != nil {
		return err
	}
	if mayCommit != nil {
		err = mayCommit()
	}
	if err == nil {
		err = failpoint("rename")
	}
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		os.Remove(temp)
		return err
	}
	for _, step := range []func() error{
		func() error { return failpoint("renamed") },
		func() error { return syncDirectory(filepath.Dir(path)) },
		func() error { return failpoint("directory-synced") },
	} {
		if err := step(); err != nil {
			return &notSyncedError{err}
		}
	}
	return nil
}

// notSyncedError is the error of a write that is in place, but that a power failure may
// still undo.
type notSyncedError struct{ err error }

func (e *notSyncedError) Error() string { return e.err.Error() }
func (e *notSyncedError) Unwrap() error { return e.err }

// writeTemp writes a new file next to path and syncs it. CreateTemp opens exclusively
// and with mode 0600.
func writeTemp(path string, data []byte) (temp string, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+tempInfix+"*")
	if err != nil {
		return "", err
	}
	defer func() {
		err = errors.Join(err, f.Close())
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	steps := []func() error{
		func() error { return failpoint("temp-created") },
		func() error { _, err := f.Write(data[:len(data)/2]); return err },
		func() error { return failpoint("temp-half-written") },
		func() error { _, err := f.Write(data[len(data)/2:]); return err },
		func() error { return failpoint("temp-written") },
		f.Sync,
		func() error { return failpoint("temp-synced") },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return "", err
		}
	}
	return f.Name(), nil
}

const tempInfix = ".tmp-"

// removeTemps removes temporary files of killed runs. The caller holds the lock; if it
// is wrong about that, the other's rename fails and no file is half written.
func removeTemps(path string) {
	directory, name := filepath.Split(path)
	entries, err := os.ReadDir(filepath.Clean(directory))
	if err != nil {
		return
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), name+tempInfix) {
			os.Remove(filepath.Join(directory, e.Name()))
		}
	}
}
