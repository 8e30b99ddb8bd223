package state_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kplan.dev/kplan/internal/encryption"
	"kplan.dev/kplan/state"
	"kplan.dev/kplan/state/storetest"
)

func TestLocal(t *testing.T) {
	storetest.Run(t, func(t *testing.T) (one, other state.Store) {
		path := filepath.Join(t.TempDir(), "kplan.state.json")
		return state.Open(path), state.Open(path)
	})
}

func TestLocalEncrypted(t *testing.T) {
	const public, secret = "age1rlp4844mcqa3dz57u9xgzpjnz6usse7x0nee3pgvy93jxc4lecxspddwtw",
		"AGE-SECRET-KEY-1M3M5NLP0PQ8S643AQLR9WS4G58GL0UMFZZ5X9GKEK98722DDRQLSZ3U2WU"
	keys, err := encryption.New(encryption.Options{Recipients: []string{public}, Identities: []string{secret}})
	must(t, err)
	storetest.Run(t, func(t *testing.T) (one, other state.Store) {
		path := filepath.Join(t.TempDir(), "kplan.state.json")
		return state.Open(path).With(state.Codec{Keys: keys}), state.Open(path).With(state.Codec{Keys: keys})
	})
}

// directory is a directory for a state.
type directory string

func newDirectory(t *testing.T) directory { return directory(t.TempDir()) }

func (f directory) path() string { return filepath.Join(string(f), "kplan.state.json") }

func (f directory) open() *state.Local { return state.Open(f.path()) }

