package main

import (
	"context"
	"errors"
	"fmt"
)

func cmdKubeconfig(_ context.Context, c *call) error {
	path := c.dirFlag()
	user := c.flags.String("user", "", "`name` of the user")
	var groups []string
	c.flags.Func("group", "a `group` the user is in; may be repeated", func(g string) error {
		groups = append(groups, g)
		return nil
	})
	out := c.flags.String("o", "", "write to this `file`, mode 0600, instead of standard output")
	if _, err := c.parse(0); err != nil {
		return err
	}
	if *user == "" {
		return fmt.Errorf("%w: -user is missing", errUsage)
	}
	d, err := openDir(*path)
	if err != nil {
		return err
	}
	status, ok, err := d.readStatus()
	if err != nil {
		return err
	}
	if !ok || status.Server == "" {
		return errors.New("no sandbox has been started in " + string(d))
	}
	text, err := newUser(d, status.Server, *user, groups)
	if err != nil {
		return err
	}
	if *out != "" {
		return d.write(*out, text)
	}
	_, err = c.out.Write(text)
	return err
}
