package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/apply"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/modules"
	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/internal/diag"
	"kplan.dev/kplan/internal/files"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/state"
)

// removeOptions are those of state rm.
type removeOptions struct {
	state   stateOptions
	dryRun  bool
	offline bool
}

func stateRemoveCommand(s *session) *cli.Command {
	var opts removeOptions
	return &cli.Command{
		Name: "rm", Aliases: []string{"remove"}, Args: "ADDRESS...", MinArgs: 1, MaxArgs: -1,
		Summary: "Forget objects without deleting them",
		About: "Removes objects from the state. They stay in the cluster as they are, but for the label " + addrs.StackLabel +
			", the annotation " + addrs.AddressAnnotation + " and kplan's record of the fields that it applied. " +
			"Remove their blocks as well: a plan adopts again what the configuration still declares.",
		Flags: slices.Concat(cli.Group("Options",
			cli.On("dry-run", &opts.dryRun, "Print what would be forgotten, and forget nothing."),
			cli.On("offline", &opts.offline, "Change only the state: the objects keep the label, by which state rebuild finds them."),
			opts.state.lockFlag()),
			cli.Group("Options", opts.state.flags()...)),
		Examples: []cli.Example{
			{Line: "state rm -dry-run Pod.web", Explanation: "Show what would be forgotten:"},
			{Line: "state rm 'Pod.web[\"a\"]' Service.web", Explanation: "Forget two objects:"},
			{Line: "state rm -offline Pod.web", Explanation: "Forget an object of a cluster that is gone:"},
		},
		Words: s.stateWords(&opts.state, stateAddresses),
		Run: func(ctx context.Context, args []string) (cli.ExitCode, hcl.Diagnostics) {
			return exitOK, runStateRemove(ctx, s, opts, args)
		},
	}
}

func runStateRemove(ctx context.Context, s *session, opts removeOptions, addresses []string) hcl.Diagnostics {
	var objects []state.Object
	diags := s.change(ctx, opts.state, "state rm", func(st *state.State) (bool, hcl.Diagnostics) {
		var diags hcl.Diagnostics
		if objects, diags = pickAll(st, addresses); diags.HasErrors() {
			return false, diags
		}
		if !opts.dryRun && !opts.offline {
			s.ui.Report(s.release(ctx, opts, st, objects))
		}
		left := st.Table()
		for _, o := range objects {
			verb := "Removed"
			if opts.dryRun {
				verb = "Would remove"
			} else {
				left.Remove(o.Object)
			}
			fmt.Fprintf(s.ui.Out, "%s %s\n", verb, shown(o))
		}
		st.Objects = left.List()
		return !opts.dryRun, nil
	})
	if !opts.dryRun && !diags.HasErrors() {
		fmt.Fprintf(s.ui.Out, "Successfully removed %d resource instance(s).\n", len(objects))
	}
	return diags
}

// release takes the stack's marks off objects that stay in the cluster. That it can't is
// no reason to keep them in the state: the cluster may be gone for good.
func (s *session) release(ctx context.Context, opts removeOptions, st *state.State, objects []state.Object) hcl.Diagnostics {
	const summary = "Objects keep the stack's label"
	const consequence = " Until the label " + addrs.StackLabel + " is removed from them, a state that is rebuilt has them again."
	cluster, diags := s.clusterOf(ctx, opts.state, st)
	if diags.HasErrors() {
		return warning(summary, diags[0].Summary+": "+diags[0].Detail+consequence)
	}
	var marked []string
	for _, o := range objects {
		kind, err := cluster.Lookup(o.Object.Kind, o.Object.APIVersion())
		if err == nil {
			err = apply.Release(ctx, cluster, kind, o.Object, o.UID, st.StackID())
		}
		if undefined, _ := cluster.IsUndefined(ctx, o.Object.GroupKind()); err != nil && !undefined {
			marked = append(marked, fmt.Sprintf("%s: %v.", o.Object, err))
		}
	}
	if len(marked) == 0 {
		return nil
	}
	return warning(summary, strings.Join(marked, "\n")+consequence)
}

// clusterOf connects to the cluster of a state.
func (s *session) clusterOf(ctx context.Context, opts stateOptions, st *state.State) (*kube.Cluster, hcl.Diagnostics) {
	c, _ := modules.LoadCached(ctx, cmp.Or(opts.dir, ".")) // whatever is wrong elsewhere, the cluster block counts
	values, _ := c.ReadVariables(config.Inputs{Env: os.Environ(), Args: opts.variables.args, Open: files.Opener(ctx), Partial: true})
	s.ui.Secrets.Add(secretsIn(values)...)
	cluster, diags := s.connect(ctx, definition{c, values}, opts.cluster, nil)
	if diags.HasErrors() {
		return nil, diags
	}
	uid, err := cluster.Identity(ctx)
	switch {
	case err != nil:
		return nil, diag.FromKube(err, nil, "")
	case st.Cluster != "" && uid != st.Cluster:
		return nil, failure("Another cluster", "%s is not the cluster of this state.", cluster.Host())
	}
	return cluster, nil
}
