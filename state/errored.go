package state

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/google/uuid"
)

// ErroredFile is where a run writes a state that it couldn't store.
const ErroredFile = "errored.kplan.state.json"

// WriteErrored writes into dir a state that couldn't be stored, with the serial after
// the one that the run started from: so Push accepts it, unless someone has written
// since. An errored state that already exists is kept as its backup. Where the file's name is
// taken by something else, such as a link that others have planted, it has a random one.
func WriteErrored(dir string, s *State, c Codec) (path string, err error) {
	next := *s
	next.Serial++
	data, err := c.Encode(&next)
	if err != nil {
		return "", err
	}
	path = filepath.Join(dir, ErroredFile)
	if err = replaceErrored(path, data); err != nil {
		path = filepath.Join(dir, uuid.NewString()+"."+ErroredFile)
		err = replaceErrored(path, data)
	}
	if err != nil {
		return "", fmt.Errorf("saving the state that could not be stored: %w", err)
	}
	return path, nil
}

func replaceErrored(path string, data []byte) error {
	previous, err := readFile(path)
	if err != nil {
		return err
	}
	if previous != nil {
		if err := writeFile(path+".backup", previous, nil); err != nil {
			return err
		}
	}
	var notSynced *notSyncedError
	if err := writeFile(path, data, nil); err != nil && !errors.As(err, &notSynced) {
		return err
	}
	return nil
}
