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
)

// server is that of all tests that do not stop it.
var server = servertest.Shared(postgrestest.Start)

// at opens a state as a user.
func at(t testing.TB, of *postgrestest.Server, user, schema, name string) *postgres.Place {
	t.Helper()
	p, err := postgres.At(postgres.Settings{ConnString: of.ConnString(user), Schema: schema, Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// places opens states in a schema.
func places(of *postgrestest.Server, schema string) func(t *testing.T) (one, other remote.Place) {
	return remotetest.Pairs(func(t testing.TB, name string, _ int) remote.Place {
		return at(t, of, postgrestest.Admin, schema, "tenants/"+name)
	})
}

func TestMain(m *testing.M) { remotetest.Main(m) }

func TestStore(t *testing.T) {
	t.Parallel()
	open := places(server(t), "store")
	remotetest.Stores(t, open)
}

func TestPlace(t *testing.T) {
	t.Parallel()
	remotetest.Run(t, places(server(t), ""))
}

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

func run(t *testing.T, s *postgrestest.Server, sql string) {
	t.Helper()
	if err := s.Run(sql); err != nil {
		t.Fatal(err)
	}
}

// TestRights: a role needs what docs/backend-postgres.md says.
func TestRights(t *testing.T) {
	s := server(t)
	for _, user := range []string{"writer", "reader", "stranger"} {
		run(t, s, "CREATE ROLE "+user+" LOGIN PASSWORD '"+postgrestest.Password+"'")
	}
	_, err := remote.Open(at(t, s, "writer", "rights", "shop")).Lock(t.Context(), state.NewLockInfo("apply", "test"))
	if err == nil || !errors.Is(err, remote.ErrReadOnly) {
		t.Fatalf("locking where there are no tables: %v", err)
	}
	_, statements, _ := strings.Cut(err.Error(), "\n\n")
	run(t, s, statements) // what the error says is what the administrator does
	run(t, s, `GRANT USAGE ON SCHEMA rights TO reader; GRANT SELECT ON rights.state_heads, rights.state_parts TO reader`)
	remotetest.Rights(t, at(t, s, postgrestest.Admin, "rights", "shop"), at(t, s, "writer", "rights", "shop"),
		at(t, s, "reader", "rights", "shop"), "GRANT SELECT, INSERT")
	_, err = remote.Open(at(t, s, "stranger", "rights", "shop")).Read(t.Context())
	if err == nil || !strings.Contains(err.Error(), "GRANT USAGE") {
		t.Errorf("a user without any right: %v", err)
	}
}

// TestLostAnswers: the connection is cut after the server has done what it was asked for.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	s := server(t)
	relay := servertest.NewRelay(t, fmt.Sprint("127.0.0.1:", s.Port))
	through, err := postgres.At(postgres.Settings{
		ConnString: strings.Replace(s.ConnString(postgrestest.Admin), fmt.Sprint("127.0.0.1:", s.Port), relay.Addr, 1), Name: "relayed"})
	if err != nil {
		t.Fatal(err)
	}
	remotetest.Relayed(t, through, at(t, s, postgrestest.Admin, "", "relayed"), relay)
}

// TestStandby: a server that only reads is one for plans; in the middle of a run, one that is about to be replaced.
func TestStandby(t *testing.T) {
	s := server(t)
	run(t, s, "CREATE ROLE failover SUPERUSER LOGIN PASSWORD '"+postgrestest.Password+"'")
	readOnly := func(on string) {
		run(t, s, "ALTER ROLE failover SET default_transaction_read_only = "+on)
		run(t, s, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'failover'")
	}
	p := at(t, s, "failover", "standby", "shop")
	version, err := p.Swap(t.Context(), []byte("{}"), "")
	if err != nil {
		t.Fatal(err)
	}
	readOnly("on")
	if _, err := p.Swap(t.Context(), []byte("{}"), version); !errors.Is(err, remote.ErrUnanswered) {
		t.Errorf("in the middle of a run: %v, want ErrUnanswered", err)
	}
	_, err = at(t, s, "failover", "standby", "shop").Swap(t.Context(), []byte("{}"), version)
	if !errors.Is(err, remote.ErrReadOnly) || !strings.Contains(err.Error(), "standby") {
		t.Errorf("at the beginning of a run: %v, want ErrReadOnly", err)
	}
	readOnly("off")
	if _, err := p.Swap(t.Context(), []byte("{}"), version); err != nil {
		t.Errorf("after the failover: %v", err)
	}
}

// TestSerializable: transactions that fail because of others do not fail a run.
func TestSerializable(t *testing.T) {
	s := server(t)
	run(t, s, "CREATE ROLE serial SUPERUSER LOGIN PASSWORD '"+postgrestest.Password+"'")
	run(t, s, "ALTER ROLE serial SET default_transaction_isolation = serializable")
	remotetest.Linearizable(t, func(t *testing.T) (remote.Place, remote.Place) {
		return at(t, s, "serial", "serializable", "shop"), at(t, s, "serial", "serializable", "shop")
	})
}

// TestPooler: all of it works where each transaction may have another session.
func TestPooler(t *testing.T) {
	t.Parallel()
	s := server(t)
	pooler, err := s.StartPooler()
	if err != nil {
		servertest.Missing(t, err)
	}
	pooled := remotetest.Pairs(func(t testing.TB, name string, _ int) remote.Place {
		return at(t, pooler, postgrestest.Admin, "pooled", name)
	})
	remotetest.Stores(t, pooled)
	remotetest.Linearizable(t, pooled)
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

func place(b *testing.B) remote.Place { return at(b, server(b), postgrestest.Admin, "bench", b.Name()) }
