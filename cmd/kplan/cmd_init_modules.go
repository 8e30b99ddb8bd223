package main

import (
	"context"
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/modules"
	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/internal/render"
)

// moduleOptions are how kplan init treats the modules.
type moduleOptions struct {
	upgrade  bool
	lockFile string
}

func (o *moduleOptions) flags() []cli.Flag {
	return []cli.Flag{
		cli.On("upgrade", &o.upgrade, "Take the newest version of each module that the configuration allows, not the one in the lock file."),
		cli.Text("lockfile", &o.lockFile, "What becomes of the lock file of the modules. `MODE` readonly: fail if it would change; "+
			"that is the default where the variable CI is set. update: change it."),
	}
}

// mode is what becomes of the lock file. A pipeline changes it only if it says so.
func (o *moduleOptions) mode(s *session) string {
	if ci := s.env("CI"); o.lockFile == "" && !o.upgrade && ci != "" && ci != "0" && ci != "false" {
		return "readonly"
	}
	return o.lockFile
}

func (o *moduleOptions) resolver(s *session) (modules.Options, hcl.Diagnostics) {
	options := modules.Options{LockMode: modules.Update, Upgrade: o.upgrade}
	switch mode := o.mode(s); {
	case mode == "", mode == "update":
	case mode != "readonly":
		return options, usage(invalidCombination(fmt.Sprintf("-lockfile has the value readonly or update, and not %q.", mode)))
	case o.upgrade:
		return options, usage(invalidCombination("-upgrade changes the lock file, and -lockfile=readonly does not: give one of them."))
	default:
		options.LockMode = modules.ReadOnly
	}
	return options, nil
}

// fetchModules reads the configuration and fetches its modules, and writes the lock file.
func fetchModules(ctx context.Context, s *session, opts moduleOptions) (c *config.Config, hasModules bool, diags hcl.Diagnostics) {
	options, diags := opts.resolver(s)
	if diags.HasErrors() {
		return nil, false, diags
	}
	options.Fetching = func(module string) { fmt.Fprintf(s.ui.Out, "Fetching %s\n", render.Clean(module)) }
	r, diags := modules.Open(".", options)
	if diags.HasErrors() {
		return nil, false, diags
	}
	c, diags = loadBy(s, func() (*config.Config, hcl.Diagnostics) { return modules.LoadWith(ctx, ".", r) })
	if diags.HasErrors() {
		return c, false, diags
	}
	changes, more := r.Save()
	if more.HasErrors() && options.LockMode == modules.ReadOnly && opts.lockFile == "" {
		more[0].Detail += " The variable CI is set, so -lockfile=readonly is the default; to change the file here, add -lockfile=update."
	}
	if len(changes) > 0 {
		fmt.Fprintf(s.ui.Out, "Changed %s, which belongs into version control:\n", modules.LockFile)
		for _, change := range changes {
			fmt.Fprintln(s.ui.Out, "  "+render.Clean(change.String()))
		}
		fmt.Fprintln(s.ui.Out)
	}
	return c, r.HasModules(), append(diags, more...)
}
