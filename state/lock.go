package state

import (
	"encoding/json"
	"fmt"
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/google/uuid"
)

// LockInfo is who holds a lock. What is read from a store was written by someone else:
// escape it before showing it.
type LockInfo struct {
	ID        string    // random; what force-unlock must name
	Operation string    // apply, state rm, …
	Info      string    `json:",omitempty"` // anything else worth showing
	Who       string    // user@host
	PID       int       // on that host
	Version   string    // of kplan
	Created   time.Time // when the lock was taken
	Path      string    // of the state, filled in by the store
}

// NewLockInfo describes this process, about to do an operation.
func NewLockInfo(operation, version string) LockInfo {
	name := "?"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	host, err := os.Hostname()
	if err != nil {
		host = "?"
	}
	return LockInfo{
		ID:        uuid.NewString(),
		Operation: operation,
		Who:       name + "@" + host,
		PID:       os.Getpid(),
		Version:   version,
		Created:   time.Now().UTC(),
	}
}

// String is the lock as Terraform shows one under "Error acquiring the state
// lock".
func (i LockInfo) String() string {
	var b strings.Builder
	line := func(name string, value any) { fmt.Fprintf(&b, "  %-10s %v\n", name+":", value) }
	b.WriteString("Lock Info:\n")
	line("ID", i.ID)
	line("Path", i.Path)
	line("Operation", i.Operation)
	line("Who", i.Who)
	if i.PID != 0 {
		line("PID", i.PID)
	}
	line("Version", i.Version)
	line("Created", i.Created)
	line("Info", i.Info)
	return b.String()
}

// Encode is the info as stores keep it.
func (i LockInfo) Encode() []byte {
	text, err := json.MarshalIndent(i, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("state: lock info without JSON form: %v", err)) // a year beyond 9999
	}
	return append(text, '\n')
}

// DecodeLockInfo reads what Encode writes. It is lenient, unlike Decode: what it reads
// is only ever shown, and compared with an id.
func DecodeLockInfo(data []byte) (LockInfo, error) {
	var info LockInfo
	if err := json.Unmarshal(data, &info); err != nil {
		return LockInfo{}, fmt.Errorf("the lock info is damaged: %w", err)
	}
	return info, nil
}

// LockIDError is the error of unlocking with the id of another lock.
type LockIDError struct {
	Given string
	Info  LockInfo // untrusted text
}

func (e *LockIDError) Error() string {
	return fmt.Sprintf("the lock ID %q does not match that of the lock, %q, held by %s; nothing was unlocked", e.Given, e.Info.ID, e.Info.Who)
}
