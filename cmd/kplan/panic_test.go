package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"kplan.dev/kplan/internal/cli"
)

// A bug in kplan is reported without what it was about: that may be a secret.
func TestPanicShowsNoValues(t *testing.T) {
	for name, problem := range map[string]any{
		"text":  "the value s3cr3t-canary has no form",
		"error": errors.New("s3cr3t-canary"),
	} {
		var out, errOut bytes.Buffer
		s := testSession(&out, &errOut)
		s.env = func(string) string { panic(problem) }
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

// stumbling is standard output of which a bug makes writing one text a panic.
type stumbling struct {
	io.Writer
	over string
}

func (s stumbling) Write(p []byte) (int, error) {
	if s.over != "" && bytes.Contains(p, []byte(s.over)) {
		panic("s3cr3t-canary")
	}
	return s.Writer.Write(p)
}

// A bug in the middle of an apply, in one of many goroutines, costs nothing of
// what was done: the state has it, the lock is free, the next run goes on.
func TestPanicInApply(t *testing.T) {
	kubeconfig := os.Getenv("KPLAN_TEST_KUBECONFIG")
	if kubeconfig == "" {
		t.Skip("KPLAN_TEST_KUBECONFIG is not set: there is no cluster to apply to")
	}
	t.Setenv("KUBECONFIG", kubeconfig)
	t.Setenv("KPLAN_VAR_ns", prefix("panic"))
	t.Chdir(t.TempDir())
	const config = `
variable "ns" {}
resource "Namespace" "n" {
  metadata { name = var.ns }
}
resource "ConfigMap" "first" {
  metadata {
    name      = "first"
    namespace = Namespace.n.metadata.name
  }
}
resource "ConfigMap" "second" {
  metadata {
    name      = "second"
    namespace = Namespace.n.metadata.name
  }
  depends_on = [ConfigMap.first]
}
resource "Pod" "waited_for" {
  metadata {
    name      = "p"
    namespace = Namespace.n.metadata.name
  }
  spec {
    containers {
      name  = "app"
      image = "kplan.test/never-ready"
    }
  }
}
resource "ConfigMap" "behind" {
  metadata {
    name      = "behind"
    namespace = Namespace.n.metadata.name
  }
  depends_on = [Pod.waited_for]
}
`
	if err := os.WriteFile("main.kplan.hcl", []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(over string, line ...string) (code cli.ExitCode, said, complained string) {
		var out, errOut bytes.Buffer
		s := testSession(stumbling{&out, over}, &errOut)
		code = runApp(context.Background(), s, line)
		return code, out.String(), errOut.String()
	}
	defer run("", "destroy", "-auto-approve")

	code, _, complained := run("ConfigMap.second: Creation complete", "apply", "-auto-approve")
	if code != exitFailure || !strings.Contains(complained, "kplan has a bug") || !strings.Contains(complained, "stumbling") ||
		strings.Contains(complained, "s3cr3t-canary") {
		t.Errorf("exit code %d, said:\n%s", code, complained)
	}
	if _, listed, _ := run("", "state", "list"); !strings.Contains(listed, "ConfigMap.first\n") || !strings.Contains(listed, "Namespace.n\n") {
		t.Errorf("the state has:\n%s", listed)
	}
	// What was sent and not recorded is found.
	if code, said, complained := run("", "plan"); code != exitOK || !strings.Contains(said, "ConfigMap.behind will be created") ||
		strings.Contains(said, "ConfigMap.second will be") {
		t.Errorf("exit code %d, planned:\n%s%s", code, said, complained)
	}
	// Beside the changes things go on, too: here, telling what takes long.
	code, _, complained = run("Pod.waited_for: Still waiting", "apply", "-auto-approve")
	if code != exitFailure || !strings.Contains(complained, "kplan has a bug") || strings.Contains(complained, "s3cr3t-canary") {
		t.Errorf("exit code %d, said:\n%s", code, complained)
	}
	if _, listed, _ := run("", "state", "list"); !strings.Contains(listed, "Pod.waited_for\n") {
		t.Errorf("the state has:\n%s", listed)
	}
}
