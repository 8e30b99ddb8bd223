package modules

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"kplan.dev/kplan/hclspec/modules/tree"
	"kplan.dev/kplan/hclspec/source"
)

// Package is a directory that is packed as a module.
type Package struct {
	Archive []byte
	Hash    string // of its files, as a lock file has it
	Files   int
}

// Pack packs a directory: all of its files but hidden ones, of which it takes only the lock file. What has no place in a
// module is an error, a symbolic link or a state.
func Pack(dir string) (*Package, error) {
	p := &Package{}
	packer := tree.NewPacker()
	hasConfiguration := false
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
		isHidden := source.IsHidden(name) && name != LockFile
		switch {
		case err != nil:
			return err
		case isHidden && entry.IsDir():
			return fs.SkipDir
		case isHidden, entry.IsDir():
			return nil
		case !entry.Type().IsRegular():
			return &tree.Refusal{Path: name, Reason: "is no regular file, and a module has nothing else"}
		}
		content, err := readFile(dir, name)
		if err != nil {
			return fmt.Errorf("%q: %w", name, err)
		}
		p.Files++
		hasConfiguration = hasConfiguration || isConfiguration(name)
		return packer.Add(name, content)
	})
	if err != nil {
		return nil, err
	}
	if !hasConfiguration {
		return nil, errors.New("it has no file whose name ends in .kplan.hcl or .kplan.json")
	}
	var hash tree.Hash
	if p.Archive, hash, err = packer.Close(); err != nil {
		return nil, err
	}
	p.Hash = hash.String()
	return p, nil
}

func readFile(dir, name string) ([]byte, error) {
	if name == LockFile {
		return source.Directory(dir).Read(name)
	}
	return source.Directory(dir).ReadPublic(name)
}

func isConfiguration(name string) bool {
	return strings.HasSuffix(name, ".kplan.hcl") || strings.HasSuffix(name, ".kplan.json")
}
