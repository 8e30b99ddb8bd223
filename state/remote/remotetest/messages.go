package remotetest

import (
	"context"
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kplan.dev/kplan/state"
	"kplan.dev/kplan/state/remote"
	"kplan.dev/kplan/state/storetest"
)

// Message is what a server does wrong, and what a user then reads.
type Message struct {
	Name string
	// Place returns the place as it answers then.
	Place func(t *testing.T) remote.Place
	// Does is what a run wants of it.
	Does func(t *testing.T, s *remote.Store) error
	// Want is the part of the message that the documentation has.
	Want string
	// Secrets must not be in the message.
	Secrets []string
}

// Reads reads the state.
func Reads(t *testing.T, s *remote.Store) error {
	_, err := s.Read(t.Context())
	return err
}

// Locks takes the lock.
func Locks(t *testing.T, s *remote.Store) error {
	lease, err := s.Lock(t.Context(), state.NewLockInfo("apply", "test"))
	if err == nil {
		err = lease.Unlock()
	}
	return err
}

// Writes writes another state under the lock.
func Writes(t *testing.T, s *remote.Store) error {
	lease, err := s.Lock(t.Context(), state.NewLockInfo("apply", "test"))
	if err != nil {
		return err
	}
	st, err := lease.Read(t.Context())
	if errors.Is(err, state.ErrNotExist) {
		st, err = state.New(), nil
	}
	if err == nil {
		st.Put(storetest.Object(7000 + int(st.Serial)))
		err = lease.Write(t.Context(), st)
	}
	_ = lease.Unlock()
	return err
}

// Messages runs the cases, and those that all places have in common, and holds what users read against the page that documents
// the backend: it has what each case wants, and each message in its table comes of a case. elsewhere are those of the table
// that are no store's, and have a test of their own. open returns, for a new state, two clients of a place that answers well.
func Messages(t *testing.T, page string, open func(t *testing.T) (one, other remote.Place), cases []Message, elsewhere ...string) {
	document, err := os.ReadFile(page)
	must(t, err)
	text := strings.Join(strings.Fields(string(document)), " ")
	var mu sync.Mutex
	met := slices.Clone(elsewhere)
	t.Run("of", func(t *testing.T) {
		for _, m := range append(common(open), cases...) {
			t.Run(m.Name, func(t *testing.T) {
				t.Parallel() // most of them wait
				err := m.Does(t, remote.Open(m.Place(t)).WithTiming(quick))
				if err == nil || !strings.Contains(err.Error(), m.Want) {
					t.Fatalf("got %v, want %q", err, m.Want)
				}
				for _, secret := range m.Secrets {
					if strings.Contains(err.Error(), secret) {
						t.Errorf("a credential is shown: %v", err)
					}
				}
				if !strings.Contains(text, m.Want) {
					t.Errorf("%s does not have %q", page, m.Want)
				}
				mu.Lock()
				defer mu.Unlock()
				met = append(met, err.Error())
			})
		}
	})
	for _, row := range messagesOf(string(document)) {
		if !slices.ContainsFunc(met, func(message string) bool { return row.MatchString(message) }) {
			t.Errorf("%s: no case has the message %s", page, row)
		}
	}
	t.Logf("%d cases, %d messages", len(met)-len(elsewhere), len(messagesOf(string(document))))
}

var quotedText = regexp.MustCompile(`"([^"]+)"`)

// messagesOf are the messages that the table under the heading Troubleshooting quotes, with … for what differs.
func messagesOf(document string) (all []*regexp.Regexp) {
	_, table, _ := strings.Cut(document, "## Troubleshooting")
	table, _, _ = strings.Cut(table, "\n## ")
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) < 3 {
			continue
		}
		for _, match := range quotedText.FindAllStringSubmatch(cells[1], -1) {
			pattern := strings.ReplaceAll(regexp.QuoteMeta(match[1]), "…", "(?s:.*)")
			all = append(all, regexp.MustCompile(pattern))
		}
	}
	return all
}

