package state

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

const noFollow = 0 // creating a link requires a privilege there; readFile refuses those it sees

// tryLock locks a file for this process, or returns false if another has locked it.
// The locked byte is far behind the content, since a lock on Windows keeps others from
// reading what it covers.
func tryLock(f *os.File) (bool, error) {
	at := &windows.Overlapped{OffsetHigh: 1}
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, at)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return false, nil
	}
	return err == nil, err
}

// isReadOnly reports whether an error is that of writing to a read-only file system.
func isReadOnly(err error) bool { return errors.Is(err, windows.ERROR_WRITE_PROTECT) }

// syncDirectory has nothing to do: NTFS keeps a journal of names.
func syncDirectory(string) error { return nil }