func (f directory) names(t *testing.T) string {
	t.Helper()
	entries, err := os.ReadDir(string(f))
	must(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

// run is a run of kplan that does one thing to the state.
func (f directory) run(t *testing.T, do func(lease state.Lease, s *state.State)) {
	t.Helper()
	lease, err := f.open().Lock(t.Context(), state.NewLockInfo("test", "test"))
	must(t, err)
	defer lease.Unlock()
	s, err := lease.Read(t.Context())
	if errors.Is(err, state.ErrNotExist) {
		s, err = state.New(), nil
	}
	must(t, err)
	do(lease, s)
	must(t, lease.Unlock())
}

func (f directory) put(t *testing.T, objects ...int) {
	t.Helper()
	f.run(t, func(lease state.Lease, s *state.State) {
		for _, i := range objects {
			s.Put(storetest.Object(i))
			must(t, lease.Write(t.Context(), s))
		}
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestLocalFiles(t *testing.T) {
	f := newDirectory(t)
	lease, err := f.open().Lock(t.Context(), state.NewLockInfo("test", "test"))
	must(t, err)
	if got, want := f.names(t), "kplan.state.json.lock"; got != want {
		t.Errorf("locked, the directory has %s, want %s", got, want)
	}
	mode(t, f.path()+".lock")
	must(t, lease.Unlock())
	if lock, err := os.ReadFile(f.path() + ".lock"); err != nil || len(lock) > 0 {
		t.Errorf("unlocked, the lock file holds %q, %v", lock, err)
	}

	f.put(t, 1)
	if got, want := f.names(t), "kplan.state.json kplan.state.json.lock"; got != want {
		t.Errorf("after the first run the directory has %s, want %s", got, want)
	}
	must(t, os.Chmod(f.path(), 0o644))
	f.put(t, 2)
	if got, want := f.names(t), "kplan.state.json kplan.state.json.backup kplan.state.json.lock"; got != want {
		t.Errorf("after the second run the directory has %s, want %s", got, want)
	}
	mode(t, f.path())
	mode(t, f.path()+".backup")
}

func mode(t *testing.T, path string) {
	t.Helper()
	info, err := os.Lstat(path)
	must(t, err)
	if info.Mode() != 0o600 {
		t.Errorf("%s has mode %v", filepath.Base(path), info.Mode())
	}
}

// TestLocalBackup: the backup is what the last run that wrote had read, however often it
// wrote.
func TestLocalBackup(t *testing.T) {
	f := newDirectory(t)
	f.put(t, 1, 2)
	before, err := os.ReadFile(f.path())
	must(t, err)
	f.put(t, 3, 4, 5)
	f.put(t, 5) // nothing new: nothing written
	backup, err := os.ReadFile(f.path() + ".backup")
	must(t, err)
	if string(backup) != string(before) {
		t.Errorf("the backup is not what the run found:\n%s", backup)
	}
}

func TestLocalDirectoryMissing(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "a", "b")
	_, err := directory(missing).open().Lock(t.Context(), state.LockInfo{})
	if err == nil || !strings.Contains(err.Error(), missing+", does not exist") {
		t.Errorf("Lock: %v", err)
	}
	if _, err := os.Stat(filepath.Dir(missing)); err == nil {
		t.Error("the parent directory was created")
	}
}

func TestLocalRefusesLinks(t *testing.T) {
	f := newDirectory(t)
	target := newDirectory(t)
	target.put(t, 1)
	before, err := os.ReadFile(target.path())
	must(t, err)

	must(t, os.Symlink(target.path(), f.path()))
	if _, err := f.open().Read(t.Context()); err == nil || !strings.Contains(err.Error(), "symbolic link") {
		t.Errorf("Read through a link: %v", err)
	}
	if _, err := f.open().Lock(t.Context(), state.LockInfo{}); err == nil || !strings.Contains(err.Error(), "symbolic link") {
		t.Errorf("Lock through a link: %v", err)
	}
	must(t, os.Remove(f.path()))

	lock := filepath.Join(string(target), "other")
	must(t, os.WriteFile(lock, []byte("precious"), 0o600))
	must(t, os.Symlink(lock, f.path()+".lock"))
	if _, err := f.open().Lock(t.Context(), state.LockInfo{}); err == nil || !strings.Contains(err.Error(), ".lock is not a regular file") {
		t.Errorf("Lock by a file that is a link: %v", err)
	}
	must(t, os.Remove(f.path()+".lock"))

	f.put(t, 1)
	must(t, os.Symlink(target.path(), f.path()+".backup"))
	f.put(t, 2) // the link itself is replaced
	lease, err := f.open().Lock(t.Context(), state.LockInfo{})
	must(t, err)
	defer lease.Unlock()
	s, err := lease.Read(t.Context())
	must(t, err)
	must(t, os.Rename(f.path(), f.path()+".aside"))
	must(t, os.Symlink(f.path()+".aside", f.path()))
	s.Put(storetest.Object(3))
	if err := lease.Write(t.Context(), s); err == nil || !strings.Contains(err.Error(), "symbolic link") {
		t.Errorf("Write through a link: %v", err)
	}

	after, err := os.ReadFile(target.path())
	must(t, err)
	if string(before) != string(after) {
		t.Errorf("the file behind a link was written")
	}
	if content, err := os.ReadFile(lock); err != nil || string(content) != "precious" {
		t.Errorf("the file behind a link was written: %q, %v", content, err)
	}
}

func TestLocalRefusesOtherFiles(t *testing.T) {
	f := newDirectory(t)
	must(t, os.Mkdir(f.path(), 0o700))
	if _, err := f.open().Read(t.Context()); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("Read of a directory: %v", err)
	}
	if _, err := f.open().Lock(t.Context(), state.LockInfo{}); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("Lock of a directory: %v", err)
	}
}

// TestLocalNoticesChanges makes every change while a run holds the lock.
func TestLocalNoticesChanges(t *testing.T) {
	for name, change := range map[string]func(f directory) error{
		"removed":  func(f directory) error { return os.Remove(f.path()) },
		"restored": func(f directory) error { return os.Rename(f.path()+".backup", f.path()) },
		"emptied":  func(f directory) error { return os.Truncate(f.path(), 0) },
		"reformatted": func(f directory) error {
			data, err := os.ReadFile(f.path())
			return errors.Join(err, os.WriteFile(f.path(), append(data, '\n'), 0o600))
		},
	} {
		f := newDirectory(t)
		f.put(t, 1)
		f.put(t, 2)
		lease, err := f.open().Lock(t.Context(), state.LockInfo{})
		must(t, err)
		s, err := lease.Read(t.Context())
		must(t, err)
		must(t, change(f))
		before, _ := os.ReadFile(f.path())
		s.Put(storetest.Object(3))
		err = lease.Write(t.Context(), s)
		var stale *state.StaleError
		var bad *state.DecodeError
		if !errors.As(err, &stale) && !errors.As(err, &bad) {
			t.Errorf("%s: %v", name, err)
		} else {
			t.Logf("%s: %v", name, err)
		}
		if after, _ := os.ReadFile(f.path()); string(after) != string(before) {
			t.Errorf("%s: the file was written", name)
		}
		must(t, lease.Unlock())
	}
}

// TestLocalDamagedWithoutBackup: no backup is recommended that does not exist or is damaged, too.
func TestLocalDamagedWithoutBackup(t *testing.T) {
	f := newDirectory(t)
	f.put(t, 1)
	must(t, os.Truncate(f.path(), 300))
	for _, want := range []string{"there is no backup beside it: ", ".backup can't be used either: "} {
		_, err := f.open().Read(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "kplan state rebuild") {
			t.Errorf("%q: %v", want, err)
		}
		must(t, os.WriteFile(f.path()+".backup", []byte("{"), 0o600))
	}
}

func TestLocalDamaged(t *testing.T) {
	f := newDirectory(t)
	f.put(t, 1)
	f.put(t, 2)
	must(t, os.Truncate(f.path(), 300))
	_, err := f.open().Read(t.Context())
	var bad *state.DecodeError
	if !errors.As(err, &bad) || !strings.Contains(err.Error(), f.path()) || !strings.Contains(err.Error(), ".backup is intact (serial 1)") {
		t.Fatalf("Read: %v", err)
	}

	lease, err := f.open().Lock(t.Context(), state.LockInfo{})
	must(t, err)
	defer lease.Unlock()
	if _, err := lease.Read(t.Context()); !errors.As(err, &bad) {
		t.Fatalf("Read: %v", err)
	}
	if err := lease.Write(t.Context(), state.New()); err == nil {
		t.Fatal("a damaged state was replaced by Write")
	}
	good, err := state.Open(f.path() + ".backup").Read(t.Context())
	must(t, err)
	if err := state.Push(t.Context(), lease, good, false); !errors.As(err, &bad) {
		t.Fatalf("Push without force: %v", err)
	}
	must(t, state.Push(t.Context(), lease, good, true))
	restored, err := f.open().Read(t.Context())
	must(t, err)
	if len(restored.Objects) != 1 {
		t.Errorf("the restored state has %d objects", len(restored.Objects))
	}
	if _, err := state.Open(f.path() + ".backup").Read(t.Context()); err != nil {
		t.Errorf("the good backup is gone: %v", err)
	}
	if _, err := os.Stat(f.path() + ".damaged"); err != nil {
		t.Errorf("the damaged state was not kept: %v", err)
	}
}

// TestLocalDamagedAgain replaces one damaged state after the other: each is kept,
// once.
func TestLocalDamagedAgain(t *testing.T) {
	f := newDirectory(t)
	for _, text := range []string{"first", "second", "first", "third"} {
		must(t, os.WriteFile(f.path(), []byte(text), 0o600))
		lease, err := f.open().Lock(t.Context(), state.LockInfo{})
		must(t, err)
		must(t, state.Push(t.Context(), lease, state.New(), true))
		must(t, lease.Unlock())
	}
	for name, want := range map[string]string{".damaged": "first", ".damaged.2": "second", ".damaged.3": "third"} {
		if got, err := os.ReadFile(f.path() + name); string(got) != want {
			t.Errorf("%s holds %q, not %q: %v", name, got, want, err)
		}
	}
	const want = "kplan.state.json kplan.state.json.damaged kplan.state.json.damaged.2 kplan.state.json.damaged.3 kplan.state.json.lock"
	if got := f.names(t); got != want {
		t.Errorf("the directory has %s, want %s", got, want)
	}
}

// TestLocalForReading: a run that only reads creates no file, and yet excludes runs that
// write.
func TestLocalForReading(t *testing.T) {
	f := newDirectory(t)
	reader := f.open().ForReading()
	if _, err := reader.Lock(t.Context(), state.NewLockInfo("plan", "test")); !errors.Is(err, state.ErrNoLock) || f.names(t) != "" {
		t.Errorf("with nothing there: %v, and the directory has %q", err, f.names(t))
	}
	lease, err := f.open().Lock(t.Context(), state.NewLockInfo("apply", "test"))
	must(t, err)
	var locked *state.LockedError
	if _, err := reader.Lock(t.Context(), state.NewLockInfo("plan", "test")); !errors.As(err, &locked) || locked.Info.Operation != "apply" {
		t.Errorf("while an apply has the lock: %v", err)
	}
	must(t, lease.Unlock())
	lease, err = reader.Lock(t.Context(), state.NewLockInfo("plan", "test"))
	must(t, err)
	if _, err := f.open().Lock(t.Context(), state.LockInfo{}); !errors.As(err, &locked) || locked.Info.Operation != "plan" {
		t.Errorf("while a plan has the lock: %v", err)
	}
	must(t, lease.Unlock())
}

// TestLocalAfterKill: a lock whose holder was killed is free, and temporary files are
// removed.
func TestLocalAfterKill(t *testing.T) {
	f := newDirectory(t)
	for _, text := range []string{"", "{", "\x1b[2Jhello", string(state.LockInfo{ID: "dead", Who: "a@b"}.Encode())} {
		must(t, os.WriteFile(f.path()+".lock", []byte(text), 0o600))
		must(t, os.WriteFile(f.path()+".tmp-123", []byte("half"), 0o600))
		lease, err := f.open().Lock(t.Context(), state.NewLockInfo("test", "test"))
		must(t, err)
		if got, want := f.names(t), "kplan.state.json.lock"; got != want {
			t.Errorf("locked, the directory has %s, want %s", got, want)
		}
		must(t, lease.Unlock())
	}
}

// TestLocalForceUnlockDead: force-unlock removes the lock of a killed run, too.
func TestLocalForceUnlockDead(t *testing.T) {
	f := newDirectory(t)
	must(t, os.WriteFile(f.path()+".lock", state.LockInfo{ID: "dead"}.Encode(), 0o600))
	must(t, f.open().ForceUnlock(t.Context(), "dead"))
	if got := f.names(t); got != "" {
		t.Errorf("unlocked, the directory has %s", got)
	}
}

func TestLockInfoString(t *testing.T) {
	info := state.NewLockInfo("apply", "v1.2.3")
	info.Path = "kplan.state.json"
	again, err := state.DecodeLockInfo(info.Encode())
	if err != nil || again != info {
		t.Errorf("read as %+v, %v", again, err)
	}
	text := info.String()
	for _, line := range []string{"Lock Info:\n", "  ID:        " + info.ID + "\n", "  Path:      kplan.state.json\n", "  Operation: " +
		"apply\n", "  Who:       " + info.Who, "  Version:   v1.2.3\n"} {
		if !strings.Contains(text, line) {
			t.Errorf("%q is missing in\n%s", line, text)
		}
	}
}

// TestWriteErroredBesidePlanted: what others put in the place of the file does not cost the state.
func TestWriteErroredBesidePlanted(t *testing.T) {
	target := filepath.Join(t.TempDir(), "target")
	must(t, os.WriteFile(target, []byte("precious"), 0o600))
	for name, plant := range map[string]func(path string) error{
		"a link":          func(path string) error { return os.Symlink(target, path) },
		"a dangling link": func(path string) error { return os.Symlink(target+"-gone", path) },
		"a directory":     func(path string) error { return os.Mkdir(path, 0o700) },
		"the backup's directory": func(path string) error {
			return errors.Join(os.WriteFile(path, []byte("{}"), 0o600), os.Mkdir(path+".backup", 0o700))
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newDirectory(t)
			must(t, plant(filepath.Join(string(f), state.ErroredFile)))
			s := state.New()
			s.Put(storetest.Object(1))
			path, err := state.WriteErrored(string(f), s, state.Codec{})
			must(t, err)
			errored, err := state.Open(path).Read(t.Context())
			if err != nil || len(errored.Objects) != 1 {
				t.Errorf("%s: %v", path, err)
			}
			if kept, err := os.ReadFile(target); string(kept) != "precious" {
				t.Errorf("what the link leads to: %q, %v", kept, err)
			}
		})
	}
}

func TestWriteErrored(t *testing.T) {
	f := newDirectory(t)
	f.put(t, 1)
	var unsaved *state.State
	f.run(t, func(_ state.Lease, s *state.State) {
		s.Put(storetest.Object(2))
		unsaved = s
	})
	path, err := state.WriteErrored(string(f), unsaved, state.Codec{})
	must(t, err)
	if filepath.Base(path) != "errored.kplan.state.json" {
		t.Errorf("saved as %s", path)
	}
	mode(t, path)
	errored, err := state.Open(path).Read(t.Context())
	must(t, err)
	f.run(t, func(lease state.Lease, _ *state.State) {
		must(t, state.Push(t.Context(), lease, errored, false))
	})
	s, err := f.open().Read(t.Context())
	must(t, err)
	if s.Serial != 2 || len(s.Objects) != 2 {
		t.Errorf("pushed as serial %d with %d objects", s.Serial, len(s.Objects))
	}

	// Once someone has gone on from there, an errored state no longer fits.
	f.put(t, 3)
	f.run(t, func(lease state.Lease, _ *state.State) {
		var refused *state.PushError
		if err := state.Push(t.Context(), lease, errored, false); !errors.As(err, &refused) {
			t.Errorf("an old errored state was pushed: %v", err)
		}
	})

	unsaved.Put(storetest.Object(9))
	_, err = state.WriteErrored(string(f), unsaved, state.Codec{})
	must(t, err)
	first, err := state.Open(path + ".backup").Read(t.Context())
	if err != nil || len(first.Objects) != 2 {
		t.Errorf("the first errored state is lost: %v", err)
	}
}

func TestAcquireStopsAtOtherErrors(t *testing.T) {
	f := newDirectory(t)
	must(t, os.Mkdir(f.path()+".lock", 0o700))
	ctx, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	if _, err := state.Acquire(ctx, f.open(), state.LockInfo{}, 1<<40); err == nil {
		t.Error("a directory was locked")
	}
}

func BenchmarkLocalWrite10000(b *testing.B) {
	f := directory(b.TempDir())
	lease, err := f.open().Lock(b.Context(), state.NewLockInfo("test", "test"))
	must(b, err)
	defer lease.Unlock()
	s := state.New()
	s.Put(storetest.Objects(10_000)...)
	for b.Loop() {
		s.Objects[0].UID = fmt.Sprint(s.Serial)
		must(b, lease.Write(b.Context(), s))
	}
}
