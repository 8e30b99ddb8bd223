package main

import (
	"context"
	"encoding/json"
)

func cmdStatus(ctx context.Context, c *call) error {
	path := c.dirFlag()
	asJSON := c.flags.Bool("json", false, "print JSON")
	if _, err := c.parse(0); err != nil {
		return err
	}
	d, err := openDir(*path)
	if err != nil {
		return err
	}
	status, err := d.examine(ctx)
	if err != nil {
		return err
	}
	if *asJSON {
		enc := json.NewEncoder(c.out)
		enc.SetIndent("", "  ")
		if err := enc.Encode(status); err != nil {
			return err
		}
	} else {
		status.print(c.out)
	}
	if !status.healthy() {
		return errSilent
	}
	return nil
}
