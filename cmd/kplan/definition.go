package main

import (
	"context"
	"os"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/internal/diag"
)

// definition is the configuration of the working directory and the values of
// its variables.
type definition struct {
	config *hclspec.Config
	values hclspec.Values
}

// load reads the configuration. Its sources are there for diagnostics from then
// on.
func (s *session) load() (*hclspec.Config, hcl.Diagnostics) {
	config, diags := hclspec.Load(".")
	s.loaded = config
	if !diags.HasErrors() || config.Settings.RequiredVersion != "" {
		if unsuitable := config.CheckVersion(versionText()); unsuitable.HasErrors() {
			return config, unsuitable
		}
	}
	return config, diags
}

// define reads the configuration and gives its variables their values. It
// reports what is wrong; ok is false if that keeps kplan from going on.
func (s *session) define(ctx context.Context, opts variableOptions) (d definition, ok bool) {
	config, diags := s.load()
	if diags.HasErrors() {
		s.report(diags)
		return d, false
	}
	args := opts.args
	if opts.from != nil {
		args = append(recorded(opts.from, config), args...)
	}
	values, valueDiags := config.ReadVariables(hclspec.Inputs{
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
		explainMissing(valueDiags, opts.from, config)
	}
	diags = append(diags, valueDiags...)
	s.report(diags)
	return definition{config, values}, !diags.HasErrors()
}
