package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/modules"
	"kplan.dev/kplan/hclspec/modules/oci"
	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/internal/words"
)

type pushOptions struct{ version, source, revision string }

func modulePushCommand(s *session) *cli.Command {
	var opts pushOptions
	return &cli.Command{
		Name: "push", Args: "oci://REGISTRY/REPOSITORY [DIR]", MinArgs: 1, MaxArgs: 2,
		Summary: "Publish a module in an OCI registry",
		About: "Packs a directory, the current one by default, and publishes it under a version. The same files always make the same " +
			"package. Hidden files are left out, except for the lock file. What is published never changes: a version that the registry has with " +
			"other files is an error, and one with the same files is left as it is.\n\n" +
			"The credentials are those of docker login.",
		Flags: cli.Group("Options",
			cli.Text("version", &opts.version, "The version, `X.Y.Z`. Required."),
			cli.Text("source", &opts.source, "Record the `URL` of the source code."),
			cli.Text("revision", &opts.revision, "Record the `REVISION` of the source code, such as a commit."),
		),
		Examples: []cli.Example{
			{Line: "module push oci://registry.example/platform/app -version=1.4.2", Explanation: "Publish the current directory:"},
			{Line: "module push oci://registry.example/platform/app modules/app -version=1.5.0-rc.1 -revision=4f2a9c1d",
				Explanation: "Publish a pre-release of another one, with the commit that it is from:"},
		},
		Run: func(ctx context.Context, args []string) (cli.ExitCode, hcl.Diagnostics) {
			return exitOK, runModulePush(ctx, s, opts, args)
		},
	}
}

func runModulePush(ctx context.Context, s *session, opts pushOptions, args []string) hcl.Diagnostics {
	dir := "."
	if len(args) > 1 {
		dir = args[1]
	}
	to, version, diags := opts.target(args[0])
	if diags.HasErrors() {
		return diags
	}
	if diags := s.ui.Errors(checkModule(ctx, s, dir)); diags.HasErrors() {
		return diags
	}
	packed, err := modules.Pack(dir)
	if err != nil {
		return failure("Can't pack the module", "%s: %v.", dir, err)
	}
	annotations, err := opts.annotations(version, packed)
	if err != nil {
		return failure("Can't pack the module", "%s.", capital(err))
	}
	done, err := modules.Publish(ctx, to, version, packed, annotations, oci.Options{UserAgent: "kplan/" + versionText()})
	if err != nil {
		return failure("Can't publish the module", "%s: %v.", to, err)
	}
	if done.Existed {
		fmt.Fprintf(s.ui.Out, "%s has version %s with the same files already: nothing was sent.\n", to, version)
		return nil
	}
	fmt.Fprintf(s.ui.Out, "Published version %s of %s, with %s.\n  digest  %s\n  hash    %s\n", version, to, words.Count(packed.Files, "file"),
		done.Digest, packed.Hash)
	return nil
}

// target is where a module is published, and under which version.
func (o *pushOptions) target(text string) (to modules.Source, v modules.Version, diags hcl.Diagnostics) {
	to, err := modules.ParseSource(text)
	if err != nil || to.Kind != modules.OCI || to.Sub != "" {
		return to, v, failure("Invalid place for a module", "%q is no place to publish a module. One is written oci://REGISTRY/REPOSITORY.", text)
	}
	if o.version == "" {
		return to, v, failure("Version missing", "A module is published under a version: -version=1.4.2")
	}
	if v, err = modules.ParseVersion(o.version); err != nil {
		return to, v, failure("Invalid version of a module", "%s.", capital(err))
	}
	return to, v, nil
}

// checkModule reports what is wrong with the definition in a directory. What it calls is not fetched.
func checkModule(ctx context.Context, s *session, dir string) hcl.Diagnostics {
	c, _ := config.Load(ctx, dir)
	_, diags := c.LoadDefinition(ctx, dir, dir)
	s.quoted.config = c
	return diags
}

// annotations are those of the OCI image specification.
func (o *pushOptions) annotations(v modules.Version, p *modules.Package) (map[string]string, error) {
	created := time.Now()
	if epoch := os.Getenv("SOURCE_DATE_EPOCH"); epoch != "" {
		seconds, err := strconv.ParseInt(epoch, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("SOURCE_DATE_EPOCH is a number of seconds, and not %q", epoch)
		}
		created = time.Unix(seconds, 0)
	}
	all := map[string]string{
		"org.opencontainers.image.created": created.UTC().Format(time.RFC3339),
		"org.opencontainers.image.version": v.String(),
		"dev.kplan.module.hash":            p.Hash,
	}
	for name, value := range map[string]string{"source": o.source, "revision": o.revision} {
		if value != "" {
			all["org.opencontainers.image."+name] = value
		}
	}
	return all, nil
}
