package main

import (
	"context"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/internal/cli"
)

type consoleOptions struct {
	planningOptions
	expressions cli.List
	json        bool
}

func consoleCommand(s *session) *cli.Command {
	var opts consoleOptions
	opts.state.reads = true
	flags := []cli.Flag{
		cli.Value("e", &opts.expressions, "Evaluate `EXPRESSION` and exit. May be repeated."),
		cli.On("json", &opts.json, "Print values as JSON. Not at the prompt."),
		cli.On("offline", &opts.offline, "Use no cluster: what only the cluster knows is (known after apply). Not with -kubeconfig or -context."),
	}
	flags = slices.Concat(flags, opts.variables.flags(), opts.cluster.flags(), []cli.Flag{opts.state.flag()})
	return &cli.Command{
		Name:    "console",
		TooMany: "To evaluate an expression: kplan console -e 'EXPRESSION'.",
		Summary: "Evaluate expressions",
		About: "Evaluates expressions of the language: functions, variables, local values and objects of the configuration. " +
			"It changes nothing and locks nothing.\n\n" +
			"A reference to an object of the state gives what the cluster has, such as Namespace.a.metadata.uid. The cluster is " +
			"asked once, when an expression first needs it. An object that was not applied yet has the values of the " +
			"configuration; what only the server sets is (known after apply). Sensitive values are not shown.\n\n" +
			"On a terminal kplan prompts for expressions. An expression goes on in the next line while a bracket or a heredoc is open. " +
			"Tab completes names, the arrow keys recall lines, Ctrl-C clears the line or ends an evaluation, and exit or Ctrl-D leaves. " +
			"Otherwise kplan evaluates the lines of standard input, up to the first error.\n\n" +
			"Exit codes: 0 success; 1 an error, except at the prompt.",
		Flags: cli.Group("Options", flags...),
		Examples: []cli.Example{
			{Line: "console", Explanation: "Try expressions at a prompt:"},
			{Line: "console -e 'Service.web.spec.clusterIP'", Explanation: "Print what the cluster has:"},
			{Line: "console -offline -var-file=tenants/acme.kpvars.hcl -e local.labels -e 'keys(local.ports)'",
				Explanation: "Print values for one tenant without a cluster:"},
			{Line: "console -json -e local.labels | jq -r .app", Explanation: "Use a value in a script:"},
			{Line: "console < expressions.txt", Explanation: "Evaluate the lines of a file:"},
		},
		Words: func(context.Context) []string { return []string{} },
		Run: func(ctx context.Context, _ []string) (cli.ExitCode, hcl.Diagnostics) {
			return runConsole(ctx, s, opts)
		},
	}
}

// check refuses options that contradict one another.
func (o *consoleOptions) check(prompts bool) error {
	switch {
	case o.offline && o.cluster.kubeconfig+o.cluster.context != "":
		return invalidCombination("-offline uses no cluster, and -kubeconfig and -context choose one: give one or the other.")
	case o.json && prompts:
		return invalidCombination("-json prints values for a program, and nobody reads JSON at the prompt: add -e EXPRESSION.")
	}
	return nil
}

func runConsole(ctx context.Context, s *session, opts consoleOptions) (cli.ExitCode, hcl.Diagnostics) {
	prompts := len(opts.expressions) == 0 && s.ui.Terminal
	if err := opts.check(prompts); err != nil {
		return exitFailure, usage(err)
	}
	s.ui.Input = s.ui.Input && opts.variables.input
	c, diags := s.openConsole(ctx, opts)
	if diags.HasErrors() {
		return exitFailure, diags
	}
	switch {
	case prompts:
		c.prompt(ctx)
		if ctx.Err() != nil { // a signal, not whoever sits there, ended it
			return exitFailure, nil
		}
		return exitOK, nil
	case len(opts.expressions) > 0:
		for _, text := range opts.expressions {
			c.evaluate(ctx, expression{text: text, file: "<console>", line: 1})
		}
	default:
		c.lines(ctx)
	}
	if c.failed {
		return exitFailure, nil
	}
	return exitOK, nil
}
