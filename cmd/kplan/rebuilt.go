package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/render"
	"kplan.dev/kplan/plan"
	"kplan.dev/kplan/state"
)

// oneOr is the only word, or what stands for any.
func oneOr(words []string, otherwise string) string {
	if len(words) == 1 {
		return words[0]
	}
	return otherwise
}

// mostShown is how many addresses of a stack are shown to recognise it by.
const mostShown = 5

// declared is how many of the objects belong to blocks of the configuration.
func (k *stack) declared(objects []plan.Scanned) (n int) {
	blocks := map[addrs.Resource]bool{}
	for _, r := range k.config.Resources {
		blocks[r.Addr] = true
	}
	for _, o := range objects {
		if blocks[o.Addr.Resource] {
			n++
		}
	}
	return n
}

func (k *stack) showStack(id string, objects []plan.Scanned, wanted int) {
	namespaces := map[string]bool{}
	var shown []string
	for _, o := range objects {
		if o.Object.Namespace != "" {
			namespaces[o.Object.Namespace] = true
		}
		if len(shown) < mostShown && o.Addr != (addrs.Instance{}) {
			shown = append(shown, fmt.Sprintf("    %s (%s)\n", render.Clean(o.Addr.String()), render.Clean(o.Object.String())))
		}
	}
	fmt.Fprintf(k.stdout, "%s\n  %s, %d of them of blocks in this configuration\n", k.bold(render.Clean(id)), render.Count(len(objects), "object"), wanted)
	if len(namespaces) > 0 {
		fmt.Fprintf(k.stdout, "  in %s\n", render.Clean(strings.Join(slices.Sorted(maps.Keys(namespaces)), ", ")))
	}
	fmt.Fprint(k.stdout, strings.Join(shown, ""))
	if more := len(objects) - len(shown); more > 0 {
		fmt.Fprintf(k.stdout, "    and %d more\n", more)
	}
	fmt.Fprintln(k.stdout)
}

// showRebuilt lists what the state would gain, lose and hold otherwise.
func (k *stack) showRebuilt(r *plan.Rebuilt) {
	line := func(mark string, o state.Object, note string) {
		if r.Orphans[o.Object.Identity()] {
			note += ", not in the configuration: the next plan deletes it"
		}
		fmt.Fprintf(k.stdout, "  %s %s (%s)%s\n", mark, render.Clean(o.Addr.String()), render.Clean(o.Object.String()), note)
	}
	for _, o := range r.Added {
		line("+", o, "")
	}
	for _, o := range r.Changed {
		line("~", o, "")
	}
	for _, o := range r.Gone {
		line("-", o, ", not there any more")
	}
	fmt.Fprintf(k.stdout, "\nThe state would have %s: %d added, %d changed, %d removed.\n",
		render.Count(len(r.State.Objects), "object"), len(r.Added), len(r.Changed), len(r.Gone))
}

// incomplete says what the rebuilt state may lack: an error, or, where the user
// has allowed that, a warning.
func incomplete(scan *plan.Scan, r *plan.Rebuilt, allowed bool) hcl.Diagnostics {
	severity, advice := hcl.DiagError, " To store it nevertheless: -allow-incomplete."
	if allowed {
		severity, advice = hcl.DiagWarning, ""
	}
	var diags hcl.Diagnostics
	if len(scan.Unseen) > 0 {
		diags = append(diags, &hcl.Diagnostic{Severity: severity, Summary: "The state may be incomplete",
			Detail: "There may be objects of this stack that were not seen:\n" + bullets(scan.Unseen) +
				"\nSuch an object that the configuration has is recognised by its label when it is planned. One that the configuration no longer has would never be deleted. " +
				"A user who may list every kind in the whole cluster rebuilds a complete state." + advice})
	}
	if len(r.Unaddressed) > 0 {
		var names []string
		for _, o := range r.Unaddressed {
			names = append(names, o.Object.String())
		}
		diags = append(diags, &hcl.Diagnostic{Severity: severity, Summary: "Objects without an address",
			Detail: "kplan made these objects for this stack, but their annotation " + addrs.AddressAnnotation + " was removed or changed, and no block of the configuration names them:\n" +
				bullets(names) + "\nGive each its address back with kubectl annotate, or name it in the configuration." + advice})
	}
	if r.Unclear {
		diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "The configuration can't be planned in full",
			Detail: "So it is not known of all objects what they depend on, and whether they are protected. kplan plan says what is wrong, once the state is there; rebuild again after mending that."})
	}
	return diags
}

func bullets[T any](items []T) string {
	var b strings.Builder
	for _, item := range items {
		fmt.Fprintf(&b, "  - %v\n", item)
	}
	return b.String()
}

func unseenHint(scan *plan.Scan) string {
	if len(scan.Unseen) == 0 {
		return ""
	}
	return "\n\nNot everything was seen:\n" + bullets(scan.Unseen)
}
