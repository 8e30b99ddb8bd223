package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/render"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/plan"
	"kplan.dev/kplan/state"
)

// stateWords are the words that shells offer from the state.
func (s *session) stateWords(opts *stateOptions, words func(*state.State) []string) func(context.Context) []string {
	return func(ctx context.Context) (clean []string) {
		where, diags := s.locate(ctx, *opts)
		if diags.HasErrors() {
			return nil
		}
		st, err := where.store().Read(ctx)
		if err != nil {
			return nil
		}
		for _, word := range words(st) {
			clean = append(clean, render.Clean(word))
		}
		return clean
	}
}

// stateAddresses are the addresses in the state.
func stateAddresses(st *state.State) (all []string) {
	for _, o := range st.Objects {
		all = append(all, o.Addr.String())
	}
	return all
}

// pick returns the state's entries at an address: of one instance, or of all of
// a resource, those to be deleted under it included. An address that stands for
// none is an error.
func pick(st *state.State, text string) ([]state.Object, hcl.Diagnostics) {
	want, err := addrs.ParseSelection(text)
	if err != nil {
		return nil, failure("Invalid address", "%s.", capital(err))
	}
	var found []state.Object
	for _, o := range st.Objects {
		if plan.Matches(want, o.Addr) {
			found = append(found, o)
		}
	}
	if len(found) == 0 {
		hint := words.Suggest(want.String(), stateAddresses(st))
		if hint == "" {
			hint = " To see what it has: kplan state list"
		}
		return nil, failure("Not in the state", "The state has nothing at %s.%s", want, hint)
	}
	return found, nil
}

// pickAll is pick for several addresses.
func pickAll(st *state.State, texts []string) (found []state.Object, diags hcl.Diagnostics) {
	seen := map[addrs.Object]bool{}
	for _, text := range texts {
		picked, more := pick(st, text)
		diags = append(diags, more...)
		for _, o := range picked {
			if !seen[o.Object.Identity()] {
				seen[o.Object.Identity()] = true
				found = append(found, o)
			}
		}
	}
	return found, diags
}

// shown is an entry's address as lists show it.
func shown(o state.Object) string {
	if o.Deposed {
		return fmt.Sprintf("%s (deposed, %s)", render.Clean(o.Addr.String()), render.Clean(o.Object.String()))
	}
	return render.Clean(o.Addr.String())
}

// showObjects prints what the state records of objects.
func showObjects(s *session, objects []state.Object) {
	line := func(name, value string) { fmt.Fprintf(s.ui.Out, "%-12s = %s\n", name, render.Clean(value)) }
	for i, o := range objects {
		if i > 0 {
			fmt.Fprintln(s.ui.Out)
		}
		fmt.Fprintf(s.ui.Out, "# %s:\n", shown(o))
		line("object", o.Object.String())
		line("uid", o.UID)
		if len(o.Dependencies) > 0 {
			line("dependencies", strings.Join(texts(o.Dependencies), ", "))
		}
		if o.Protected {
			line("protected", "true (lifecycle.prevent_destroy)")
		}
		if o.Retained {
			line("retained", "true (lifecycle.destroy is false)")
		}
	}
}
