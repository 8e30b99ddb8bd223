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

	"kplan.dev/kplan/internal/bundles"
)

// TestBundles brings whole bundles in, each with three lines: all is made in one apply, the next plan is empty, and
// nothing is left in the end. All six take a minute; without KPLAN_TORTURE it is one with definitions and webhooks.
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
		t.Run(name, func(t *testing.T) {
			dir, text := t.TempDir(), bundles.All[name]()
			objects := strings.Count(text, "\n---\n")
			for file, content := range map[string]string{
				"bundle.yaml":    text,
				"main.kplan.hcl": "manifests \"all\" {\n  objects = yamldecodeall(file(\"bundle.yaml\"))\n}\n",
			} {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			kplan := func(args ...string) (string, int) {
				c := exec.Command("kplan", args...)
				c.Dir, c.Env = dir, append(os.Environ(), "KUBECONFIG="+kubeconfig)
				out, _ := c.CombinedOutput()
				return string(out), c.ProcessState.ExitCode()
			}
			run := func(want int, says string, args ...string) {
				t.Helper()
				if out, code := kplan(args...); code != want || !strings.Contains(out, says) {
					t.Fatalf("kplan %s: exit code %d\n%s", strings.Join(args, " "), code, out)
				}
			}
			t.Cleanup(func() { kplan("destroy", "-auto-approve") })
			run(2, fmt.Sprintf("Plan: %d to add, 0 to change, 0 to destroy.", objects), "plan", "-detailed-exitcode", "-out=p.plan")
			run(0, fmt.Sprintf("Resources: %d added, 0 changed, 0 destroyed.", objects), "apply", "-wait=false", "p.plan")
			run(0, "No changes.", "plan", "-detailed-exitcode")
			run(0, fmt.Sprintf("Resources: %d destroyed.", objects), "destroy", "-auto-approve")
		})
	}
}
