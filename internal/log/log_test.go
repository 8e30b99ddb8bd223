package log

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"kplan.dev/kplan/internal/redact"
)

func TestLevel(t *testing.T) {
	for word, want := range map[string]slog.Level{"debug": slog.LevelDebug, "DEBUG": slog.LevelDebug, "Trace": Trace} {
		if got, ok := Level(word); !ok || got != want {
			t.Errorf("%s: %v, %t", word, got, ok)
		}
	}
	for _, word := range []string{"", "off", "json", "info", "debug "} {
		if _, ok := Level(word); ok {
			t.Errorf("%q is a level", word)
		}
	}
}

func TestNoSecretIsLogged(t *testing.T) {
	var out bytes.Buffer
	secrets, secret := new(redact.Secrets), "pass \"word\"\nline"
	secrets.Add(secret)
	l := New(&out, slog.LevelDebug, secrets)
	l.Debug("m", "text", "a "+secret+" b", "error", errors.New("it is "+secret), "list", []string{secret}, "none", nil)
	l.Log(t.Context(), Trace, "not at this level")
	text := out.String()
	if strings.Contains(text, "word") || strings.Count(text, redact.Mask) != 3 {
		t.Errorf("%s", text)
	}
	if strings.Count(text, "\n") != 1 || strings.Contains(text, "none") {
		t.Errorf("%s", text)
	}
}

// A logger that is off puts nothing together.
func TestOff(t *testing.T) {
	off := Or(nil)
	if Debugs(off) || Traces(off) {
		t.Error("it logs")
	}
	if n := testing.AllocsPerRun(100, func() {
		if Debugs(off) {
			off.Debug("m", "a", 1)
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
