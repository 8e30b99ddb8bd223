package main

import (
	"context"
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/plan"
	"kplan.dev/kplan/plan/rebuild"
	"kplan.dev/kplan/state"
)

type checkOptions struct {
	planningOptions
	json bool
}

func stateCheckCommand(s *session) *cli.Command {
	var opts checkOptions
	opts.state.reads = true
	return &cli.Command{
		Name:    "check",
		Summary: "Compare the state with the cluster",
		About: "Verifies that the stored state is whole, and compares it with the cluster: objects that are gone or were recreated, that lost " +
			"the label or the address by which kplan finds them, that have the stack's label and are not in the state, and changes that a " +
			"run did not get to record. Nothing is changed.\n\n" +
			"It compares identities. To compare contents: kplan plan\n\n" +
			"Exit codes: 0 they agree; 1 they don't, or an error.",
		Flags: cli.Group("Options", append(append([]cli.Flag{
			cli.On("offline", &opts.offline, "Verify only what is stored, without a cluster."),
			cli.On("json", &opts.json, "Print the disagreements as JSON.")},
			opts.variables.flags()...), append(opts.cluster.flags(), opts.state.flag())...)...),
		Examples: []cli.Example{
			{Line: "state check", Explanation: "After a restored backup, or when someone may have deleted objects:"},
			{Line: "state check -offline", Explanation: "Verify the stored state alone:"},
		},
		Run: func(ctx context.Context, _ []string) (cli.ExitCode, hcl.Diagnostics) {
			return runStateCheck(ctx, s, opts)
		},
	}
}

func runStateCheck(ctx context.Context, s *session, opts checkOptions) (cli.ExitCode, hcl.Diagnostics) {
	opts.state.variables, opts.state.cluster = opts.variables, opts.cluster
	where, st, diags := s.existing(ctx, opts.state)
	if diags.HasErrors() {
		return exitFailure, diags
	}
	if opts.offline {
		return exitOK, showStored(s, where, st, opts.json)
	}
	d, diags := s.define(ctx, opts.variables)
	if diags.HasErrors() {
		return exitFailure, diags
	}
	cluster, diags := s.connect(ctx, d, opts.cluster, st)
	if diags.HasErrors() {
		return exitFailure, diags
	}
	k := &stack{s: s, definition: d, opts: opts.planningOptions, state: st, cluster: cluster}
	k.opts.state = where
	return k.check(ctx, opts.json)
}

// check compares the state with the cluster and shows where they disagree.
func (k *stack) check(ctx context.Context, asJSON bool) (cli.ExitCode, hcl.Diagnostics) {
	in := k.input(selection{})
	if _, diags := plan.CheckCluster(ctx, in); diags.HasErrors() {
		return exitFailure, diags
	}
	scan, diags := rebuild.ScanCluster(ctx, in, k.state.StackID())
	if diags.HasErrors() {
		return exitFailure, diags
	}
	findings, diags := rebuild.Check(ctx, in, scan)
	if diags.HasErrors() {
		return exitFailure, diags
	}
	if len(scan.Unlisted) > 0 {
		k.s.ui.Report(warning("Not everything could be compared", "Objects of the stack may be missing here:\n"+bullets(scan.Unlisted)))
	}
	if asJSON {
		diags = printJSON(k.s, findingsOf(k.state, findings))
	} else if len(findings) == 0 {
		diags = showStored(k.s, k.opts.state, k.state, false)
	} else {
		diags = k.showFindings(findings)
	}
	if len(findings) > 0 {
		return exitFailure, diags
	}
	return exitOK, diags
}

func showStored(s *session, where stateOptions, st *state.State, asJSON bool) hcl.Diagnostics {
	if asJSON {
		return printJSON(s, findingsOf(st, nil))
	}
	fmt.Fprintf(s.ui.Out, "The state in %s is in order: serial %d, %s.\n", where.place(), st.Serial, words.Count(len(st.Objects), "object"))
	return nil
}

// problemWords say what each problem is, and what resolves it.
var problemWords = map[rebuild.Problem]string{
	rebuild.Missing:     "is not in the cluster: the next plan creates it",
	rebuild.Recreated:   "was deleted and created by someone else: the next plan shows it",
	rebuild.Unlabeled:   "has lost the label " + addrs.StackLabel + ": the next apply adds it",
	rebuild.Readdressed: "has another address in its annotation " + addrs.AddressAnnotation + ": the next apply corrects it",
	rebuild.Unrecorded:  "is in the cluster and not in the state: kplan state rebuild adds it",
	rebuild.Pending:     "was being changed by a run that was cut off: the next plan or apply finds out",
}

func (k *stack) showFindings(findings []rebuild.Finding) hcl.Diagnostics {
	detail := ""
	for _, f := range findings {
		name := f.Object.String()
		if f.Addr != (addrs.Instance{}) {
			name = f.Addr.String() + " (" + name + ")"
		}
		detail += fmt.Sprintf("  - %s %s\n", name, problemWords[f.Problem])
	}
	return failure("State and cluster disagree", "About %s of the state in %s:\n%s",
		words.Count(len(findings), "object"), k.opts.state.place(), detail)
}

// stateFindings are what a check has found, in JSON.
type stateFindings struct {
	Serial   uint64         `json:"serial"`
	Lineage  string         `json:"lineage"`
	Objects  int            `json:"objects"`
	Problems []stateFinding `json:"problems"`
}

type stateFinding struct {
	Problem   rebuild.Problem `json:"problem"`
	Address   string          `json:"address,omitempty"`
	Kind      string          `json:"kind"`
	Namespace string          `json:"namespace,omitempty"`
	Name      string          `json:"name"`
}

func findingsOf(st *state.State, findings []rebuild.Finding) stateFindings {
	out := stateFindings{st.Serial, st.Lineage, len(st.Objects), []stateFinding{}}
	for _, f := range findings {
		e := stateFinding{Problem: f.Problem, Kind: f.Object.Kind, Namespace: f.Object.Namespace, Name: f.Object.Name}
		if f.Addr != (addrs.Instance{}) {
			e.Address = f.Addr.String()
		}
		out.Problems = append(out.Problems, e)
	}
	return out
}
