//go:build !windows

package state_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"kplan.dev/kplan/state"
	"kplan.dev/kplan/state/storetest"
)

// Processes that these tests kill, stop and let race are this test binary,
// started again with the name of one of these roles.
var roles = map[string]func(f directory) error{
	"write": writeRole,
	"race":  raceRole,
}

func TestMain(m *testing.M) {
	role, given := roles[os.Getenv("STATE_TEST_ROLE")]
	if !given {
		os.Exit(m.Run())
	}
	if err := role(directory(os.Getenv("STATE_TEST_DIRECTORY"))); err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
}

func (f directory) start(t *testing.T, role string, env ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "STATE_TEST_ROLE="+role, "STATE_TEST_DIRECTORY="+string(f))
	cmd.Env = append(cmd.Env, env...)
	var out bytes.Buffer
	cmd.Stdout = &out
	cmd.Stderr = &out
	must(t, cmd.Start())
	t.Cleanup(func() { cmd.Process.Kill() })
	return cmd, &out
}

// writeRole is a run that writes one object after the other and prints, once each write
// has returned, how many objects are stored.
func writeRole(f directory) error {
	store := f.open()
	ctx := context.Background()
	lease, err := state.Acquire(ctx, store, state.NewLockInfo("test", "test"), 10*time.Second)
	if err != nil {
		return err
	}
	s, err := lease.Read(ctx)
	if errors.Is(err, state.ErrNotExist) {
		s, err = state.New(), nil
	}
	if err != nil {
		return err
	}
	n := 4
	fmt.Sscan(os.Getenv("STATE_TEST_WRITES"), &n)
	for range n {
		s.Put(storetest.Object(len(s.Objects)))
		if err := lease.Write(ctx, s); err != nil {
			fmt.Println("error", err)
			if err := lease.Write(ctx, s); err != nil {
				return err
			}
		}
		fmt.Println("stored", len(s.Objects), s.Serial)
	}
	if err := lease.Unlock(); err != nil {
		return err
	}
	fmt.Println("unlocked")
	return nil
}

// stored is the last that a writer acknowledged.
func stored(out string) (objects int, serial uint64) {
	for line := range strings.Lines(out) {
		fmt.Sscanf(line, "stored %d %d", &objects, &serial)
	}
	return objects, serial
}

// checkAfterCrash makes sure that nothing acknowledged is lost and that the next run can
// go on at once.
func (f directory) checkAfterCrash(t *testing.T, before int, out string) {
	t.Helper()
	acknowledged, serial := stored(out)
	acknowledged = max(acknowledged, before)
	s, err := f.open().Read(t.Context())
	if errors.Is(err, state.ErrNotExist) && acknowledged == 0 {
		s, err = &state.State{}, nil
	}
	if err != nil {
		t.Fatalf("%v\nafter\n%s", err, out)
	}
	if n := len(s.Objects); n != acknowledged && n != acknowledged+1 {
		t.Errorf("the state holds %d objects, %d were acknowledged", n, acknowledged)
	}
	if s.Serial < serial || s.Serial > serial+1 && before == 0 {
		t.Errorf("the state has serial %d, %d was acknowledged", s.Serial, serial)
	}
	objects := s.Table()
	for i := range acknowledged {
		if _, found := objects.FindObject(storetest.Object(i).Object); !found {
			t.Errorf("object %d is lost", i)
		}
	}
	if data, err := os.ReadFile(f.path() + ".backup"); err == nil {
		if _, err := state.Decode(data); err != nil {
			t.Errorf("the backup: %v", err)
		}
	}
	f.put(t, 1000)
	for name := range strings.FieldsSeq(f.names(t)) {
		if !slices.Contains([]string{"kplan.state.json", "kplan.state.json.backup", "kplan.state.json.lock"}, name) {
			t.Errorf("the next run leaves %s", name)
		}
	}
}

// TestKillAnytime kills a writer at arbitrary instants, three of four after its first
// write. In full size it does so 60 times.
func TestKillAnytime(t *testing.T) {
	t.Parallel()
	rounds := state.Size(60, 15)
	killed := 0
	for round := range rounds {
		f := newDirectory(t)
		before := 0
		if round%2 == 1 {
			f.put(t, 0, 1)
			before = 2
		}
		first, _ := os.ReadFile(f.path())
		cmd, out := f.start(t, "write", "STATE_TEST_WRITES=100000")
		if round%4 > 0 {
			f.awaitOther(t, first)
		}
		time.Sleep(time.Duration(rand.IntN(60_000)) * time.Microsecond)
		cmd.Process.Kill()
		cmd.Wait()
		if n, _ := stored(out.String()); n > 0 {
			killed++
		}
		f.checkAfterCrash(t, before, out.String())
	}
	t.Logf("%d of %d writers were killed after their first write", killed, rounds)
	if killed < rounds/2 {
		t.Error("too few for this test to mean anything")
	}
}

// awaitOther waits until the stored state is another.
func (f directory) awaitOther(t *testing.T, than []byte) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if now, err := os.ReadFile(f.path()); err == nil && !bytes.Equal(now, than) {
			return
		}
	}
	t.Fatal("nothing was written")
}

// TestKilledHolder: the lock of a killed run is free at once.
func TestKilledHolder(t *testing.T) {
	t.Parallel()
	f := newDirectory(t)
	cmd, out := f.start(t, "write", "STATE_TEST_WRITES=100000")
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		if s, err := f.open().Read(t.Context()); err == nil && s.Serial > 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("nothing was written: %s", out)
		}
	}
	_, err := f.open().Lock(t.Context(), state.LockInfo{})
	var locked *state.LockedError
	if !errors.As(err, &locked) {
		t.Fatalf("Lock while a writer lives: %v", err)
	}
	cmd.Process.Kill()
	cmd.Wait()
	lease, err := f.open().Lock(t.Context(), state.LockInfo{})
	must(t, err)
	must(t, lease.Unlock())
}

