package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"k8s.io/apimachinery/pkg/labels"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/convert"
	"kplan.dev/kplan/convert/live"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/internal/diag"
	"kplan.dev/kplan/internal/option"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kube"
)

type importOptions struct {
	convertOptions
	namespace, selector string
	variables           variableOptions
	cluster             clusterOptions
}

func importCommand(s *session) *cli.Command {
	var opts importOptions
	return &cli.Command{
		Name: "import", Args: "[KIND|KIND/NAME...]", MaxArgs: -1,
		Summary: "Write configuration for what runs in a cluster",
		About: "Reads objects of the cluster, and writes a resource block and an import block for each of them, on standard output: all of a " +
			"namespace, those of some kinds, or single ones. Nothing in the cluster is changed, and no state. The next plan shows that it " +
			"adopts them, and nothing else.\n\n" +
			"What people and deployment tools have set is written, by the record that the API server keeps of it; not what the server and " +
			"its controllers have filled in. Left out are objects that others made, such as the pods of a Deployment, those that a stack of " +
			"kplan manages, and Helm's records.\n\n" +
			"The values in Secrets become sensitive variables without a value, as with kplan convert.\n\n" +
			"Exit codes: 0 success; 1 an object can't be read or written.",
		Flags: slices.Concat(
			cli.Group("Options", append(opts.flags("in which each kind gets a file of its own"),
				cli.Text("namespace", &opts.namespace, "Read the objects in the namespace `NAME`, and the Namespace itself."),
				cli.Text("selector", &opts.selector, "Read only objects with these labels, such as `app=web,tier!=cache`."))...),
			cli.Group("Options", opts.variables.flags()...),
			cli.Group("Options", opts.cluster.flags()...)),
		Examples: []cli.Example{
			{Line: "import -namespace=acme -out=. -secret-values=secrets.auto.kpvars.hcl",
				Explanation: "Take over a namespace; then run kplan plan:"},
			{Line: "import -namespace=acme Deployment/web Service/web", Explanation: "Print the configuration for two objects:"},
			{Line: "import -selector=app.kubernetes.io/instance=shop ClusterRole ClusterRoleBinding",
				Explanation: "Cluster-scoped objects, by the label of a Helm release:"},
		},
		Run: func(ctx context.Context, args []string) (cli.ExitCode, hcl.Diagnostics) {
			return exitOK, runImport(ctx, s, opts, args)
		},
	}
}

func runImport(ctx context.Context, s *session, opts importOptions, args []string) hcl.Diagnostics {
	if err := opts.check(); err != nil {
		return usage(err)
	}
	if opts.namespace == "" && len(args) == 0 {
		return usage(&cli.UsageError{Summary: "Nothing to import", Detail: "Name a namespace, kinds, or objects: kplan import -namespace=acme"})
	}
	if _, err := labels.Parse(opts.selector); err != nil {
		return usage(&cli.UsageError{Summary: "Invalid value",
			Detail: fmt.Sprintf("-selector: %v. A selector looks like app=web,tier!=cache", err)})
	}
	cluster, diags := connectToImport(ctx, s, opts)
	if diags.HasErrors() {
		return diags
	}
	query := live.Query{Namespace: opts.namespace, Selector: opts.selector}
	for _, arg := range args {
		if _, err := addrs.ParseInstance(arg); err == nil {
			return usage(&cli.UsageError{Summary: "Address of a block", Detail: fmt.Sprintf("kplan import writes blocks for objects: KIND/NAME. "+
				"To adopt the object of a block that is there, write an import block, or: kplan apply %s", option.Adopt.With(arg))})
		}
		query.Objects = append(query.Objects, withKind(arg))
	}
	found, err := live.Read(ctx, cluster, query)
	if diags := notImported(err); diags.HasErrors() {
		return diags
	}
	s.ui.Report(leftOut(found.Left))
	if len(found.Objects) == 0 {
		where := cluster.Host()
		if opts.namespace != "" {
			where = fmt.Sprintf("the namespace %s of %s", opts.namespace, where)
		}
		return failure("No objects", "There is nothing in %s to write configuration for.", where)
	}
	return opts.deliver(ctx, s, importable(found), nil)
}

// connectToImport connects to the cluster of the configuration, if there is one already.
func connectToImport(ctx context.Context, s *session, opts importOptions) (*kube.Cluster, hcl.Diagnostics) {
	if names, _ := source.ConfigFiles("."); len(names) == 0 {
		return s.connectTo(ctx, &config.Cluster{}, opts.cluster, nil)
	}
	d, diags := s.define(ctx, opts.variables)
	if diags.HasErrors() {
		return nil, diags
	}
	return s.connect(ctx, d, opts.cluster, nil)
}

// withKind spells the kind of an argument as the API does: deploy/web is Deployment/web.
func withKind(arg string) string {
	kind, name, isObject := strings.Cut(arg, "/")
	if !source.IsKindName(kind) {
		kind = config.NearestKind(kind)
	}
	if isObject {
		return kind + "/" + name
	}
	return kind
}

func notImported(err error) hcl.Diagnostics {
	var (
		unknown   *kinds.UnknownError
		ambiguous *kinds.AmbiguousError
		namespace *live.NamespaceError
	)
	switch {
	case errors.As(err, &namespace):
		return failure("Namespace required", "%s. Say in which namespace: kplan import -namespace=NAME %s", capital(err), namespace.Object)
	case errors.As(err, &unknown), errors.As(err, &ambiguous):
		return failure("Unknown kind", "%s.", capital(err))
	}
	return diag.FromKube(err, nil, "")
}

// importable are the objects of a cluster as those that kplan convert is given.
func importable(found *live.Found) *manifests {
	in := &manifests{relative: map[string]string{}}
	for _, o := range found.Objects {
		object := convert.FromJSON(o.Fields)
		object.Import = true
		object.Source.File = strings.ToLower(o.Kind.Name)
		in.relative[object.Source.File] = object.Source.File
		in.objects, in.kinds = append(in.objects, object), append(in.kinds, o.Kind)
	}
	slices.SortFunc(in.kinds, func(a, b *kinds.Kind) int { return strings.Compare(a.GroupKind().String(), b.GroupKind().String()) })
	in.kinds = slices.Compact(in.kinds)
	return in
}

// leftOut tells how many objects were left out, and why.
func leftOut(left []live.Left) hcl.Diagnostics {
	why := map[string][]string{}
	for _, l := range left {
		why[l.Why] = append(why[l.Why], l.What)
	}
	var parts []string
	for _, l := range left {
		if all := why[l.Why]; all != nil {
			parts = append(parts, fmt.Sprintf("%s (%s)", words.Shorten(strings.Join(all, ", "), 200), l.Why))
			delete(why, l.Why)
		}
	}
	if len(parts) == 0 {
		return nil
	}
	return warning("Objects left out", "There is no configuration for "+strings.Join(parts, "; ")+".")
}
