package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// MaxFileSize bounds every file that a configuration is read from or reads.
const MaxFileSize = 4 << 20

// Directory is the one directory that a configuration lives in. What the
// configuration names is read through it, so that no path and no symbolic link
// leads out: not to the runner's environment in /proc, not to a kubeconfig.
type Directory string

// Read returns the content of a regular file of at most maxFileSize bytes.
func (f Directory) Read(name string) ([]byte, error) {
	root, err := os.OpenRoot(string(f))
	if err != nil {
		return nil, err
	}
	defer root.Close()
	file, err := openRegular(root, name)
	if err != nil {
		return nil, ReadError(err)
	}
	defer file.Close()
	return ReadLimited(file)
}

// ReadPublic is Read for what a configuration itself names. It refuses what is no part of
// one: hidden files, such as a pipeline's token in .git/config, and the records of kplan,
// whose state holds the key of all digests.
func (f Directory) ReadPublic(name string) ([]byte, error) {
	if IsHidden(name) {
		return nil, errHidden
	}
	src, err := f.Read(name)
	if err == nil && isRecord(src) {
		return nil, errRecord
	}
	return src, err
}

// IsHidden reports whether a path leads to or through a name that begins with a dot.
func IsHidden(name string) bool {
	return slices.ContainsFunc(strings.Split(filepath.ToSlash(name), "/"), func(part string) bool {
		return strings.HasPrefix(part, ".") && part != "." && part != ".."
	})
}

// isRecord reports whether a file is a state, of kplan or of Terraform, or a saved plan.
func isRecord(src []byte) bool {
	var record struct {
		Lineage string `json:"lineage"`
		Serial  *int64 `json:"serial"`
		Plan    *int   `json:"kplan_plan"`
	}
	return bytes.HasPrefix(bytes.TrimSpace(src), []byte("{")) && json.Unmarshal(src, &record) == nil &&
		(record.Lineage != "" && record.Serial != nil || record.Plan != nil)
}

// Exists reports whether name is a regular file.
func (f Directory) Exists(name string) (bool, error) {
	root, err := os.OpenRoot(string(f))
	if err != nil {
		return false, err
	}
	defer root.Close()
	info, err := root.Stat(filepath.FromSlash(name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, ReadError(err)
	case !info.Mode().IsRegular():
		return false, errNotRegular
	}
	return true, nil
}

var (
	errNoPath     = errors.New("the path is empty")
	errNotRegular = errors.New("it is not a regular file")
	errTooLarge   = fmt.Errorf("it is larger than %d MiB", MaxFileSize>>20)
	errHidden     = errors.New("it is hidden, so it is no part of the configuration")
	errRecord     = errors.New("it is a state or a saved plan, which is no part of the configuration")
	ErrOutside    = errors.New("it leads out of the configuration's directory, which is all that a configuration may read")
)

// openRegular opens without blocking: opening a named pipe would otherwise
// wait for a writer.
func openRegular(root *os.Root, name string) (*os.File, error) {
	name = filepath.FromSlash(name)
	switch {
	case name == "":
		return nil, errNoPath
	case filepath.IsAbs(name):
		return nil, ErrOutside
	}
	file, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errNotRegular
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

func ReadLimited(r io.Reader) ([]byte, error) {
	src, err := io.ReadAll(io.LimitReader(r, MaxFileSize+1))
	if err != nil {
		return nil, err
	}
	if len(src) > MaxFileSize {
		return nil, errTooLarge
	}
	return src, nil
}

// ReadError explains to the user what os.Root or the system refused. The caller adds the path as
// the user wrote it.
func ReadError(err error) error {
	var pathErr *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("there is no such file")
	case errors.Is(err, fs.ErrPermission):
		return errors.New("permission to read it is denied")
	case errors.As(err, &pathErr) && strings.Contains(pathErr.Err.Error(), "escapes"):
		return ErrOutside // os.Root exports no error to test for
	case errors.As(err, &pathErr):
		return pathErr.Err
	}
	return err
}
