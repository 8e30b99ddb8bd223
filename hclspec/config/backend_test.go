package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"
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

// TestBackendRecordOfOthers: a record that kplan did not write is an error, for whatever it has.
func TestBackendRecordOfOthers(t *testing.T) {
	c := loadText(t, "main.kplan.hcl", "kplan {\n  backend \"local\" {}\n}\n")
	if err := os.Mkdir(filepath.Join(c.Dir, ".kplan"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"", "null", "{}", "[]", `{"format": 1}`, `{"format": 2, "type": "local"}`, `{"format": 1, "type": "nfs"}`,
		`{"format": 1, "type": "local", "previous": {"type": "nfs"}}`,
		`{"format": 1, "type": "local", "previous": {"type": "local", "previous": {}}}`,
		strings.Repeat(" ", maxRecord) + "{}",
	} {
		if err := os.WriteFile(filepath.Join(c.Dir, recordPath), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if r, err := c.BackendRecord(); err == nil {
			t.Errorf("%.80s: %+v", text, r)
		}
	}
	if b, diags := c.Recorded(&BackendRecord{Type: "kubernetes"}, Values{}); !diags.HasErrors() {
		t.Errorf("a record without the required arguments: %+v", b)
	}
}

// TestBackendRecorded: what was recorded of a block is the same place, in whichever syntax the block is.
func TestBackendRecorded(t *testing.T) {
	for name, text := range map[string]string{
		"a.kplan.hcl":  "kplan {\n  backend \"local\" {\n    path = \"${var.n}/a.json\"\n  }\n}\nvariable \"n\" {}\n",
		"a.kplan.json": `{"kplan": {"backend": {"local": {"path": "${var.n}\/a.json"}}}, "variable": {"n": {}}}`,
		"b.kplan.json": `{"kplan": {"backend": {"local": {"path": "${join(\"/\", [var.n, \"a.json\"])}"}}}, "variable": {"n": {}}}`,
		"b.kplan.hcl":  "kplan {\n  backend \"local\" {\n    path = chomp(<<E\n${var.n}/a.json\nE\n    )\n  }\n}\nvariable \"n\" {}\n",
		"c.kplan.hcl":  "kplan {\n  backend \"local\" {\n    path = <<E\n${var.n}/a.json\nE\n  }\n}\nvariable \"n\" {}\n",
	} {
		c := loadText(t, name, text)
		v := Values{values: map[string]cty.Value{"n": cty.StringVal("x")}}
		now, diags := c.Backend(v, nil)
		before, more := c.Recorded(c.RecordBackend(nil), v)
		if diags.HasErrors() || more.HasErrors() || !before.Same(now) || before.Path == defaultStatePath {
			t.Errorf("%s: %v %v: %+v and %+v", name, diags, more, before, now)
		}
	}
}

// TestBackendArgumentsOfAnything: what is no such file has few errors, not one for each byte, and none quotes it.
func TestBackendArgumentsOfAnything(t *testing.T) {
	for _, text := range []string{strings.Repeat("\x00", 1000), strings.Repeat("! hunter2 \n", 1000), strings.Repeat("a", maxRecord+1)} {
		_, diags := BackendArguments([]byte(text), "f")
		if !diags.HasErrors() || len(diags) > maxMistakes || strings.Contains(diags.Error(), "hunter2") {
			t.Errorf("%.20q: %d errors: %.200v", text, len(diags), diags)
		}
	}
}

// TestEncryptionForNobody: a list of keys that is empty, as by a variable that a pipeline does not set, is no way into the clear.
func TestEncryptionForNobody(t *testing.T) {
	for text, ok := range map[string]bool{
		"": true, "recipients = null": true, "identities = []": true, "recipients = []": false, "passphrases = var.keys": false,
		"recipients = []\npassphrases = [\"x\"]": true, "recipients = var.later\npassphrases = []": true,
	} {
		c := loadText(t, "main.kplan.hcl", "kplan {\nencryption {\n"+text+"\n}\n}\nvariable \"keys\" {}\nvariable \"later\" {}\n")
		v := Values{values: map[string]cty.Value{"keys": cty.EmptyTupleVal, "later": cty.DynamicVal}}
		if _, diags := c.Encryption(v); diags.HasErrors() == ok {
			t.Errorf("%s: %v", text, diags)
		}
	}
}
