package main

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kplan.dev/kplan/internal/bundles"
)

// TestBundles brings whole bundles in, each with three lines, and as kplan convert writes it: all is made in one
// apply, the next plan is empty, and nothing is left in the end. It logs what each step takes. All six take three
// minutes; without KPLAN_TORTURE it is one with definitions and webhooks.
func TestBundles(t *testing.T) {
	kubeconfig := os.Getenv("KPLAN_TEST_KUBECONFIG")
	if kubeconfig == "" {
		t.Skip("needs a control plane: run make test")
	}
	names := []string{"certificates"}
	if os.Getenv("KPLAN_TORTURE") != "" {
		names = slices.Sorted(maps.Keys(bundles.All))
	}
	for _, name := range names {
		text := bundles.All[name]()
		for _, way := range []string{"manifests", "convert"} {
			t.Run(name+"/"+way, func(t *testing.T) {
				b := bundleTest{t, t.TempDir(), append(os.Environ(), "KUBECONFIG="+kubeconfig)}
				b.write(t.TempDir(), text, way)
				objects := strings.Count(text, "\n---\n")
				t.Cleanup(func() { b.kplan("destroy", "-auto-approve") })
				b.run(2, fmt.Sprintf("Plan: %d to add, 0 to change, 0 to destroy.", objects), "plan", "-detailed-exitcode", "-out=p.plan")
				b.run(0, fmt.Sprintf("Resources: %d added, 0 changed, 0 destroyed.", objects), "apply", "-wait=false", "p.plan")
				b.run(0, "No changes.", "plan", "-detailed-exitcode")
				b.run(0, fmt.Sprintf("Resources: %d destroyed.", objects), "destroy", "-auto-approve")
			})
		}
	}
}

type bundleTest struct {
	t           *testing.T
	dir         string
	environment []string
}

// write writes a configuration with the objects of a bundle.
func (b bundleTest) write(beside, text, way string) {
	block := "manifests \"all\" {\n  objects = yamldecodeall(file(\"bundle.yaml\"))\n}\n"
	files := map[string]string{filepath.Join(b.dir, "bundle.yaml"): text, filepath.Join(b.dir, "main.kplan.hcl"): block}
	if way == "convert" {
		files = map[string]string{filepath.Join(beside, "bundle.yaml"): text}
	}
	for path, content := range files {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			b.t.Fatal(err)
		}
	}
	if way == "convert" {
		b.run(0, "bundle.kplan.hcl", "convert", "-out=.", "-secret-values=secrets.auto.kpvars.hcl", filepath.Join(beside, "bundle.yaml"))
	}
	written, err := filepath.Glob(filepath.Join(b.dir, "*.kplan.hcl"))
	if err != nil {
		b.t.Fatal(err)
	}
	lines := 0
	for _, path := range written {
		content, err := os.ReadFile(path)
		if err != nil {
			b.t.Fatal(err)
		}
		lines += strings.Count(string(content), "\n")
	}
	b.t.Logf("%d lines of YAML, %d of HCL", strings.Count(text, "\n"), lines)
}

func (b bundleTest) kplan(args ...string) (string, int) {
	c := exec.Command("kplan", args...)
	c.Dir, c.Env = b.dir, b.environment
	began := time.Now()
	out, _ := c.CombinedOutput()
	b.t.Logf("kplan %s: %.1f s", args[0], time.Since(began).Seconds())
	return string(out), c.ProcessState.ExitCode()
}

func (b bundleTest) run(want int, says string, args ...string) {
	b.t.Helper()
	if out, code := b.kplan(args...); code != want || !strings.Contains(out, says) {
		b.t.Fatalf("kplan %s: exit code %d\n…%s", strings.Join(args, " "), code, out[max(0, len(out)-5000):]) // the errors come last
	}
}
