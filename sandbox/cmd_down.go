package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"syscall"
	"time"
)

// downPatience is how long an ordered stop may take, before the supervisor is killed.
const downPatience = 90 * time.Second

func cmdDown(ctx context.Context, c *call) error {
	path := c.dirFlag()
	purge := c.flags.Bool("purge", false, "delete the directory too, with all data")
	if _, err := c.parse(0); err != nil {
		return err
	}
	d, err := openDir(*path)
	if err != nil {
		return err
	}
	stopped, err := stopSandbox(ctx, d)
	if err != nil {
		return err
	}
	if *purge {
		if err := d.purge(); err != nil {
			return err
		}
	}
	if stopped {
		fmt.Fprintf(c.out, "sandbox stopped: %s\n", d)
	} else {
		fmt.Fprintf(c.out, "no sandbox was running: %s\n", d)
	}
	return nil
}

// stopSandbox has the supervisor stop everything, and reports whether there was anything to stop. What the
// supervisor can't do, because it hangs or was killed, is done here.
func stopSandbox(ctx context.Context, d dir) (stopped bool, err error) {
	supervised := d.supervised()
	if _, err := d.order(ctx, http.MethodPost, "/stop"); err != nil && !errors.Is(err, errNoSupervisor) {
		return false, err
	}
	for until := time.Now().Add(downPatience); d.supervised(); time.Sleep(pollInterval) {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		if time.Now().After(until) {
			if err := killSupervisor(d); err != nil {
				return false, err
			}
		}
	}
	killed, err := d.killOrphans()
	return supervised || killed, err
}

func killSupervisor(d dir) error {
	status, _, err := d.readStatus()
	if err != nil {
		return err
	}
	status.Supervisor.signal(syscall.SIGKILL)
	return nil
}
