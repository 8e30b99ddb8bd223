package main

import (
	"context"
	"os"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/internal/diag"
)

// definition is the configuration of the working directory and the values of
// its variables.
type definition struct {
	config *config.Config
	values config.Values
}

// load reads the configuration. Its sources are there for diagnostics from then
// on.
func (s *session) load() (*config.Config, hcl.Diagnostics) {
	c, diags := config.Load(".")
	s.loaded = c
	if !diags.HasErrors() || c.Settings.RequiredVersion != "" {
		if unsuitable := c.CheckVersion(versionText()); unsuitable.HasErrors() {
			return c, unsuitable
		}
	}
	return c, diags
}

// define reads the configuration and gives its variables their values. It
// reports what is wrong; ok is false if that keeps kplan from going on.
func (s *session) define(ctx context.Context, opts variableOptions) (d definition, ok bool) {
	c, diags := s.load()
	if diags.HasErrors() {
		s.report(diags)
		return d, false
	}
	args := opts.args
	if opts.from != nil {
		args = append(recorded(opts.from, c), args...)
	}
	values, valueDiags := c.ReadVariables(config.Inputs{
		Env:    os.Environ(),
		Args:   args,
		Open:   opener(ctx),
		Prompt: s.prompt(ctx),
	})
	if ctx.Err() != nil && valueDiags.HasErrors() {
		s.fail(diag.Interrupted, "Nothing was changed: kplan was interrupted while it read or asked for the values of variables.")
		return d, false
	}
	if opts.from != nil {
		explainMissing(valueDiags, opts.from, c)
	}
	diags = append(diags, valueDiags...)
	s.report(diags)
	return definition{c, values}, !diags.HasErrors()
}
