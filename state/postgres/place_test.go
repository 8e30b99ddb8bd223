//go:build unix

package postgres_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"kplan.dev/kplan/internal/servertest"
	"kplan.dev/kplan/state"
	"kplan.dev/kplan/state/postgres"
	"kplan.dev/kplan/state/postgres/postgrestest"
	"kplan.dev/kplan/state/remote"
	"kplan.dev/kplan/state/remote/remotetest"
	"kplan.dev/kplan/state/storetest"
)

// shared is the server of all tests that do not stop it.
var shared = sync.OnceValues(postgrestest.Start)

func server(t testing.TB) *postgrestest.Server {
	t.Helper()
	s, err := shared()
	if err != nil {
		servertest.Missing(t, err)
	}
	return s
}

// at opens a state as a user.
func at(t testing.TB, of *postgrestest.Server, user, schema, name string) *postgres.Place {
	t.Helper()
	p, err := postgres.At(postgres.Settings{ConnString: of.ConnString(user), Schema: schema, Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// places opens, for one name after another, two places that know of each other only through the server.
func places(of *postgrestest.Server, schema string) func(t *testing.T) (one, other remote.Place) {
	var n atomic.Int32
	return func(t *testing.T) (remote.Place, remote.Place) {
		name := fmt.Sprint("tenants/s", n.Add(1))
		return at(t, of, postgrestest.Admin, schema, name), at(t, of, postgrestest.Admin, schema, name)
	}
}

func TestStore(t *testing.T) {
	open := places(server(t), "store")
	storetest.Run(t, func(t *testing.T) (state.Store, state.Store) {
		one, other := open(t)
		return remote.Open(one), remote.Open(other)
	})
}

func TestPlace(t *testing.T) { remotetest.Run(t, places(server(t), "")) }

func TestLinearizable(t *testing.T) {
	t.Parallel()
	remotetest.Linearizable(t, places(server(t), "linearizable"))
}

// TestCreatedAtOnce: many runs come first.
func TestCreatedAtOnce(t *testing.T) {
	s := server(t)
	for round := range 5 {
		var all sync.WaitGroup
		for n := range 16 {
			all.Go(func() {
				p := at(t, s, postgrestest.Admin, fmt.Sprint(`new "schema`, round), fmt.Sprint("s", n))
				if _, err := p.Swap(t.Context(), []byte("{}"), ""); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
}

// TestRights: a role needs what docs/backend-postgres.md says.
func TestRights(t *testing.T) {
	s := server(t)
	for _, user := range []string{"writer", "reader", "stranger"} {
		s.Exec(t, "CREATE ROLE "+user+" LOGIN PASSWORD '"+postgrestest.Password+"'")
	}
	_, err := remote.Open(at(t, s, "writer", "rights", "shop")).Lock(t.Context(), state.NewLockInfo("apply", "test"))
	if err == nil || !errors.Is(err, remote.ErrReadOnly) {
		t.Fatalf("locking where there are no tables: %v", err)
	}
	_, statements, _ := strings.Cut(err.Error(), "\n\n")
	s.Exec(t, statements) // what the error says is what the administrator does
	s.Exec(t, `GRANT USAGE ON SCHEMA rights TO reader; GRANT SELECT ON rights.state_heads, rights.state_parts TO reader`)
	remotetest.Rights(t, at(t, s, postgrestest.Admin, "rights", "shop"), at(t, s, "writer", "rights", "shop"),
		at(t, s, "reader", "rights", "shop"), "GRANT SELECT, INSERT")
	_, err = remote.Open(at(t, s, "stranger", "rights", "shop")).Read(t.Context())
	if err == nil || !strings.Contains(err.Error(), "GRANT USAGE") {
		t.Errorf("a user without any right: %v", err)
	}
}

// TestOutages: the server crashes and is started again.
func TestOutages(t *testing.T) {
	t.Parallel()
	s, err := postgrestest.Start()
	if err != nil {
		servertest.Missing(t, err)
	}
	var n atomic.Int32
	stop := func() error { return s.Stop([]string{"QUIT", "INT"}[n.Add(1)%2]) } // at once, or after telling the clients
	remotetest.Outages(t, places(s, ""), stop, s.Server.Start)
}

// BenchmarkLoad reads a state of 10,000 objects, and BenchmarkSave writes one.
func BenchmarkLoad(b *testing.B) { remotetest.Load(b, place(b)) }
func BenchmarkSave(b *testing.B) { remotetest.Save(b, place(b)) }

func place(b *testing.B) remote.Place { return at(b, server(b), postgrestest.Admin, "bench", "large") }
