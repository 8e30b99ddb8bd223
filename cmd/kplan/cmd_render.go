package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/convert"
	"kplan.dev/kplan/graph"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/plan"
)

type renderOptions struct {
	targets, excludes addresses
	showSensitive     bool
	omitUnknown       bool
	variables         variableOptions
}

func renderCommand(s *session) *cli.Command {
	var opts renderOptions
	return &cli.Command{
		Name: "render", Args: "[PLAN]", MaxArgs: 1,
		Summary: "Write the objects as YAML",
		About: "Writes the objects of the configuration, or of a saved plan, as YAML for other tools, on standard output. No cluster is used. " +
			"What an object needs comes before it. The objects are as kplan sends them, without the label and the annotation by which it " +
			"knows its own, and without what only the server fills in.\n\n" +
			"A field that is known after apply is an error, or left out with -omit-unknown. So is a sensitive value, or it is printed with " +
			"-show-sensitive: whoever gets the output then has it. A saved plan has no sensitive values.",
		Flags: cli.Group("Options", append([]cli.Flag{
			cli.Value("target", &opts.targets, "Write only the object at `ADDRESS`, or all in that module, without its dependencies. "+
				"May be repeated."),
			cli.Value("exclude", &opts.excludes, "Leave out the object at `ADDRESS`. May be repeated."),
			cli.On("omit-unknown", &opts.omitUnknown, "Leave out the fields that are known after apply."),
			cli.On("show-sensitive", &opts.showSensitive, "Print sensitive values in the clear."),
		}, opts.variables.flags()...)...),
		Examples: []cli.Example{
			{Line: "render | kubeconform -strict", Explanation: "Have another tool check the objects:"},
			{Line: "render -exclude=Secret.db >manifests.yaml", Explanation: "Keep the objects as YAML, without a Secret:"},
			{Line: "render acme.plan", Explanation: "Write what a saved plan would apply:"},
		},
		Run: func(ctx context.Context, args []string) (cli.ExitCode, hcl.Diagnostics) {
			return exitOK, runRender(ctx, s, opts, args)
		},
	}
}

// renderable is an object that is to be written.
type renderable struct {
	addr               addrs.Instance
	object             addrs.Object
	kind               *kinds.Kind
	fields             map[string]any
	unknown, sensitive addrs.PathSet
}

func runRender(ctx context.Context, s *session, opts renderOptions, args []string) hcl.Diagnostics {
	if len(opts.targets) > 0 && len(opts.excludes) > 0 {
		return usage(invalidCombination("-target and -exclude can't be used together: one says what to write, the other what not to."))
	}
	read := renderedConfiguration
	if len(args) == 1 {
		read = func(ctx context.Context, s *session, opts renderOptions) ([]renderable, hcl.Diagnostics) {
			return renderedPlan(ctx, s, opts, args[0])
		}
	}
	all, diags := read(ctx, s, opts)
	if diags.HasErrors() {
		return diags
	}
	selected, diags := opts.selected(all)
	if diags.HasErrors() {
		return diags
	}
	if diags := opts.refusals(selected, len(args) == 1); diags.HasErrors() {
		return diags
	}
	objects := make([]map[string]any, len(selected))
	for i, r := range selected {
		objects[i] = r.document()
	}
	return notWritten(s.ui.Wrote(convert.WriteYAML(s.ui.Out, objects)))
}

// renderedConfiguration are the objects of the configuration, in order.
func renderedConfiguration(ctx context.Context, s *session, opts renderOptions) ([]renderable, hcl.Diagnostics) {
	opts.variables.withoutSecrets = !opts.showSensitive
	d, diags := s.define(ctx, opts.variables)
	if diags.HasErrors() {
		return nil, diags
	}
	preview, diags := hclspec.NewPreview(ctx, d.config, hclspec.Options{Variables: d.values, Kinds: kinds.OpenSet{Set: kinds.Builtin()}})
	if !opts.showSensitive {
		plan.LearnSecrets(&s.ui.Secrets, preview.Desired()...)
	}
	if diags := s.ui.Errors(diags); diags.HasErrors() {
		return nil, diags
	}
	var all []renderable
	for _, d := range preview.Desired() {
		all = append(all, renderable{d.Addr, d.Object, d.Kind, d.Fields, d.Unknown, d.Sensitive})
	}
	place := places(preview.Graph())
	slices.SortStableFunc(all, func(a, b renderable) int { return placeOf(place, a.addr) - placeOf(place, b.addr) })
	return all, nil
}

// placeOf is the place of an instance: that of its resource, or of an object in a manifests block, which is a block of
// its own.
func placeOf(place map[string]int, a addrs.Instance) int {
	if own, ok := place[a.String()]; ok {
		return own
	}
	return place[a.Resource.String()]
}

