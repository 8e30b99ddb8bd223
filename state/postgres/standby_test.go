//go:build unix

package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"kplan.dev/kplan/internal/servertest"
	"kplan.dev/kplan/state"
	"kplan.dev/kplan/state/postgres"
	"kplan.dev/kplan/state/postgres/postgrestest"
	"kplan.dev/kplan/state/remote"
	"kplan.dev/kplan/state/storetest"
)

// pairOfServers is a server and its standby.
type pairOfServers struct {
	*testing.T
	primary, standby *postgrestest.Server
}

func newPair(t *testing.T) *pairOfServers {
	t.Helper()
	p := &pairOfServers{T: t}
	var err error
	if p.primary, err = postgrestest.Start(); err != nil {
		servertest.Missing(t, err)
	}
	p.standby, err = p.primary.StartStandby()
	p.must(err)
	t.Cleanup(func() {
		_, _ = p.primary.Stop("QUIT"), p.standby.Stop("QUIT")
	})
	return p
}

func (p *pairOfServers) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

// both opens the state at whichever of the two answers.
func (p *pairOfServers) both(options string) *remote.Store {
	p.Helper()
	conn := strings.Replace(p.primary.ConnString(postgrestest.Admin), fmt.Sprint("127.0.0.1:", p.primary.Port),
		fmt.Sprintf("127.0.0.1:%d,127.0.0.1:%d", p.primary.Port, p.standby.Port), 1)
	place, err := postgres.At(postgres.Settings{ConnString: conn + options, Name: "shop"})
	p.must(err)
	return remote.Open(place)
}

func (p *pairOfServers) at(s *postgrestest.Server) *remote.Store {
	return remote.Open(at(p, s, postgrestest.Admin, "", "shop"))
}

func (p *pairOfServers) lock(s *remote.Store) (state.Lease, *state.State) {
	p.Helper()
	lease, err := s.Lock(p.Context(), state.NewLockInfo("apply", "test"))
	p.must(err)
	st, err := lease.Read(p.Context())
	if errors.Is(err, state.ErrNotExist) {
		st, err = state.New(), nil
	}
	p.must(err)
	return lease, st
}

func (p *pairOfServers) write(lease state.Lease, st *state.State) {
	p.Helper()
	st.Put(storetest.Object(100 + int(st.Serial)))
	p.must(lease.Write(p.Context(), st))
}

// behind has the standby replay nothing more.
func (p *pairOfServers) behind() {
	p.Helper()
	p.must(p.primary.CatchUp(p.standby))
	run(p.T, p.standby, "SELECT pg_wal_replay_pause()")
	for begun := time.Now(); ; time.Sleep(20 * time.Millisecond) { // it takes effect at the next record
		paused, err := p.standby.Query("SELECT pg_get_wal_replay_pause_state()")
		if p.must(err); paused == "paused" || time.Since(begun) > 10*time.Second {
			return
		}
	}
}

// cutOff ends the replication, once the standby has all that was written so far.
func (p *pairOfServers) cutOff() {
	p.Helper()
	p.must(p.primary.CatchUp(p.standby))
	run(p.T, p.standby, "ALTER SYSTEM SET primary_conninfo = ''")
	run(p.T, p.standby, "SELECT pg_reload_conf()")
	for begun := time.Now(); time.Since(begun) < 10*time.Second; time.Sleep(20 * time.Millisecond) {
		if n, err := p.standby.Query("SELECT count(*) FROM pg_stat_wal_receiver"); err != nil || n == "0" {
			p.must(err)
			return
		}
	}
	p.Fatal("the standby goes on receiving")
}

// failOver kills the primary, and promotes a standby that never gets what it had not received.
func (p *pairOfServers) failOver() {
	p.Helper()
	p.must(p.primary.Stop("KILL"))
	p.must(p.standby.Promote())
}

