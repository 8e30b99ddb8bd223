//go:build unix

package main

import (
	"os"
	"strconv"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"

	"kplan.dev/kplan/state/postgres/postgrestest"
	"kplan.dev/kplan/state/s3/s3test"
)

// The servers that states are kept in, one for all scripts.
var (
	s3Server       = sync.OnceValues(s3test.Start)
	postgresServer = sync.OnceValues(postgrestest.Start)
)

func init() {
	moreConditions["s3"] = func() (bool, error) { return present(s3Server()) }
	moreConditions["postgres"] = func() (bool, error) { return present(postgresServer()) }
	moreScriptCommands["s3"] = s3Command
	moreScriptCommands["postgres"] = postgresCommand
}

// present reports whether there is a server to test with. Where all tests must run, it is an error that there is none.
func present[S any](_ S, err error) (bool, error) {
	if os.Getenv("KPLAN_TEST_REQUIRE_CLUSTER") == "" {
		return err == nil, nil
	}
	return true, err
}

// s3Command gives a script a bucket, and the credentials of its owner: s3 BUCKET.
func s3Command(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: s3 BUCKET")
	}
	s, err := s3Server()
	ts.Check(err)
	ts.Check(s.MakeBucket(args[0]))
	ts.Setenv("AWS_ENDPOINT_URL_S3", s.Endpoint)
	ts.Setenv("AWS_ACCESS_KEY_ID", s3test.AdminKey)
	ts.Setenv("AWS_SECRET_ACCESS_KEY", s3test.Secret)
}

// postgresCommand gives a script a database, or carries out statements in it: postgres [STATEMENTS].
func postgresCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 1 {
		ts.Fatalf("usage: postgres [STATEMENTS]")
	}
	s, err := postgresServer()
	ts.Check(err)
	if len(args) == 1 {
		ts.Check(s.Run(args[0]))
		return
	}
	for name, value := range map[string]string{
		"PGHOST": "127.0.0.1", "PGPORT": strconv.Itoa(s.Port), "PGDATABASE": "app", "PGSSLMODE": "disable",
		"PGUSER": postgrestest.Admin, "PGPASSWORD": postgrestest.Password,
	} {
		ts.Setenv(name, value)
	}
}
