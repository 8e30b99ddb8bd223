package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/modules"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/internal/diag"
	"kplan.dev/kplan/internal/files"
	"kplan.dev/kplan/internal/render"
)

// definition is the configuration of the working directory and the values of
// its variables.
type definition struct {
	config *config.Config
	values config.Values
}

// load reads the configuration. From then on diagnostics can quote it.
func (s *session) load(ctx context.Context) (*config.Config, hcl.Diagnostics) {
	options := modules.Options{Fetching: func(module string) { fmt.Fprintf(s.ui.Err, "Fetching %s\n", render.Clean(module)) }}
	return loadBy(s, func() (*config.Config, hcl.Diagnostics) { return modules.LoadBy(ctx, ".", options) })
}

func loadBy(s *session, load func() (*config.Config, hcl.Diagnostics)) (*config.Config, hcl.Diagnostics) {
	began := time.Now()
	c, diags := load()
	s.quoted.config = c
	s.log.Debug("configuration read", "files", slices.Sorted(maps.Keys(c.Files)), "resources", len(c.Resources), "variables", len(c.Variables),
		"took", time.Since(began))
	if s.chdir != "" && len(diags) > 0 && diags[0].Summary == source.NoFiles {
		diags[0].Detail += fmt.Sprintf(" By -chdir, the current directory is %s.", s.chdir)
	}
	if checked := c.CheckVersion(versionText()); checked.HasErrors() {
		return c, checked
	}
	return c, diags
}

// define reads the configuration and the values of its variables. Warnings are
// reported; what is returned are errors.
func (s *session) define(ctx context.Context, opts variableOptions) (definition, hcl.Diagnostics) {
	c, diags := s.load(ctx)
	if diags.HasErrors() {
		return definition{}, diags
	}
	d, problems := withValues(ctx, s, c, opts)
	return d, s.ui.Errors(append(diags, problems...))
}

// withValues reads the values of a configuration's variables.
func withValues(ctx context.Context, s *session, c *config.Config, opts variableOptions) (definition, hcl.Diagnostics) {
	var saved map[string]json.RawMessage
	if opts.from != nil {
		saved = savedVariables(opts.from)
	}
	began := time.Now()
	values, valueDiags := c.ReadVariables(config.Inputs{
		Env:    os.Environ(),
		Saved:  saved,
		Args:   opts.args,
		Open:   files.Opener(ctx),
		Prompt: s.askVariable(ctx),

		WithoutSecrets: opts.withoutSecrets,
	})
	if ctx.Err() != nil && valueDiags.HasErrors() {
		return definition{}, failure(diag.Interrupted,
			"Nothing was changed: kplan was interrupted while it read or asked for the values of variables.")
	}
	s.ui.Secrets.Add(secretsIn(values)...)
	s.log.Debug("variables", "names", values.Names(), "took", time.Since(began))
	if opts.from != nil {
		explainMissing(valueDiags, opts.from, c)
	}
	return definition{c, values}, valueDiags
}
