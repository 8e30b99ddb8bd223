package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
)

// A bug in kplan is told of without what it was about: that may be a secret.
func TestPanicTellsNoValues(t *testing.T) {
	for name, problem := range map[string]any{
		"text":  "the value s3cr3t-canary has no form",
		"error": errors.New("s3cr3t-canary"),
	} {
		var out, errOut bytes.Buffer
		s := &session{stdout: &out, stderr: &errOut, env: func(string) string { panic(problem) }}
		code := runApp(context.Background(), s, []string{"plan"})
		if code != exitFailure {
			t.Errorf("%s: exit code %d", name, code)
		}
		said := errOut.String()
		if strings.Contains(said, "s3cr3t-canary") || !strings.Contains(said, "kplan has a bug") || !strings.Contains(said, "panic_test.go") {
			t.Errorf("%s: it says:\n%s", name, said)
		}
		if out.Len() > 0 {
			t.Errorf("%s: on standard output: %s", name, &out)
		}
	}
}
