package modules

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"kplan.dev/kplan/hclspec/modules/tree"
)

// cache has the trees that were fetched, each in a directory that is called by its hash. Many runs use it at once: a tree is
// written elsewhere, and moved to its place as a whole. What is in it is believed only after it was read and hashed.
type cache struct{ dir string }

const (
	trees    = "trees"
	incoming = "incoming" // what is being written
)

// leftover is when what is in incoming counts as left by a run that was killed.
const leftover = 24 * time.Hour

// cached is a tree in the cache.
type cached struct {
	files   string // the directory of its files
	omitted []tree.Omitted
}

// errDamaged is the error of a tree that is not what its hash says: it was cut off, or changed.
var errDamaged = errors.New("the cache has something else under this hash")

// open reads a whole tree. It is fs.ErrNotExist if the cache does not have it.
func (c cache) open(hash tree.Hash) (*cached, error) {
	root, err := os.OpenRoot(c.dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	name := filepath.Join(trees, hash.Name())
	for _, dir := range []string{trees, name} {
		info, err := root.Lstat(dir)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			return nil, errDamaged
		}
	}
	entry, err := root.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	defer entry.Close()
	got, omitted, err := tree.Read(entry)
	if err != nil || got != hash {
		return nil, errDamaged
	}
	return &cached{filepath.Join(c.dir, name, tree.Files), omitted}, nil
}

// staged is a tree that is written and not in its place yet.
type staged struct {
	cache
	dir  string
	hash tree.Hash
}

// add writes a tree. The caller keeps or discards it.
func (c cache) add(fill func(*tree.Writer) error) (*staged, error) {
	for _, dir := range []string{trees, incoming} {
		if err := c.makeDir(dir); err != nil {
			return nil, err
		}
	}
	c.removeLeftovers()
	dir, err := os.MkdirTemp(filepath.Join(c.dir, incoming), "tree-")
	if err != nil {
		return nil, err
	}
	s := &staged{cache: c, dir: dir}
	if s.hash, err = write(dir, fill); err != nil {
		s.discard()
		return nil, err
	}
	return s, nil
}

// makeDir makes a directory of the cache. A link there would lead the writing elsewhere.
func (c cache) makeDir(name string) error {
	path := filepath.Join(c.dir, name)
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	info, err := os.Lstat(path)
	if err == nil && !info.IsDir() {
		return &fs.PathError{Op: "mkdir", Path: path, Err: errors.New("is a symbolic link, and should be a directory")}
	}
	return err
}

func write(dir string, fill func(*tree.Writer) error) (tree.Hash, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return tree.Hash{}, err
	}
	defer root.Close()
	w, err := tree.NewWriter(root)
	if err != nil {
		return tree.Hash{}, err
	}
	if err := fill(w); err != nil {
		return tree.Hash{}, err
	}
	return w.Close()
}

func (s *staged) discard() { _ = os.RemoveAll(s.dir) }

// keep moves a tree to its place, unless it is there already.
func (s *staged) keep() (*cached, error) {
	defer s.discard()
	place := filepath.Join(s.cache.dir, trees, s.hash.Name())
	err := os.Rename(s.dir, place)
	if err == nil {
		return s.open(s.hash)
	}
	there, opened := s.open(s.hash)
	if opened == nil {
		return there, nil
	}
	if !errors.Is(opened, errDamaged) {
		return nil, err
	}
	aside := s.dir + "-damaged"
	defer os.RemoveAll(aside)
	if err := os.Rename(place, aside); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := os.Rename(s.dir, place); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return s.open(s.hash)
}

// removeLeftovers removes what runs have left that were killed long ago.
func (c cache) removeLeftovers() {
	dir := filepath.Join(c.dir, incoming)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && time.Since(info.ModTime()) > leftover {
			_ = os.RemoveAll(filepath.Join(dir, entry.Name()))
		}
	}
}

// DefaultCache is the directory of the cache where none is set.
func DefaultCache() (string, error) {
	if dir := os.Getenv("KPLAN_CACHE_DIR"); dir != "" {
		dir, err := filepath.Abs(dir)
		return filepath.Join(dir, "modules"), err
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", errors.New("there is no directory for caches, since neither XDG_CACHE_HOME nor HOME is set. KPLAN_CACHE_DIR can name one")
	}
	return filepath.Join(dir, "kplan", "modules"), nil
}
