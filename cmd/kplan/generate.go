package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/convert/live"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/kube"
)

// generateConfig writes the blocks that the import blocks of the configuration lack, for the plan to read.
func generateConfig(ctx context.Context, s *session, opts planOptions) hcl.Diagnostics {
	if opts.generated == "" {
		return nil
	}
	if filepath.Base(opts.generated) != filepath.Clean(opts.generated) || !strings.HasSuffix(opts.generated, ".kplan.hcl") {
		return usage(&cli.UsageError{Summary: "Invalid value", Detail: "The file of -generate-config-out is named *.kplan.hcl and is in the " +
			"directory of the configuration, so that the plan reads it: -generate-config-out=imported.kplan.hcl"})
	}
	c, diags := s.load(ctx)
	lacking, diags := withoutBlocks(diags)
	if diags.HasErrors() || len(lacking) == 0 {
		return diags
	}
	if _, err := os.Lstat(opts.generated); err == nil {
		return failure("File exists", "%s exists, and nothing was written. Name a new file for the blocks that are missing.", opts.generated)
	}
	d, diags := withValues(ctx, s, c, opts.variables)
	if diags.HasErrors() {
		return diags
	}
	cluster, diags := s.connect(ctx, d, opts.cluster, nil)
	if diags.HasErrors() {
		return diags
	}
	found := &live.Found{}
	var names []string
	for _, i := range lacking {
		o, problems := readImported(ctx, cluster, d, i)
		if diags = append(diags, problems...); o != nil {
			found.Objects, names = append(found.Objects, *o), append(names, i.To.Resource.Name)
		}
	}
	if diags.HasErrors() {
		return diags
	}
	in := importable(found)
	for n, o := range in.objects {
		o.Name, o.Import = names[n], false // the configuration has the import block
	}
	written := convertOptions{out: opts.generated, duringPlan: true}
	return written.deliver(ctx, s, in, nil)
}

// withoutBlocks takes the imports of resources without blocks, which can be written, from the errors of a configuration.
func withoutBlocks(diags hcl.Diagnostics) (lacking []*config.Import, others hcl.Diagnostics) {
	for _, d := range diags {
		if i, ok := hcl.DiagnosticExtra[*config.Import](d); ok {
			lacking = append(lacking, i)
		} else if d.Severity == hcl.DiagError { // warnings come once more, with the plan
			others = append(others, d)
		}
	}
	return lacking, others
}

// readImported reads the object that an import block names.
func readImported(ctx context.Context, cluster *kube.Cluster, d definition, i *config.Import) (*live.Object, hcl.Diagnostics) {
	id, diags := d.config.ImportID(i, d.values)
	switch {
	case diags.HasErrors():
		return nil, diags
	case id == "":
		return nil, source.Problem("Can't write the block", i.ToRange,
			"The id names an object: NAMESPACE/NAME, or NAME for one that is in no namespace.")
	}
	ref := live.Reference{Kind: i.To.Resource.Type, Name: id}
	if namespace, name, ok := strings.Cut(id, "/"); ok {
		ref.Namespace, ref.Name = namespace, name
	}
	found, err := live.Read(ctx, cluster, live.Query{Only: &live.Record{References: []live.Reference{ref}}})
	if diags := notImported(err); diags.HasErrors() {
		diags[0].Subject = i.ToRange.Ptr()
		return nil, diags
	}
	if len(found.Objects) == 0 {
		why := found.Left[0]
		return nil, source.Problem("Can't write the block", i.ToRange, "There is no configuration for %s: %s.", why.What, why.Why)
	}
	return &found.Objects[0], nil
}
