package tree

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"syscall"
)

// Read reads the tree that a Writer has written to a directory: what it has, and what not. The caller compares the
// hash with the one that the tree should have.
func Read(root *os.Root) (Hash, []Omitted, error) {
	c := contents{files: map[string][sha256.Size]byte{}}
	text, err := readOmitted(root)
	if err != nil {
		return Hash{}, nil, err
	}
	if c.omitted, err = parseOmitted(text); err != nil {
		return Hash{}, nil, err
	}
	r := reader{root: root, files: c.files}
	if err := r.dir(Files, 0); err != nil {
		return Hash{}, nil, err
	}
	return c.hash(), c.omitted, nil
}

func readOmitted(root *os.Root) ([]byte, error) {
	info, err := root.Lstat(omitted)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular(), info.Size() > maxOmitted+100*MaxFiles:
		return nil, errDamaged
	}
	return root.ReadFile(omitted)
}

// reader reads the files of a tree, within the limits that its writer kept.
type reader struct {
	root  *os.Root
	files map[string][sha256.Size]byte
	size  int64
}

func (r *reader) dir(name string, depth int) error {
	if depth > MaxDepth+1 {
		return &Refusal{name, fmt.Sprintf("is more than %d directories deep", MaxDepth)}
	}
	if info, err := r.root.Lstat(name); err != nil {
		return err
	} else if !info.IsDir() {
		return &Refusal{name, "is no directory"}
	}
	dir, err := r.root.Open(name)
	if err != nil {
		return err
	}
	entries, err := dir.ReadDir(2*MaxFiles + 1)
	dir.Close()
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	for _, entry := range entries {
		child := path.Join(name, entry.Name())
		switch {
		case entry.IsDir():
			err = r.dir(child, depth+1)
		case entry.Type().IsRegular():
			err = r.file(child)
		default:
			err = &Refusal{child, "is no regular file"}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) file(name string) error {
	if len(r.files) >= MaxFiles {
		return errTooMany
	}
	file, err := r.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	hash := sha256.New()
	n, err := io.Copy(hash, io.LimitReader(file, MaxSize-r.size+1))
	if err != nil {
		return err
	}
	if r.size += n; r.size > MaxSize {
		return errTooLarge
	}
	r.files[name[len(Files)+1:]] = [sha256.Size]byte(hash.Sum(nil))
	return nil
}
