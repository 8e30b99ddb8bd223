package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

func cmdRestart(ctx context.Context, c *call) error {
	return orderPart(ctx, c, "restart", "restarted")
}

func cmdKill(ctx context.Context, c *call) error {
	return orderPart(ctx, c, "kill", "killed")
}

// orderPart has the supervisor do something to one part.
func orderPart(ctx context.Context, c *call, verb, done string) error {
	path := c.dirFlag()
	timeout := c.flags.Duration("timeout", time.Minute, "give up after that")
	args, err := c.parse(1)
	if err != nil {
		return err
	}
	name := args[0]
	if !slices.Contains(partNames, name) {
		return fmt.Errorf("%w: no part %q; the parts are %s", errUsage, name, strings.Join(partNames, ", "))
	}
	d, err := openDir(*path)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, *timeout)
	defer cancel()
	if _, err := d.order(ctx, http.MethodPost, "/"+verb+"/"+name); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s %s\n", name, done)
	return nil
}
