package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// cluster is where the tools work.
type cluster struct {
	kubeconfig string
	audit      string // its audit log, "" for none
	stop       func()
}

// openCluster uses the sandbox in a directory, or starts one for this run. Its
// audit log is kept at the level metadata: with bodies in it the server would
// spend a good part of its time on writing it.
func openCluster(ctx context.Context, bin, dir string) (*cluster, error) {
	c := &cluster{stop: func() {}}
	if dir == "" {
		program := filepath.Join(bin, "kplan-sandbox")
		var err error
		if dir, err = os.MkdirTemp("", "kplan-bench-"); err != nil {
			return nil, err
		}
		up := exec.CommandContext(ctx, program, "up", "-detach", "-dir", dir, "-audit", "metadata")
		if out, err := up.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("the sandbox does not start: %w\n%s", err, out)
		}
		c.stop = func() { exec.Command(program, "down", "-dir", dir, "-purge").Run() }
	}
	c.kubeconfig, c.audit = filepath.Join(dir, "kubeconfig"), filepath.Join(dir, "audit.log")
	if _, err := os.Stat(c.audit); err != nil {
		c.audit = ""
	}
	return c, nil
}
