package state

import (
	"errors"
	"os"
	"path/filepath"
)

// Place is where the state of a stack is kept.
type Place struct {
	// Store is for runs that write, and Reading the same for a run that writes nothing, maybe of a user who may not.
	Store
	Reading Store
	// Name is what messages call it: a file, or "lease acme/kplan-state-web".
	Name string
	// File is the file of a state on this machine, "" for any other.
	File string
	// Secrets are credentials that did not come from the configuration.
	Secrets []string
}

// InFile is the place in a file.
func InFile(path string, codec Codec) *Place {
	local := Open(path).With(codec)
	return &Place{Store: local, Reading: local.ForReading(), Name: path, File: path}
}

// FullName is Name as it can be understood in another directory.
func (p *Place) FullName() string {
	if path, err := filepath.Abs(p.File); err == nil && p.File != "" {
		return path
	}
	return p.Name
}

// MakeDirectory creates the directory of a file, which a configuration names. It does nothing for any other place.
func (p *Place) MakeDirectory() error {
	if p.File == "" {
		return nil
	}
	return os.MkdirAll(filepath.Dir(p.File), 0o700)
}

// HasDirectory reports whether the directory of a file is there. Any other place has none that could be missing.
func (p *Place) HasDirectory() bool {
	if p.File == "" {
		return true
	}
	_, err := os.Stat(filepath.Dir(p.File))
	return !errors.Is(err, os.ErrNotExist)
}
