//go:build unix

package postgres_test

import (
	"fmt"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"kplan.dev/kplan/state/postgres"
	"kplan.dev/kplan/state/postgres/postgrestest"
	"kplan.dev/kplan/state/remote"
	"kplan.dev/kplan/state/remote/remotetest"
)

// secret is a password that no message may have.
const secret = "s3cr3t-canary"

// through opens a state with a connection string.
func through(conn string) func(t *testing.T) remote.Place {
	return func(t *testing.T) remote.Place {
		p, err := postgres.At(postgres.Settings{ConnString: conn, Name: "shop"})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
}

// played opens a state at a server that is played.
func played(p postgrestest.Played, options string) func(t *testing.T) remote.Place {
	return func(t *testing.T) remote.Place {
		return through("postgres://me:" + secret + "@" + p.Start(t) + "/app?sslmode=" + options)(t)
	}
}

func answers(code, message string) func(t *testing.T) remote.Place {
	return played(postgrestest.Played{OnQuery: postgrestest.Error(code, message)}, "disable")
}

func refuses(code, message string) func(t *testing.T) remote.Place {
	return played(postgrestest.Played{OnConnect: postgrestest.Error(code, message)}, "disable")
}

// TestMessages: for each thing that a server does wrong there is a message, which the documentation has.
func TestMessages(t *testing.T) {
	s := server(t)
	for _, sql := range []string{
		"CREATE ROLE plain LOGIN PASSWORD '" + postgrestest.Password + "'",
		"CREATE ROLE crowded LOGIN CONNECTION LIMIT 0 PASSWORD '" + postgrestest.Password + "'",
		"CREATE ROLE planner LOGIN PASSWORD '" + postgrestest.Password + "'",
		"ALTER ROLE planner SET default_transaction_read_only = on",
		`CREATE SCHEMA other; CREATE TABLE other.state_heads (id integer)`,
	} {
		run(t, s, sql)
	}
	as := func(user, schema string) func(t *testing.T) remote.Place {
		return func(t *testing.T) remote.Place { return at(t, s, user, schema, "shop") }
	}
	conn := func(from, to string) func(t *testing.T) remote.Place {
		return through(strings.Replace(s.ConnString(postgrestest.Admin), from, to, 1))
	}
	web := httptest.NewTLSServer(nil)
	t.Cleanup(web.Close)
	html := func(c net.Conn) { fmt.Fprint(c, "HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n\r\n<html>") }
	silent := func(c net.Conn) { time.Sleep(time.Minute) }
	cut := func(c net.Conn) {}
	half := func(c net.Conn) {
		text, _ := (&pgproto3.DataRow{Values: [][]byte{make([]byte, 1000)}}).Encode(nil)
		_, _ = c.Write(text[:100])
	}
	cases := []remotetest.Message{
		{Name: "a wrong password", Place: conn("correct", secret), Does: remotetest.Reads, Want: "password authentication failed"},
		{Name: "no such database", Place: conn("/app", "/nowhere"), Does: remotetest.Reads, Want: "does not exist"},
		{Name: "too many connections", Place: as("crowded", "x"), Does: remotetest.Reads, Want: "too many connections"},
		{Name: "no entry", Place: refuses("28000", `no pg_hba.conf entry for host "10.0.0.1"`), Does: remotetest.Locks,
			Want: "no pg_hba.conf entry"},
		{Name: "starting", Place: refuses("57P03", "the database system is starting up"), Does: remotetest.Reads,
			Want: "the database system is starting up"},
		{Name: "nobody listens", Place: conn(fmt.Sprint(s.Port), "1"), Does: remotetest.Locks, Want: "connection refused"},
		{Name: "no such host", Place: conn("127.0.0.1", "nowhere.invalid"), Does: remotetest.Reads, Want: "hostname resolving error"},
		{Name: "no TLS", Place: conn("sslmode=disable", "sslmode=require"), Does: remotetest.Reads, Want: "server refused TLS connection"},
		{Name: "an unknown authority", Place: played(postgrestest.Played{Certificate: &web.TLS.Certificates[0]}, "verify-full"),
			Does: remotetest.Reads, Want: "failed to verify certificate"},
		{Name: "a web server", Place: played(postgrestest.Played{Raw: html}, "disable"), Does: remotetest.Reads,
			Want: "failed to receive message"},
		{Name: "garbage", Place: played(postgrestest.Played{Raw: html, AfterLogin: true}, "disable"), Does: remotetest.Reads,
			Want: "there was no answer"},
		{Name: "half an answer", Place: played(postgrestest.Played{Raw: half, AfterLogin: true}, "disable"), Does: remotetest.Reads,
			Want: "there was no answer"},
		{Name: "cut off", Place: played(postgrestest.Played{Raw: cut, AfterLogin: true}, "disable"), Does: remotetest.Locks,
			Want: "there was no answer"},
		{Name: "hanging", Place: played(postgrestest.Played{Raw: silent, AfterLogin: true}, "disable"), Does: remotetest.Reads,
			Want: "no answer within"},
		{Name: "hanging when it is connected to", Place: played(postgrestest.Played{Raw: silent}, "disable&connect_timeout=1"),
			Does: remotetest.Reads, Want: "failed to receive message"},
		{Name: "no right to read", Place: as("plain", "messages"), Does: remotetest.Reads, Want: "permission denied for"},
		{Name: "no tables and no right", Place: as("plain", "nowhere"), Does: remotetest.Locks,
			Want: "The tables of the backend do not exist, and this user may not create them"},
		{Name: "a role that only reads", Place: as("planner", "x"), Does: remotetest.Locks, Want: "this is a standby, or a role that only reads"},
		{Name: "tables of somebody else", Place: as(postgrestest.Admin, "other"), Does: remotetest.Reads,
			Want: "are not those of kplan: give the backend another schema_name"},
		{Name: "a full disk", Place: answers("53100", "could not extend file: No space left on device"), Does: remotetest.Locks,
			Want: "No space left on device"},
		{Name: "a statement that takes too long", Place: answers("57014", "canceling statement due to statement timeout"),
			Does: remotetest.Reads, Want: "canceling statement due to"},
		{Name: "a server that is shut down", Place: answers("57P01", "terminating connection due to administrator command"),
			Does: remotetest.Locks, Want: "terminating connection due to"},
		{Name: "damaged storage", Place: answers("XX001", "invalid page in block 0 of relation base/1/2"), Does: remotetest.Reads,
			Want: "invalid page in block"},
	}
	for i := range cases {
		cases[i].Secrets = []string{secret, postgrestest.Password}
	}
	remotetest.Messages(t, "../../docs/backend-postgres.md", places(s, "messages"), cases, "The state is in another file")
}