// places numbers the blocks so that each comes after those that it depends on, and otherwise in the order of the
// configuration.
func places(g *graph.Graph[hclspec.Block]) map[string]int {
	place, next := map[string]int{}, 0
	var visit func(hclspec.Block)
	visit = func(b hclspec.Block) {
		if _, seen := place[b.String()]; seen {
			return
		}
		place[b.String()] = 0
		for _, needed := range g.Dependencies(b) {
			visit(needed)
		}
		next++
		place[b.String()] = next
	}
	for _, b := range g.Nodes() {
		visit(b)
	}
	return place
}

// renderedPlan are the objects that a saved plan applies, or leaves as they are, in order.
func renderedPlan(ctx context.Context, s *session, opts renderOptions, path string) ([]renderable, hcl.Diagnostics) {
	p, diags := s.readPlan(ctx, path, opts.variables)
	if diags.HasErrors() {
		return nil, diags
	}
	if p.Incomplete {
		return nil, failure("Incomplete plan", "The plan was made with errors, so it does not have all objects. To show it: kplan show %s", path)
	}
	byAddress := map[addrs.Instance]*plan.Change{}
	for _, c := range p.Changes {
		byAddress[c.Addr] = c
	}
	var all []renderable
	seen := map[*plan.Change]bool{}
	var visit func(*plan.Change)
	visit = func(c *plan.Change) {
		if c == nil || seen[c] {
			return
		}
		seen[c] = true
		for _, needed := range c.Dependencies {
			visit(byAddress[needed])
		}
		if c.DesiredFields != nil {
			all = append(all, renderable{c.Addr, c.Object, c.Kind, plan.WithoutOwn(c.DesiredFields), c.Unknown, c.Sensitive})
		}
	}
	for _, c := range p.Changes {
		visit(c)
	}
	return all, nil
}

// selected are the objects that the options ask for. An address that means none is an error.
func (o *renderOptions) selected(all []renderable) ([]renderable, hcl.Diagnostics) {
	given := slices.Concat(o.targets, o.excludes)
	if len(given) == 0 {
		return all, nil
	}
	used := map[addrs.Instance]bool{}
	kept := slices.DeleteFunc(slices.Clone(all), func(r renderable) bool {
		meant := false
		for _, addr := range given {
			if addr.Means(r.addr) {
				meant, used[addr] = true, true
			}
		}
		return meant == (len(o.excludes) > 0)
	})
	for _, addr := range given {
		if !used[addr] {
			return nil, failure("No such object", "There is no object at %s.", addr)
		}
	}
	return kept, nil
}

// refusals are errors about fields that have no value, or one that must not be shown.
func (o *renderOptions) refusals(all []renderable, isPlan bool) (diags hcl.Diagnostics) {
	var unknown, sensitive []string
	for _, r := range all {
		for _, path := range r.unknown.Sorted() {
			if r.isConfigured(path, isPlan) {
				unknown = append(unknown, r.addr.String()+": "+path.String())
			}
		}
		for _, path := range r.sensitive.Sorted() {
			if _, there := path.ValueIn(r.fields); there {
				sensitive = append(sensitive, r.addr.String()+": "+path.String())
			}
		}
	}
	if len(sensitive) > 0 && (!o.showSensitive || isPlan) {
		hint := "To print them in the clear: -show-sensitive. To leave an object out: -exclude=ADDRESS"
		if isPlan {
			hint = "A saved plan has only digests of them. To leave an object out: -exclude=ADDRESS"
		}
		diags = append(diags, failure("Sensitive values", "These fields are sensitive:\n%s\n\n%s", listed(sensitive), hint)...)
	}
	if len(unknown) > 0 && !o.omitUnknown {
		diags = append(diags, failure("Values known after apply", "These fields have no value yet:\n%s\n\nTo leave them out: -omit-unknown",
			listed(unknown))...)
	}
	return diags
}

// isConfigured reports whether a field without a value is one that the configuration sets. A plan also lists those that
// the server allocates.
func (r renderable) isConfigured(path addrs.Path, isPlan bool) bool {
	field := r.kind.At(path)
	return !isPlan || field == nil || !field.Allocated
}

// mostListed is how many fields a message names.
const mostListed = 20

func listed(fields []string) string {
	more := ""
	if rest := len(fields) - mostListed; rest > 1 {
		fields, more = fields[:mostListed], fmt.Sprintf("\n  and %s", words.Count(rest, "more field"))
	}
	return "  " + strings.Join(fields, "\n  ") + more
}

// document is the object as it is written: with its namespace, which other tools would take from elsewhere.
func (r renderable) document() map[string]any {
	metadata, ok := r.fields["metadata"].(map[string]any)
	if !ok || !r.kind.Namespaced || r.object.Namespace == "" || metadata["namespace"] != nil {
		return r.fields
	}
	document, named := maps.Clone(r.fields), maps.Clone(metadata)
	named["namespace"], document["metadata"] = r.object.Namespace, named
	return document
}
