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
	"kplan.dev/kplan/convert/records"
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
	namespace, selector               string
	fromHelm, fromKapp, fromTerraform string
	variables                         variableOptions
	cluster                           clusterOptions
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
			"With -from-helm, -from-kapp and -from-terraform it is what that tool has recorded that it manages. Its record stays as it is: " +
			"once the plan is applied, make the tool forget the objects, as docs/yaml.md explains.\n\n" +
			"The values in Secrets become sensitive variables without a value, as with kplan convert.\n\n" +
			"Exit codes: 0 success; 1 an object can't be read or written.",
		Flags: slices.Concat(
			cli.Group("Options", append(opts.flags("in which each kind gets a file of its own"),
				cli.Text("namespace", &opts.namespace, "Read the objects in the namespace `NAME`, and the Namespace itself."),
				cli.Text("selector", &opts.selector, "Read only objects with these labels, such as `app=web,tier!=cache`."),
				cli.Text("from-helm", &opts.fromHelm, "Read the objects of Helm's `RELEASE` in the namespace of -namespace."),
				cli.Text("from-kapp", &opts.fromKapp, "Read the objects of kapp's `APP`, whose record is in the namespace of -namespace."),
				cli.Text("from-terraform", &opts.fromTerraform, "Read the objects of Kubernetes in a state of Terraform or OpenTofu, a `FILE` "+
					"from terraform state pull or terraform show -json; a dash for standard input."))...),
			cli.Group("Options", opts.variables.flags()...),
			cli.Group("Options", opts.cluster.flags()...)),
		Examples: []cli.Example{
			{Line: "import -namespace=acme -out=. -secret-values=secrets.auto.kpvars.hcl",
				Explanation: "Take over a namespace; then run kplan plan:"},
			{Line: "import -namespace=acme Deployment/web Service/web", Explanation: "Print the configuration for two objects:"},
			{Line: "import -selector=app.kubernetes.io/instance=shop ClusterRole ClusterRoleBinding",
				Explanation: "Cluster-scoped objects, by a label:"},
			{Line: "import -from-helm=shop -namespace=shop -out=.", Explanation: "Take over what Helm has installed:"},
			{Line: "import -from-terraform=state.json -out=.", Explanation: "The same of Terraform, after terraform state pull > state.json:"},
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
	if err := opts.checkQuery(args); err != nil {
		return usage(err)
	}
	cluster, diags := connectToImport(ctx, s, opts)
	if diags.HasErrors() {
		return diags
	}
	query, diags := opts.query(ctx, s, cluster, args)
	if diags.HasErrors() {
		return diags
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

// checkQuery refuses options that don't say what to read, or say it twice.
func (o *importOptions) checkQuery(args []string) error {
	tools := 0
	for _, tool := range []string{o.fromHelm, o.fromKapp, o.fromTerraform} {
		if tool != "" {
			tools++
		}
	}
	switch {
	case tools > 1:
		return invalidCombination("-from-helm, -from-kapp and -from-terraform each say what to read: give one of them.")
	case tools == 1 && (len(args) > 0 || o.selector != ""):
		return invalidCombination("What is read is in the record of the tool: kinds, objects and -selector say it, too.")
	case o.fromTerraform != "" && o.namespace != "":
		return invalidCombination("The state of Terraform has the namespaces: leave out -namespace.")
	case tools == 1 && o.fromTerraform == "" && o.namespace == "":
		return &cli.UsageError{Summary: "Namespace required", Detail: "Say in which namespace the record is: -namespace=NAME"}
	case tools == 0 && o.namespace == "" && len(args) == 0:
		return &cli.UsageError{Summary: "Nothing to import", Detail: "Name a namespace, kinds, or objects: kplan import -namespace=acme"}
	}
	if _, err := labels.Parse(o.selector); err != nil {
		return &cli.UsageError{Summary: "Invalid value", Detail: fmt.Sprintf("-selector: %v. A selector looks like app=web,tier!=cache", err)}
	}
	for _, arg := range args {
		if _, err := addrs.ParseInstance(arg); err == nil {
			return &cli.UsageError{Summary: "Address of a block", Detail: fmt.Sprintf("kplan import writes blocks for objects: KIND/NAME. "+
				"To adopt the object of a block that is there, write an import block, or: kplan apply %s", option.Adopt.With(arg))}
		}
	}
	return nil
}

// query is what to read of the cluster.
func (o *importOptions) query(ctx context.Context, s *session, cluster *kube.Cluster, args []string) (q live.Query, diags hcl.Diagnostics) {
	var err error
	switch {
	case o.fromHelm != "":
		q.Only, err = records.Helm(ctx, cluster, o.namespace, o.fromHelm)
	case o.fromKapp != "":
		q.Only, err = records.Kapp(ctx, cluster, o.namespace, o.fromKapp)
	case o.fromTerraform != "":
		return terraformQuery(ctx, s, o.fromTerraform)
	default:
		q.Namespace, q.Selector = o.namespace, o.selector
		for _, arg := range args {
			q.Objects = append(q.Objects, withKind(arg))
		}
	}
	return q, notImported(err)
}

func terraformQuery(ctx context.Context, s *session, path string) (q live.Query, diags hcl.Diagnostics) {
	if path == "-" {
		path = fromStdin
	}
	text, err := readInput(ctx, s, path)
	if err != nil {
		return q, notRead(ctx, "the state of Terraform", path, err, " To write one: terraform state pull > FILE")
	}
	if q.Only, err = records.Terraform(text); err != nil {
		return q, failure("Invalid state of Terraform", "%s: %v.", path, err)
	}
	return q, nil
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
		none      *records.NotFoundError
		invalid   *records.InvalidError
	)
	switch {
	case errors.As(err, &none):
		return failure(capital(fmt.Errorf("%s not found", none.What)), "%s.", capital(err))
	case errors.As(err, &invalid):
		return failure("Invalid record", "%s.", capital(err))
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
