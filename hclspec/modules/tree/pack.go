package tree

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"time"
)

// Packer makes the archive of a tree. The same files make the same archive, whenever and wherever they are packed.
type Packer struct {
	names  names
	size   int64
	packed map[string][]byte
	contents
}

// NewPacker begins an archive.
func NewPacker() *Packer {
	return &Packer{names: names{}, packed: map[string][]byte{}, contents: contents{files: map[string][sha256.Size]byte{}}}
}

// Add adds a file.
func (p *Packer) Add(name string, content []byte) error {
	if err := p.names.check(name, false); err != nil {
		return err
	}
	p.names.add(name, false)
	switch p.size += int64(len(content)); {
	case p.size > MaxSize:
		return errTooLarge
	case len(p.files) >= MaxFiles:
		return errTooMany
	}
	p.packed[name], p.files[name] = content, sha256.Sum256(content)
	return nil
}

// Close ends the archive, and returns it with the hash of its tree.
func (p *Packer) Close() ([]byte, Hash, error) {
	var archive bytes.Buffer
	zipped, err := gzip.NewWriterLevel(&archive, gzip.BestCompression)
	if err != nil {
		return nil, Hash{}, err
	}
	w := tar.NewWriter(zipped)
	for _, name := range sortedKeys(p.packed) {
		content := p.packed[name]
		header := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(content)), Mode: 0o644, ModTime: time.Unix(0, 0)}
		if err := w.WriteHeader(header); err != nil {
			return nil, Hash{}, err
		}
		if _, err := w.Write(content); err != nil {
			return nil, Hash{}, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, Hash{}, err
	}
	if err := zipped.Close(); err != nil {
		return nil, Hash{}, err
	}
	return archive.Bytes(), p.hash(), nil
}
