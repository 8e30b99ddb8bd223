package main

import (
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/internal/files"
	"kplan.dev/kplan/internal/render"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/plan"
)

type validateOptions struct {
	json      bool
	variables variableOptions
}

func validateCommand(s *session) *cli.Command {
	var opts validateOptions
	return &cli.Command{
		Name:    "validate",
		TooMany: "To validate the configuration of another directory: kplan -chdir=DIR validate.",
		Summary: "Check whether the configuration is valid",
		About: "Checks the files of the current directory: their syntax, every field and its type against the built-in kinds " +
			"of Kubernetes, and every reference. No cluster, state or values of variables are needed; what can't be known " +
			"without them is accepted, such as the fields of a custom kind that is defined in the cluster only.\n\n" +
			"Exit codes: 0 the configuration is valid; 1 it is not.",
		Flags: cli.Group("Options", append([]cli.Flag{
			cli.On("json", &opts.json, "Print JSON."),
		}, opts.variables.flags()[:2]...)...),
		Examples: []cli.Example{
			{Line: "validate", Explanation: "Report all mistakes at once:"},
			{Line: "validate -var-file=tenants/acme.kpvars.hcl", Explanation: "Use the values of one tenant:"},
		},
		Run: func(ctx context.Context, _ []string) (cli.ExitCode, hcl.Diagnostics) {
			return runValidate(ctx, s, opts)
		},
	}
}

func runValidate(ctx context.Context, s *session, opts validateOptions) (cli.ExitCode, hcl.Diagnostics) {
	diags := validate(ctx, s, opts.variables)
	if opts.json {
		failed := notWritten(s.ui.Wrote(render.ValidateJSON(s.ui.Out, diags, s.quoted.sources(diags))))
		if diags.HasErrors() {
			return exitFailure, failed
		}
		return exitOK, failed
	}
	if diags := s.ui.Errors(diags); diags != nil {
		return exitFailure, diags
	}
	warned := ""
	if len(diags) > 0 {
		warned = ", but there were some validation warnings as shown above"
	}
	fmt.Fprintf(s.ui.Out, "%s The configuration is valid%s.\n", s.ui.Paint("32;1", "Success!"), warned)
	return exitOK, nil
}

// validate finds the mistakes in the configuration that can be found without a
// cluster.
func validate(ctx context.Context, s *session, opts variableOptions) hcl.Diagnostics {
	c, diags := s.load(ctx)
	if !diags.HasErrors() {
		diags = append(diags, c.CheckVersion(versionText())...) // a build without a version can only warn
	}
	values, more := c.ReadVariables(config.Inputs{Env: os.Environ(), Args: opts.args, Open: files.Opener(ctx), Partial: true})
	diags = append(diags, more...)
	s.ui.Secrets.Add(secretsIn(values)...)
	if !c.Budget.IsExhausted() {
		_, more = c.Cluster(values)
		diags = append(diags, more...)
	}
	if !c.Budget.IsExhausted() {
		_, more = c.Backend(values, nil)
		diags = append(diags, more...)
	}
	if !c.Budget.IsExhausted() {
		diags = append(diags, badKeys(s, c, values)...)
	}
	if c.Broken || c.Budget.IsExhausted() {
		return diags // evaluating what was not understood would find more than there is
	}
	preview, more := hclspec.NewPreview(ctx, c, hclspec.Options{Variables: values, Kinds: kinds.OpenSet{Set: kinds.Builtin()}, Partial: true})
	plan.LearnSecrets(&s.ui.Secrets, preview.Desired()...)
	failed := more.HasErrors()
	diags = append(diags, unreported(more, diags)...)
	if !failed {
		diags = append(diags, preview.Violations()...)
	}
	if !diags.HasErrors() { // of half a configuration they would say what is not so
		diags = append(append(diags, preview.Warnings(nil)...), preview.Unmatched(nil)...)
	}
	return diags
}

// unreported leaves out errors of a line that has been reported before: what is
// refused when a file is read fails again when it is evaluated.
func unreported(diags, before hcl.Diagnostics) hcl.Diagnostics {
	type line struct {
		file   string
		number int
	}
	reported := map[line]bool{}
	for _, d := range before {
		if d.Subject != nil && d.Severity == hcl.DiagError {
			reported[line{d.Subject.Filename, d.Subject.Start.Line}] = true
		}
	}
	return slices.DeleteFunc(diags, func(d *hcl.Diagnostic) bool {
		return d.Subject != nil && reported[line{d.Subject.Filename, d.Subject.Start.Line}]
	})
}
