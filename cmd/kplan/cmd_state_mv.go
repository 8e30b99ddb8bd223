package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/internal/render"
	"kplan.dev/kplan/state"
)

// moveOptions are those of state mv.
type moveOptions struct {
	state       stateOptions
	dryRun      bool
	to          string // the directory of another stack
	autoApprove bool
}

func stateMoveCommand(s *session) *cli.Command {
	var opts moveOptions
	return &cli.Command{
		Name: "mv", Aliases: []string{"move"}, Args: "FROM [TO]", MinArgs: 1, MaxArgs: 2,
		Summary: "Move an object to another address, or to another stack",
		About: "Gives the objects at one address another address. Use it when a block was renamed in a way that " +
			"the plan does not detect; a plan detects a renamed block that still names the same object.\n\n" +
			"With -to, moves them to the stack of another directory, into the state that its configuration names: at the address TO, or at " +
			"the same one. Move their blocks there as well. In the cluster only the label " + addrs.StackLabel + " and the annotation " +
			addrs.AddressAnnotation + " of the objects change, after approval. The variables are for both configurations. Cut off at any " +
			"point, the command can be repeated; until then the objects are in both states.",
		Flags: slices.Concat(cli.Group("Options",
			cli.Text("to", &opts.to, "Move the objects to the stack in the directory `DIR`."),
			cli.On("auto-approve", &opts.autoApprove, "Skip the approval of a move to another stack."),
			cli.On("dry-run", &opts.dryRun, "Print what would be moved, and move nothing."),
			opts.state.lockFlag()),
			cli.Group("Options", opts.state.flags()...)),
		Examples: []cli.Example{
			{Line: "state mv Pod.web Pod.front", Explanation: "After renaming the block Pod.web to Pod.front:"},
			{Line: "state mv -dry-run Pod.web 'Pod.web[0]'", Explanation: "After adding count to the block:"},
			{Line: "state mv module.app 'module.shop[\"acme\"]'", Explanation: "All objects of a module:"},
			{Line: "state mv -to=../shop Service.web", Explanation: "After moving the block to another directory:"},
		},
		Words: s.stateWords(&opts.state, stateAddresses),
		Run: func(ctx context.Context, args []string) (cli.ExitCode, hcl.Diagnostics) {
			switch {
			case opts.to != "":
				return exitOK, runStateMoveTo(ctx, s, opts, args[0], args[len(args)-1])
			case len(args) == 1:
				return exitFailure, usage(&cli.UsageError{Summary: "Missing argument",
					Detail: "TO is missing: the new address, or, to move the object to another stack, -to=DIR."})
			case opts.autoApprove:
				return exitFailure, usage(invalidCombination("-auto-approve is for a move to another stack: within one nothing is asked."))
			}
			return exitOK, runStateMove(ctx, s, opts, args[0], args[1])
		},
	}
}

func runStateMove(ctx context.Context, s *session, opts moveOptions, from, to string) hcl.Diagnostics {
	var moves []move
	diags := s.change(ctx, opts.state, "state mv", func(st *state.State) (bool, hcl.Diagnostics) {
		var diags hcl.Diagnostics
		if moves, diags = movesOf(st, from, to); diags.HasErrors() {
			return false, diags
		}
		for _, m := range moves {
			if taken, is := st.Find(m.to); is {
				return false, failure("Address is taken", "The state already has %s at %s.", taken.Object, m.to)
			}
		}
		for _, m := range moves {
			if !opts.dryRun {
				st.Move(m.from, m.to)
			}
			fmt.Fprintf(s.ui.Out, "%s \"%s\" to \"%s\"\n", opts.verb(), render.Clean(m.from.String()), render.Clean(m.to.String()))
		}
		return !opts.dryRun, diags
	})
	if !opts.dryRun && !diags.HasErrors() {
		fmt.Fprintf(s.ui.Out, "Successfully moved %d object(s).\n", len(moves))
	}
	return diags
}

func (o moveOptions) verb() string {
	if o.dryRun {
		return "Would move"
	}
	return "Move"
}

type move struct{ from, to addrs.Instance }

// movesOf works out what a pair of addresses stands for: one instance to another,
// each of a resource to that of the same key, or all in a module to those of another.
func movesOf(st *state.State, from, to string) ([]move, hcl.Diagnostics) {
	found, diags := pick(st, from)
	target, err := addrs.ParseSelection(to)
	if err != nil {
		diags = append(diags, failure("Invalid address", "%s.", capital(err))...)
	}
	found = slices.DeleteFunc(found, func(o state.Object) bool { return o.Deposed })
	if len(found) == 0 || err != nil {
		return nil, diags
	}
	source, _ := addrs.ParseSelection(from) // which pick has read
	if source.IsModule() || target.IsModule() {
		return moduleMoves(found, source, target)
	}
	whole := len(found) > 1 || found[0].Addr.String() != from
	switch {
	case !target.Resource.MayBecome(found[0].Addr.Resource):
		return nil, failure("Not the same kind", "%s can't become %s: an object keeps its kind.", from, target)
	case whole && (!target.Key.IsZero() || target.Resource.Type != found[0].Addr.Resource.Type):
		return nil, failure("Ambiguous move", "%s stands for %d object(s) and %s for one. Name the one to move.", from, len(found), target)
	}
	var moves []move
	for _, o := range found {
		m := move{from: o.Addr, to: target}
		if whole {
			m.to = target.Resource.Instance(o.Addr.Key)
		}
		moves = append(moves, m)
	}
	return moves, nil
}

// moduleMoves are the moves of all in a module.
func moduleMoves(found []state.Object, from, to addrs.Instance) (moves []move, diags hcl.Diagnostics) {
	block := &config.Moved{From: from, To: to}
	for _, o := range found {
		target, ok := block.Destination(o.Addr)
		if from.IsModule() != to.IsModule() || !ok {
			return nil, failure("Ambiguous move", "%s can't become %s: all in a module moves to a module, and all in one of its instances "+
				"to an instance.", o.Addr, to)
		}
		moves = append(moves, move{from: o.Addr, to: target})
	}
	return moves, nil
}
