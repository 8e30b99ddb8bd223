//go:build unix

package postgrestest

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"kplan.dev/kplan/internal/servertest"
)

// StartStandby starts a server that replays, asynchronously, what the server writes.
func (s *Server) StartStandby() (*Server, error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	b := &Server{Server: servertest.Server{Credential: s.Credential}}
	if b.Dir, err = servertest.MakeDir(s.Credential); err != nil {
		return nil, err
	}
	if b.Port, err = servertest.FreePort(); err != nil {
		return nil, err
	}
	data := filepath.Join(b.Dir, "data")
	backup := exec.Command(filepath.Join(bin, "pg_basebackup"), "-D", data, "-R", "-c", "fast", "-X", "stream", "--no-sync",
		"-d", s.connString(Admin, "postgres"))
	backup.Dir, backup.SysProcAttr = b.Dir, &syscall.SysProcAttr{Credential: s.Credential}
	if out, err := backup.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("pg_basebackup: %w\n%s", err, out)
	}
	b.Command = b.command(bin, data)
	b.Ready = func() error { return b.runIn("app", "SELECT 1") }
	return b, b.Server.Start()
}

// CatchUp waits until a standby has replayed all that the server has written so far.
func (s *Server) CatchUp(standby *Server) error {
	at, err := s.Query("SELECT pg_current_wal_lsn()")
	for begun := time.Now(); err == nil; time.Sleep(20 * time.Millisecond) {
		var caught string
		caught, err = standby.Query("SELECT pg_last_wal_replay_lsn() >= '" + at + "'")
		if caught == "t" {
			return nil
		}
		if time.Since(begun) > 20*time.Second {
			return fmt.Errorf("the standby does not reach %s", at)
		}
	}
	return err
}

// Promote makes a standby a server of its own.
func (s *Server) Promote() error {
	if _, err := s.Query("SELECT pg_promote()"); err != nil && !strings.Contains(err.Error(), "recovery is not in progress") {
		return err
	}
	return nil
}