// common are the cases of all places: of what is stored, and of who else is there.
func common(open func(t *testing.T) (one, other remote.Place)) []Message {
	type spoil = func(t *testing.T, one, other remote.Place) remote.Place
	wrong := func(name, want string, does func(*testing.T, *remote.Store) error, place spoil) Message {
		return Message{Name: name, Want: want, Does: does, Place: func(t *testing.T) remote.Place {
			one, other := open(t)
			return place(t, one, other)
		}}
	}
	head := func(text string) spoil {
		return func(t *testing.T, one, other remote.Place) remote.Place {
			seed(t, one, 3)
			return &wrongHead{Place: other, text: []byte(text)}
		}
	}
	parts := func(get func([]byte, error) ([]byte, error)) spoil {
		return func(t *testing.T, one, other remote.Place) remote.Place {
			seed(t, one, 50)
			return &brokenParts{Place: other, get: get}
		}
	}
	return []Message{
		wrong("a head that is garbage", "can't be found, since that is damaged", Reads, head("garbage\x00")),
		wrong("a head that is cut off", "can't be found, since that is damaged", Locks, head(`{"kplan_state_head": 1, "current": {"line`)),
		wrong("an empty head", "can't be found, since that is damaged", Reads, head("")),
		wrong("a head of a newer kplan", "was written by a newer kplan", Reads, head(`{"kplan_state_head": 9}`)),
		wrong("a state of Terraform", "holds a state of Terraform", Reads, head(`{"version": 4, "terraform_version": "1.5.0", "serial": 3}`)),
		wrong("something else", "holds something that is no state of kplan", Locks, head(`{"a": "b"}`)),
		wrong("a part that is gone", "is not complete: a part of it is gone", Reads,
			parts(func([]byte, error) ([]byte, error) { return nil, state.ErrNotExist })),
		wrong("a part that is garbage", "is damaged: gzip: invalid header", Reads,
			parts(func(part []byte, err error) ([]byte, error) { return []byte(strings.Repeat("garbage", 100)), err })),
		wrong("a part that is cut off", "is damaged: unexpected EOF", Reads,
			parts(func(part []byte, err error) ([]byte, error) { return part[:len(part)/2], err })),
		wrong("a lock that is held", "is locked by", Locks, func(t *testing.T, one, other remote.Place) remote.Place {
			lock(t, store(one))
			return other
		}),
		wrong("a lock that is lost", "is no longer held by this run", Writes, func(t *testing.T, one, other remote.Place) remote.Place {
			seed(t, one, 3)
			return &stolenLock{Place: other, thief: one, t: t}
		}),
		wrong("a head that is removed", "is no longer held by this run", Writes, func(t *testing.T, one, _ remote.Place) remote.Place {
			return &goneHead{Place: one}
		}),
		wrong("a replica that is behind", "answers with old content: its replicas are not in step", Locks,
			func(t *testing.T, one, other remote.Place) remote.Place {
				seed(t, one, 1)
				head, at, err := one.Head(t.Context())
				must(t, err)
				seedAgain(t, one)
				return &oldHead{Place: other, head: head, at: at}
			}),
	}
}

// stolenLock has its lock broken by another run once it has been taken.
type stolenLock struct {
	remote.Place
	thief remote.Place
	t     *testing.T
	once  sync.Once
}

// Put is what a run does between taking the lock and writing the head.
func (s *stolenLock) Put(ctx context.Context, name string, part []byte) error {
	s.once.Do(func() {
		locked, err := store(s.thief).Locked(ctx)
		must(s.t, err)
		must(s.t, store(s.thief).ForceUnlock(ctx, locked.Info.ID))
		_, err = state.Acquire(ctx, store(s.thief), state.NewLockInfo("thief", "test"), time.Minute)
		must(s.t, err)
	})
	return s.Place.Put(ctx, name, part)
}

// wrongHead answers with another text than the head.
type wrongHead struct {
	remote.Place
	text []byte
}

func (w *wrongHead) Head(ctx context.Context) ([]byte, string, error) {
	_, at, err := w.Place.Head(ctx)
	return w.text, at, err
}
