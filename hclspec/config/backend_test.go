package config

import (
	"slices"
	"testing"
)

// TestDatabaseOfBackend: a connection string is known by where it leads, and shown without what is secret.
func TestDatabaseOfBackend(t *testing.T) {
	for text, want := range map[string][2]string{
		"postgres://me:hunter2@db.example:5432/app?sslmode=require":           {"hunter2", "db.example:5432/app"},
		"postgresql://db.example/app?user=me&password=hunter2":                {"hunter2", "db.example/app"},
		"postgres://me:hunter2@a,b:5433/app?target_session_attrs=read-write":  {"hunter2", "a,b:5433/app"},
		"postgres://%zz:hunter2@db.example/app":                               {"", ""},
		"host=db.example port=5432 dbname=app user=me password=hunter2":       {"hunter2", "host=db.example port=5432 dbname=app"},
		"password = 'hunter2 and more' host='/run/postgresql' dbname = 'app'": {"hunter2 and more", "host='/run/postgresql' dbname = 'app'"},
		"service=prod": {"", "service=prod"},
	} {
		password, where := takeApart(text)
		if password != want[0] || where != want[1] {
			t.Errorf("%s: %q at %q, want %q", text, password, where, want)
		}
		config := loadText(t, "main.kplan.hcl", "kplan {\n  backend \"postgres\" {\n    name = \"shop\"\n    conn_str = \""+text+"\"\n  }\n}\n")
		b, diags := config.Backend(Values{}, nil)
		if len(diags) > 0 || b.Postgres.ConnString != text || b.Arguments["conn_str"] != where || !slices.Contains(b.Secrets, text) {
			t.Errorf("%s: %+v, %v", text, b, diags)
		}
	}
}
