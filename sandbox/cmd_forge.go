package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

func cmdForge(ctx context.Context, c *call) error {
	path := c.flags.String("dir", ".sandbox/forge", "the forge's `directory`")
	bin := c.flags.String("bin", "", "`directory` with "+gitea+" (default: beside this program, $PATH)")
	timeout := c.flags.Duration("timeout", 2*time.Minute, "give up if it is not ready by then")
	purge := c.flags.Bool("purge", false, "with down: delete the directory too, with all data")
	args, err := c.parse(1)
	if err != nil {
		return err
	}
	d, err := openDir(*path)
	if err != nil {
		return err
	}
	switch args[0] {
	case "up":
		ctx, cancel := context.WithTimeout(ctx, *timeout)
		defer cancel()
		return forgeUp(ctx, d, *bin, c)
	case "down":
		return forgeDown(d, *purge, c)
	}
	return fmt.Errorf("%w: forge up or forge down, not %q", errUsage, args[0])
}

func forgeUp(ctx context.Context, d dir, bin string, c *call) error {
	find, err := finder(bin)
	if err != nil {
		return err
	}
	program, err := find(gitea)
	if err != nil {
		return err
	}
	f, err := startForge(ctx, d, program)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "forge: gitea at %s\nuser: %s\ntoken: %s\nall of this: %s\n", f.Address, f.User, f.Token, d.forgeFile())
	return nil
}

func forgeDown(d dir, purge bool, c *call) error {
	f, err := d.readForge()
	if errors.Is(err, os.ErrNotExist) {
		fmt.Fprintf(c.out, "no forge was running: %s\n", d)
		return nil
	}
	if err != nil {
		return err
	}
	f.Process.end(stopPatience)
	if purge {
		err = os.RemoveAll(string(d))
	}
	fmt.Fprintf(c.out, "forge stopped: %s\n", d)
	return err
}