// TestRace has many processes at one state: 8 with 25 rounds each in full size. Each
// marks that it holds the lock, which only one at a time may; every write that was
// acknowledged must be there.
func TestRace(t *testing.T) {
	t.Parallel()
	race(t, state.Size(8, 5), state.Size(25, 8), false)
}

// TestRaceWithForceUnlock is the same while someone removes every lock there is. Several
// may then hold one, but no write is lost.
func TestRaceWithForceUnlock(t *testing.T) {
	t.Parallel()
	race(t, state.Size(8, 5), state.Size(25, 10), true)
}

func race(t *testing.T, processes, rounds int, force bool) {
	f := newDirectory(t)
	type child struct {
		cmd *exec.Cmd
		out *bytes.Buffer
	}
	var children []child
	for i := range processes {
		cmd, out := f.start(t, "race", fmt.Sprint("STATE_TEST_NUMBER=", i), fmt.Sprint("STATE_TEST_ROUNDS=", rounds),
			fmt.Sprint("STATE_TEST_FORCE=", force))
		children = append(children, child{cmd, out})
	}
	done := make(chan struct{})
	unlocks := make(chan int)
	go func() { unlocks <- f.forceUnlock(t, force, done) }()
	acknowledged := map[string]bool{}
	serials := map[uint64]bool{}
	lost := 0
	for _, c := range children {
		if err := c.cmd.Wait(); err != nil {
			t.Errorf("%v\n%s", err, c.out)
		}
		lines := bufio.NewScanner(c.out)
		for lines.Scan() {
			var name string
			var serial uint64
			if n, _ := fmt.Sscanf(lines.Text(), "stored %s %d", &name, &serial); n == 2 {
				if serials[serial] {
					t.Errorf("serial %d was given twice", serial)
				}
				acknowledged[name], serials[serial] = true, true
			} else if strings.HasPrefix(lines.Text(), "lost") {
				lost++
			}
		}
	}
	close(done)
	forced := <-unlocks
	s, err := f.open().Read(t.Context())
	must(t, err)
	objects := s.Table()
	for name := range acknowledged {
		if _, found := objects.FindObject(raceObject(name).Object); !found {
			t.Errorf("%s was acknowledged and is lost", name)
		}
	}
	if len(s.Objects) != len(acknowledged) || s.Serial != uint64(len(serials)) {
		t.Errorf("%d objects in serial %d, but %d writes were acknowledged", len(s.Objects), s.Serial, len(serials))
	}
	if !force && len(acknowledged) != processes*rounds*raceWrites {
		t.Errorf("%d writes were acknowledged, want %d", len(acknowledged), processes*rounds*raceWrites)
	}
	if force && lost == 0 {
		t.Errorf("no run noticed that it lost its lock")
	}
	t.Logf("%d acknowledged writes, %d locks removed, %d runs noticed", len(acknowledged), forced, lost)
}

const raceWrites = 3

func raceObject(name string) state.Object {
	o := storetest.Object(0)
	o.Addr.Resource.Name = name
	o.Object.Name = name
	return o
}

// forceUnlock removes locks, from time to time, until done.
func (f directory) forceUnlock(t *testing.T, force bool, done <-chan struct{}) (n int) {
	for {
		select {
		case <-done:
			return n
		case <-time.After(time.Duration(rand.IntN(20)) * time.Millisecond):
		}
		if data, err := os.ReadFile(f.path() + ".lock"); force && err == nil {
			info, _ := state.DecodeLockInfo(data)
			if f.open().ForceUnlock(t.Context(), info.ID) == nil {
				n++
			}
		}
	}
}

func raceRole(f directory) error {
	ctx := context.Background()
	rounds, number := 0, os.Getenv("STATE_TEST_NUMBER")
	fmt.Sscan(os.Getenv("STATE_TEST_ROUNDS"), &rounds)
	force := os.Getenv("STATE_TEST_FORCE") == "true"
	for round := range rounds {
		lease, err := state.Acquire(ctx, f.open(), state.NewLockInfo("test", "test"), 5*time.Minute)
		if err != nil {
			return err
		}
		holder := f.path() + ".holder"
		if !force {
			mark, err := os.OpenFile(holder, os.O_CREATE|os.O_EXCL, 0o600)
			if err != nil {
				return fmt.Errorf("another one holds the lock: %w", err)
			}
			mark.Close()
		}
		if err := raceRound(lease, fmt.Sprintf("p%s-r%d", number, round)); err != nil {
			return err
		}
		if !force {
			if err := os.Remove(holder); err != nil {
				return err
			}
		}
		var lost *state.LostLockError
		if err := lease.Unlock(); err != nil && !errors.As(err, &lost) {
			return err
		}
	}
	return nil
}

func raceRound(lease state.Lease, name string) error {
	ctx := context.Background()
	s, err := lease.Read(ctx)
	if errors.Is(err, state.ErrNotExist) {
		s, err = state.New(), nil
	}
	for i := range raceWrites {
		if err != nil {
			break
		}
		s.Put(raceObject(fmt.Sprintf("%s-w%d", name, i)))
		if err = lease.Write(ctx, s); err == nil {
			fmt.Printf("stored %s-w%d %d\n", name, i, s.Serial)
		}
	}
	var lost *state.LostLockError
	var stale *state.StaleError
	if errors.As(err, &lost) || errors.As(err, &stale) {
		fmt.Println("lost", err)
		return nil
	}
	return err
}
