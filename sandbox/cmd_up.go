package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

type upOptions struct {
	dir     string
	detach  bool
	nodes   int
	timeout time.Duration
	audit   string
	bin     string
}

func cmdUp(ctx context.Context, c *call) error {
	var opts upOptions
	c.flags.StringVar(&opts.dir, "dir", ".sandbox", "the sandbox's `directory`")
	c.flags.BoolVar(&opts.detach, "detach", false, "return when it is ready and leave it running")
	c.flags.IntVar(&opts.nodes, "nodes", 2, "`number` of nodes")
	c.flags.DurationVar(&opts.timeout, "timeout", 2*time.Minute, "give up if it is not ready by then")
	c.flags.StringVar(&opts.audit, "audit", "full", "what the audit log keeps of a request: full, metadata or none")
	c.flags.StringVar(&opts.bin, "bin", "", "`directory` with the parts (default: beside this program, $KUBEBUILDER_ASSETS, $PATH)")
	if _, err := c.parse(0); err != nil {
		return err
	}
	if auditLevels[opts.audit] == "" {
		return fmt.Errorf("%w: -audit is full, metadata or none, not %q", errUsage, opts.audit)
	}
	d, err := openDir(opts.dir)
	if err != nil {
		return err
	}
	if err := d.create(); err != nil {
		return err
	}
	switch {
	case d.supervised():
		return upAlready(ctx, d, opts, c)
	case opts.detach:
		return upDetached(ctx, d, opts, c)
	}
	return upForeground(ctx, d, opts, c)
}

// upAlready waits for a sandbox that another call started.
func upAlready(ctx context.Context, d dir, opts upOptions, c *call) error {
	status, err := awaitStarted(ctx, d, opts.timeout, nil)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "sandbox is already running: %s\n", d)
	announce(c, status)
	if status.State != Ready {
		return fmt.Errorf("the sandbox is %s; see `kplan-sandbox status`", status.State)
	}
	return nil
}

// upDetached starts a supervisor that outlives us, and waits until it has brought the sandbox up.
func upDetached(ctx context.Context, d dir, opts upOptions, c *call) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	log, err := os.Create(d.log("supervisor"))
	if err != nil {
		return err
	}
	defer log.Close()
	args := []string{"up"}
	c.flags.Visit(func(f *flag.Flag) {
		if f.Name != "detach" {
			args = append(args, "-"+f.Name+"="+f.Value.String())
		}
	})
	cmd := exec.Command(self, args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()

	status, err := awaitStarted(ctx, d, opts.timeout+stopPatience, ended)
	if errors.Is(err, errNoSupervisor) {
		return fmt.Errorf("the sandbox did not start; the last lines of %s:\n%s", log.Name(), tail(log.Name(), 25))
	}
	if err != nil {
		return err
	}
	announce(c, status)
	return nil
}

// awaitStarted waits until the directory's supervisor has done starting. It fails with errNoSupervisor when the
// supervisor has ended.
func awaitStarted(ctx context.Context, d dir, timeout time.Duration, ended <-chan struct{}) (Status, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for {
		status, ok, err := d.readStatus()
		if err == nil && ok && status.up() {
			return status, nil
		}
		select {
		case <-ended:
			if !d.supervised() {
				return Status{}, errNoSupervisor
			}
			ended = nil // another call was faster
		case <-ctx.Done():
			return Status{}, fmt.Errorf("the sandbox in %s is not ready: %w", d, context.Cause(ctx))
		case <-time.After(pollInterval):
		}
	}
}

// upForeground is the supervisor: it starts the sandbox and stays until it is asked to stop.
func upForeground(ctx context.Context, d dir, opts upOptions, c *call) error {
	lock, err := d.lock()
	if errors.Is(err, errRunning) { // another call was faster
		return upAlready(ctx, d, opts, c)
	}
	if err != nil {
		return err
	}
	defer lock.Close()
	if _, err := d.killOrphans(); err != nil {
		return err
	}
	s, err := newSupervisor(d, opts, c.errOut)
	if err != nil {
		return err
	}
	before, _, err := d.readStatus()
	if err != nil {
		return err
	}
	if err := s.setState(Starting); err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	control, err := s.serveControl(func() { stop(errors.New("asked to stop")) })
	if err != nil {
		return err
	}
	defer control.Close()

	booting, cancel := context.WithTimeoutCause(ctx, opts.timeout, fmt.Errorf("not ready after %s", opts.timeout))
	err = s.boot(booting, before.ports())
	cancel()
	if err == nil {
		announce(c, s.current())
		<-ctx.Done()
		fmt.Fprintln(c.out, "stopping")
	}
	s.halt()
	return errors.Join(err, s.setState(Stopped))
}

// up reports whether the sandbox has started and somebody watches it.
func (s Status) up() bool {
	return (s.State == Ready || s.State == Degraded) && s.Supervisor.alive()
}

// ports are the ports that the parts had.
func (s Status) ports() ports {
	at := ports{}
	for _, p := range s.Parts {
		at[p.Name] = p.Port
	}
	return at
}

// announce says that the sandbox is ready, and how to reach it.
func announce(c *call, s Status) {
	fmt.Fprintf(c.out, "sandbox %s: %s\n", s.State, s.Dir)
	fmt.Fprintf(c.out, "kubernetes: %s, %d nodes, at %s\n", s.Kubernetes, s.Nodes, s.Server)
	fmt.Fprintf(c.out, "kubeconfig: %s\n", s.Kubeconfig)
}