// TestRealStandby: a standby is no place for a run that writes, which is told so; one that plans reads it, as old as it is, takes no
// lock there, and sees that another run holds it.
func TestRealStandby(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	lease, st := p.lock(p.at(p.primary))
	p.write(lease, st)
	p.must(lease.Unlock())
	p.must(p.primary.CatchUp(p.standby))
	_, err := p.at(p.standby).Lock(t.Context(), state.NewLockInfo("apply", "test"))
	if !errors.Is(err, remote.ErrReadOnly) || !strings.Contains(err.Error(), "this is a standby, or a role that only reads") {
		t.Errorf("locking: %v", err)
	}
	if _, err := p.at(p.standby).ForReading().Lock(t.Context(), state.NewLockInfo("plan", "test")); !errors.Is(err, state.ErrNoLock) {
		t.Errorf("locking for a plan: %v", err)
	}
	p.behind()
	lease, st = p.lock(p.at(p.primary))
	p.write(lease, st)
	if old, err := p.at(p.standby).Read(t.Context()); err != nil || old.Serial != st.Serial-1 {
		t.Errorf("a standby that is behind: %v", err)
	}
	run(t, p.standby, "SELECT pg_wal_replay_resume()")
	p.must(p.primary.CatchUp(p.standby))
	if _, err := p.at(p.standby).ForReading().Lock(t.Context(), state.NewLockInfo("plan", "test")); !errors.As(err, new(*state.LockedError)) {
		t.Errorf("locking for a plan beside a run: %v", err)
	}
	p.must(lease.Unlock())
	place, err := postgres.At(postgres.Settings{Name: "shop",
		ConnString: p.standby.ConnString(postgrestest.Admin) + "&target_session_attrs=read-write"})
	p.must(err)
	if _, err := remote.Open(place).Read(t.Context()); err == nil || !strings.Contains(err.Error(), "read only connection") {
		t.Errorf("with target_session_attrs=read-write: %v", err)
	}
}

// TestFailover: a run in whose middle the standby takes over goes on, without its lock or a write being lost.
func TestFailover(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	lease, st := p.lock(p.both(""))
	p.write(lease, st)
	p.must(p.primary.CatchUp(p.standby))
	promoted := make(chan error, 1)
	p.must(p.primary.Stop("KILL"))
	go func() {
		time.Sleep(3 * time.Second) // until then it only reads
		promoted <- p.standby.Promote()
	}()
	p.write(lease, st)
	p.must(<-promoted)
	p.must(lease.Unlock())
	if got, err := p.both("").Read(t.Context()); err != nil || !got.Equal(st) || got.Serial != 2 {
		t.Errorf("after the failover: %v", err)
	}
}

// TestFailoverLosesCommit: the standby that takes over lacks the last commit. A run that still holds the lock there writes all that it
// knows, under a higher serial than the one that was lost; one whose lock is what was lost can't write.
func TestFailoverLosesCommit(t *testing.T) {
	t.Parallel()
	for what, beforeLock := range map[string]bool{"a write": false, "the lock": true} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			p := newPair(t)
			lease, st := p.lock(p.both(""))
			p.write(lease, st)
			p.must(lease.Unlock())
			if beforeLock {
				p.cutOff()
			}
			lease, st = p.lock(p.both(""))
			if !beforeLock {
				p.cutOff()
			}
			p.write(lease, st) // serial 2, which is lost
			p.failOver()
			if old, err := p.at(p.standby).Read(t.Context()); err != nil || old.Serial != 1 {
				t.Fatalf("the standby has what should be lost: %v", err)
			}
			st.Put(storetest.Object(9))
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			err := lease.Write(ctx, st)
			got, readErr := p.at(p.standby).Read(t.Context())
			p.must(readErr)
			switch {
			case beforeLock && (!errors.As(err, new(*state.LostLockError)) || got.Serial != 1):
				t.Errorf("without the lock: %v, serial %d is stored", err, got.Serial)
			case !beforeLock && (err != nil || !got.Equal(st) || got.Serial != 3 || len(got.Objects) != 3):
				t.Errorf("with the lock: %v, serial %d with %d objects is stored", err, got.Serial, len(got.Objects))
			}
		})
	}
}
