package postgres

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"kplan.dev/kplan/state/remote"
)

// TestSettings: neither the name of a place nor what is wrong with its settings has the password in it.
func TestSettings(t *testing.T) {
	for _, name := range []string{"PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSWORD", "PGSSLMODE", "PGSERVICE"} {
		t.Setenv(name, "")
	}
	for text, want := range map[string]string{
		"postgres://me:hunter2@db.example:5433/app":            "postgres://db.example:5433/app/kplan/shop",
		"host=db.example dbname=app user=me password=hunter2":  "postgres://db.example:5432/app/kplan/shop",
		"host=/run/postgresql dbname=app password=hunter2":     "postgres:///app/kplan/shop",
		"postgres://me:hunter2@db.example:port/app":            "is no connection string",
		"postgres://me:hunter2@db.example/app?sslmode=hunter2": "is no connection string",
		"host=db.example password='hunter2":                    "is no connection string",
		"postgres://me:%zzhunter2@db.example/app":              "is no connection string",
		"host=h sslmode=verify-ca sslrootcert=/nonexistent/ca": "/nonexistent/ca",
	} {
		p, err := At(Settings{ConnString: text, Name: "shop"})
		got := fmt.Sprint(err)
		if err == nil {
			got = p.String()
		}
		if !strings.Contains(got, want) || strings.Contains(got, "hunter2") {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// TestSwapErrors: what became of a swap, by what the server answered.
func TestSwapErrors(t *testing.T) {
	p, err := At(Settings{ConnString: "postgres://db.example/app", Name: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	plain := errors.New("neither") // of the kinds below
	for code, want := range map[string]error{
		"08006": remote.ErrUnanswered, // connection_failure
		"40001": remote.ErrUnanswered, // serialization_failure
		"40P01": remote.ErrUnanswered, // deadlock_detected
		"53300": remote.ErrUnanswered, // too_many_connections
		"55P03": remote.ErrUnanswered, // lock_not_available
		"57014": remote.ErrUnanswered, // query_canceled
		"57P01": remote.ErrUnanswered, // admin_shutdown
		"57P03": remote.ErrUnanswered, // cannot_connect_now
		"58030": remote.ErrUnanswered, // io_error
		"":      remote.ErrUnanswered, // no answer
		"42501": remote.ErrReadOnly,
		"25006": remote.ErrReadOnly,
		"28P01": plain, // invalid_password
		"3D000": plain, // invalid_catalog_name
		"42P01": plain, // undefined_table
		"22P02": plain,
	} {
		err := error(&pgconn.PgError{Code: code, Message: "message"})
		if code == "" {
			err = errors.New("read: connection reset by peer")
		}
		got := p.swapError(err)
		for _, kind := range []error{remote.ErrChanged, remote.ErrUnanswered, remote.ErrReadOnly} {
			if errors.Is(got, kind) != (want == kind) {
				t.Errorf("%s: %v, want %v", code, got, want)
			}
		}
	}
}
