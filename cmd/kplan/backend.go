package main

import (
	"cmp"
	"context"
	"fmt"
	"os"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/modules"
	"kplan.dev/kplan/internal/backend"
	"kplan.dev/kplan/internal/files"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/state"
)

// locate completes where the state is, for a command that needs no more of the
// configuration than that: by -state, else by the backend block, if there is one.
func (s *session) locate(ctx context.Context, opts stateOptions) (stateOptions, hcl.Diagnostics) {
	c, diags := modules.LoadCached(ctx, cmp.Or(opts.dir, "."))
	s.quoted.config = c
	if opts.path == "" && c.Settings.Backend == nil && c.Broken { // the block may be in a part that can't be read
		return opts, append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Location of the state not known",
			Detail: "A backend block may be in the part of the configuration that can't be read. Repair it, or name the state with -state=FILE."})
	}
	return s.locateIn(ctx, definition{c, backendValues(ctx, s, c, opts.variables)}, opts)
}

// backendValues are the values of variables that a backend block may need. Mistakes in others don't concern it.
func backendValues(ctx context.Context, s *session, c *config.Config, opts variableOptions) config.Values {
	values, _ := c.ReadVariables(config.Inputs{Env: os.Environ(), Args: opts.args, Open: files.Opener(ctx), Partial: true})
	s.ui.Secrets.Add(secretsIn(values)...)
	return values
}

// locateIn completes where the state is by a configuration, and makes sure that it is where it was before.
func (s *session) locateIn(ctx context.Context, d definition, opts stateOptions) (stateOptions, hcl.Diagnostics) {
	codec, diags := codecOf(s, d)
	if diags.HasErrors() {
		return opts, diags
	}
	opts.codec = codec
	if opts.path != "" {
		opts.at = state.InFile(opts.path, codec)
		return opts, nil
	}
	record, err := d.config.BackendRecord()
	if err != nil {
		return opts, badRecord(err)
	}
	where := &whereabouts{backends: backends{s, d, opts.cluster, codec}, record: record}
	if where.now, diags = where.wanted(record.GivenFor(d.config)); diags.HasErrors() {
		return opts, diags
	}
	if diags := where.changed(ctx); diags.HasErrors() {
		return opts, diags
	}
	opts.where, opts.byBackend = where, d.config.Settings.Backend != nil
	opts.at, diags = where.open(ctx, where.now)
	return opts, diags
}

// backends are those of a definition: the one that it wants, and the one that was used so far.
type backends struct {
	s       *session
	d       definition
	cluster clusterOptions
	codec   state.Codec
}

// wanted evaluates the backend block, all of whose arguments must be known.
func (k backends) wanted(given map[string]string) (*config.Backend, hcl.Diagnostics) {
	b, diags := k.d.config.Backend(k.d.values, given)
	k.s.ui.Secrets.Add(b.Secrets...)
	problem := func(format string, args ...any) {
		diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Location of the state not known",
			Subject: b.Range.Ptr(), Detail: fmt.Sprintf(format, args...)})
	}
	if len(b.Unknown) > 0 {
		problem("The %s of the backend depends on a variable without a value. Give it with -var, -var-file or in the environment "+
			"as KPLAN_VAR_name, or name the state with -state=FILE.", words.And(b.Unknown))
	}
	if len(b.Missing) > 0 {
		problem("The backend %s needs %s. Set it in the block, or give it to this directory once: kplan init -backend-config='%s=…'",
			b.Type, words.And(b.Missing), b.Missing[0])
	}
	return b, diags
}

// open opens the place of a backend.
func (k backends) open(ctx context.Context, b *config.Backend) (*state.Place, hcl.Diagnostics) {
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	defer context.AfterFunc(ctx, end)() // an interrupt ends connecting; the lock is released after it
	connect := func(ctx context.Context, wanted *config.Cluster) (*kube.Cluster, hcl.Diagnostics) {
		if wanted == nil {
			return k.s.connect(ctx, k.d, k.cluster, nil)
		}
		return k.s.connectTo(ctx, wanted, clusterOptions{allowExec: k.cluster.allowExec, parallelism: k.cluster.parallelism}, nil)
	}
	place, diags := backend.Open(life, b, backend.Options{Codec: k.codec, Connect: connect, Log: k.s.log})
	if place != nil {
		k.s.ui.Secrets.Add(place.Secrets...)
	}
	return place, diags
}
