package main

import (
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/urfave/cli/v2"

	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/internal/render"
	"kplan.dev/kplan/kinds"
)

type validateOptions struct {
	json      bool
	variables variableOptions
}

func validateCommand() *command {
	var opts validateOptions
	return &command{
		name:    "validate",
		tooMany: "To check the configuration of another folder: kplan -chdir=DIR validate.",
		summary: "Check the configuration, without a cluster",
		about: "Checks the files of the current folder: their syntax, every field and its type against the kinds that " +
			"Kubernetes has built in, every reference. It needs no cluster, no state, and no values of variables; " +
			"what is not known is taken as right, such as the fields of a custom kind whose definition is in the cluster only.\n\n" +
			"Exit codes: 0 the configuration is valid, 1 it is not.",
		flags: group("Options", append([]cli.Flag{
			on("json", &opts.json, "Print JSON."),
		}, opts.variables.flags()[:2]...)...),
		examples: []example{
			{"validate", "All mistakes at once:"},
			{"validate -var-file=tenants/acme.kpvars.hcl", "With the values of one tenant:"},
		},
		run: func(ctx context.Context, s *session, _ []string) exitCode { return runValidate(ctx, s, opts) },
	}
}

func runValidate(ctx context.Context, s *session, opts validateOptions) exitCode {
	diags := withAdvice(s.validate(ctx, opts.variables))
	code := exitOK
	if diags.HasErrors() {
		code = exitFailure
	}
	if opts.json {
		return max(code, s.wrote(render.ValidateJSON(s.stdout, diags, s.sources(diags))))
	}
	s.report(diags)
	switch {
	case diags.HasErrors():
	case len(diags) > 0:
		fmt.Fprintf(s.stdout, "%s The configuration is valid, but there were some validation warnings as shown above.\n", s.success())
	default:
		fmt.Fprintf(s.stdout, "%s The configuration is valid.\n", s.success())
	}
	return code
}

// validate finds what is wrong with the configuration, as far as that can be
// told without a cluster.
func (s *session) validate(ctx context.Context, opts variableOptions) hcl.Diagnostics {
	c, diags := s.load()
	values, more := c.ReadVariables(config.Inputs{Env: os.Environ(), Args: opts.args, Open: opener(ctx), Partial: true})
	diags = append(diags, more...)
	_, more = c.Cluster(values)
	diags = append(diags, more...)
	_, more = c.Backend(values)
	diags = append(diags, more...)
	if c.Broken {
		return diags // evaluating what was not understood would only find phantoms
	}
	_, more = hclspec.NewPreview(ctx, c, hclspec.Options{Variables: values, Kinds: kinds.OpenSet{Set: kinds.Builtin()}, Partial: true})
	return append(diags, unsaid(more, diags)...)
}

// unsaid leaves out what is wrong with a line that was complained about before:
// what a file is refused for when it is read fails again when it is evaluated.
func unsaid(diags, before hcl.Diagnostics) hcl.Diagnostics {
	type line struct {
		file   string
		number int
	}
	said := map[line]bool{}
	for _, d := range before {
		if d.Subject != nil && d.Severity == hcl.DiagError {
			said[line{d.Subject.Filename, d.Subject.Start.Line}] = true
		}
	}
	return slices.DeleteFunc(diags, func(d *hcl.Diagnostic) bool {
		return d.Subject != nil && said[line{d.Subject.Filename, d.Subject.Start.Line}]
	})
}

func (s *session) success() string { return s.paint("32;1", "Success!") }
