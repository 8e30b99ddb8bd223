package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/internal/render"
	"kplan.dev/kplan/state"
)

// listOptions are those of state list.
type listOptions struct {
	state             stateOptions
	json              bool
	kinds, namespaces cli.List
}

func stateListCommand(s *session) *cli.Command {
	var opts listOptions
	return &cli.Command{
		Name: "list", Aliases: []string{"ls"}, Args: "[ADDRESS...]", MaxArgs: -1,
		Summary: "List the addresses of managed objects",
		About: "Lists the addresses of the objects in the state, or of those that match the given addresses, kinds and namespaces. " +
			"In each of these, * stands for any text.",
		Flags: cli.Group("Options", append(opts.state.flags(),
			cli.Value("kind", &opts.kinds, "List only objects of the kind `KIND`. May be repeated."),
			cli.Value("namespace", &opts.namespaces, "List only objects in the namespace `NAME`. May be repeated."),
			cli.On("json", &opts.json, "Print JSON: an object for each, with its address, kind and name."))...),
		Examples: []cli.Example{
			{Line: "state list", Explanation: "List all objects:"},
			{Line: "state list Pod.web", Explanation: "List the objects of one resource block:"},
			{Line: "state list -kind=Pod -namespace='shop-*' '*.web*'", Explanation: "List some objects:"},
			{Line: "state list -json | jq -r '.[].uid'", Explanation: "List something else than addresses:"},
		},
		Words: s.stateWords(&opts.state, stateAddresses),
		Run: func(ctx context.Context, args []string) (cli.ExitCode, hcl.Diagnostics) {
			return exitOK, runStateList(ctx, s, opts, args)
		},
	}
}

func runStateList(ctx context.Context, s *session, opts listOptions, addresses []string) hcl.Diagnostics {
	_, st, diags := s.existing(ctx, opts.state)
	if diags.HasErrors() {
		return diags
	}
	var patterns []string
	named := map[addrs.Object]bool{}
	for _, text := range addresses {
		if strings.Contains(text, "*") {
			patterns = append(patterns, text)
			continue
		}
		picked, more := pick(st, text)
		diags = append(diags, more...)
		for _, o := range picked {
			named[o.Object.Identity()] = true
		}
	}
	if diags.HasErrors() {
		return diags
	}
	objects := slices.DeleteFunc(slices.Clone(st.Objects), func(o state.Object) bool {
		isNamed := len(addresses) == 0 || named[o.Object.Identity()] || len(patterns) > 0 && matchesAny(patterns, o.Addr.String())
		return !isNamed || !matchesAny(opts.kinds, o.Object.Kind) || !matchesAny(opts.namespaces, o.Object.Namespace)
	})
	if opts.json {
		return notWritten(s.ui.Wrote(render.ObjectsJSON(s.ui.Out, objects)))
	}
	for _, o := range objects {
		fmt.Fprintln(s.ui.Out, shown(o))
	}
	return nil
}

// matchesAny reports whether a text is like one of some patterns, or there are none.
func matchesAny(patterns []string, text string) bool {
	return len(patterns) == 0 || slices.ContainsFunc(patterns, func(p string) bool { return isLike(p, text) })
}

// isLike reports whether a text is as a pattern says, in which * stands for any text.
func isLike(pattern, text string) bool {
	first, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == text
	}
	text, ok := strings.CutPrefix(text, first)
	if !ok {
		return false
	}
	for {
		next, more, again := strings.Cut(rest, "*")
		if !again {
			return strings.HasSuffix(text, rest)
		}
		at := strings.Index(text, next)
		if at < 0 {
			return false
		}
		text, rest = text[at+len(next):], more
	}
}
