package tree

import (
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
)

// A tree on disk is a directory with two entries.
const (
	Files   = "tree"    // the directory of its files
	omitted = "omitted" // the list of what it does not have
)

// Writer writes one tree into an empty directory. Make one with NewWriter.
type Writer struct {
	root  *os.Root
	names names
	size  int64
	lists int // the size of the list of what is omitted
	contents
}

// NewWriter begins a tree in the directory root.
func NewWriter(root *os.Root) (*Writer, error) {
	if err := root.Mkdir(Files, 0o755); err != nil {
		return nil, err
	}
	return &Writer{root: root, names: names{}, contents: contents{files: map[string][sha256.Size]byte{}}}, nil
}

// Check reports, as a *Refusal, why there can't be a file with this path.
func (w *Writer) Check(name string) error { return w.names.check(name, false) }

// Dir notes a directory. Only those with files in them are written.
func (w *Writer) Dir(name string) error {
	if err := w.names.check(name, true); err != nil {
		return err
	}
	w.names.add(name, true)
	if len(w.names) > 2*MaxFiles {
		return errTooMany
	}
	return nil
}

// Reserve reports whether there is room for a file of a size.
func (w *Writer) Reserve(size int64) error {
	switch {
	case len(w.files) >= MaxFiles, len(w.names) > 2*MaxFiles:
		return errTooMany
	case size < 0, size > MaxSize-w.size:
		return errTooLarge
	}
	return nil
}

// Add writes a file that has size bytes.
func (w *Writer) Add(name string, size int64, from io.Reader) error {
	if err := w.Check(name); err != nil {
		return err
	}
	if err := w.Reserve(size); err != nil {
		return err
	}
	sum, err := w.write(name, size, from)
	if err != nil {
		return err
	}
	w.names.add(name, false)
	w.files[name] = sum
	w.size += size
	return nil
}

func (w *Writer) write(name string, size int64, from io.Reader) (sum [sha256.Size]byte, err error) {
	local := filepath.FromSlash(path.Join(Files, name))
	if err := w.root.MkdirAll(filepath.Dir(local), 0o755); err != nil {
		return sum, err
	}
	file, err := w.root.OpenFile(local, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o444)
	if err != nil {
		return sum, err
	}
	hash := sha256.New()
	_, err = io.CopyN(io.MultiWriter(file, hash), from, size)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return [sha256.Size]byte(hash.Sum(nil)), errors.Join(err, file.Close())
}

// Omit notes a file that the tree does not get.
func (w *Writer) Omit(name, reason string) error {
	if w.lists += len(name); w.lists > maxOmitted/4 || len(w.omitted) >= MaxFiles { // which has four bytes for some of one
		return errTooMany
	}
	w.omitted = append(w.omitted, Omitted{name, reason})
	return nil
}

// Close ends the tree, and returns its hash.
func (w *Writer) Close() (Hash, error) {
	if len(w.omitted) > 0 {
		if err := w.root.WriteFile(omitted, formatOmitted(w.omitted), 0o444); err != nil {
			return Hash{}, err
		}
	}
	return w.hash(), nil
}
