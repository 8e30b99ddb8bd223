package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/internal/files"
	"kplan.dev/kplan/plan"
)

// selection is which objects a plan is about, and what it may do to some.
type selection struct {
	destroy, refreshOnly                             bool
	targets, excludes, replace, adopt, allowDataLoss addresses
	forceConflicts                                   addresses
	drift                                            driftOption
	allUnmanaged                                     bool
	targetFiles, excludeFiles                        cli.List                     // of which read takes more targets and excludes
	written                                          map[addrs.Instance]hcl.Range // by an address in such a file, its position
}

// limitFlags are those that a plan to destroy takes as well.
func (o *selection) limitFlags() []cli.Flag {
	return []cli.Flag{
		cli.Value("target", &o.targets, "Plan only the object at `ADDRESS` and its dependencies or, where it is to be deleted, "+
			"its dependents. May be repeated."),
		cli.Value("exclude", &o.excludes, "Leave out the object at `ADDRESS` and its dependents or, when all is destroyed, "+
			"its dependencies. May be repeated."),
		cli.Value("target-file", &o.targetFiles, "Like -target for each address in `FILE`, one per line. Lines that begin with # are comments. "+
			"May be repeated."),
		cli.Value("exclude-file", &o.excludeFiles, "Like -exclude for each address in `FILE`. May be repeated."),
		cli.Value("allow-data-loss", &o.allowDataLoss,
			"Let the deletion of the object at `ADDRESS` cascade to unmanaged objects. May be repeated."),
	}
}

func (o *selection) flags() []cli.Flag {
	return append([]cli.Flag{
		cli.On("destroy", &o.destroy, "Plan the deletion of every object in the state."),
		cli.On("refresh-only", &o.refreshOnly, "Show what was changed outside kplan since the last apply, without changing the cluster. "+
			"To apply such a plan acknowledges the changes."),
		cli.On("all-unmanaged", &o.allUnmanaged, "Where fields are listed that others have set, list those of the "+
			"cluster's own controllers, too."),
		cli.Value("replace", &o.replace, "Replace the object at `ADDRESS`. May be repeated."),
		cli.Value("adopt", &o.adopt, "Adopt the existing object that the resource at `ADDRESS` names. May be repeated."),
		cli.Value("force-conflicts", &o.forceConflicts,
			"Take the fields that other managers own in the object at `ADDRESS` and that the configuration sets. May be repeated."),
		cli.Value("drift", &o.drift, "What to do about applied fields that others have changed. `MODE` revert "+
			"(the default) puts them back, refuse stops the plan."),
	}, o.limitFlags()...)
}

func (o *selection) mode() plan.Mode {
	switch {
	case o.destroy:
		return plan.Destroy
	case o.refreshOnly:
		return plan.RefreshOnly
	}
	return plan.Normal
}

// check refuses options that contradict one another.
func (o *selection) check() error {
	switch {
	case len(o.targets)+len(o.targetFiles) > 0 && len(o.excludes)+len(o.excludeFiles) > 0:
		return invalidCombination("-target and -exclude, or their files, can't be used together: one says what to plan, the other what not to.")
	case o.destroy && o.refreshOnly:
		return &cli.UsageError{Summary: "Incompatible plan mode options",
			Detail: "-destroy deletes all objects and -refresh-only changes none: give one of them."}
	case (o.destroy || o.refreshOnly) && len(o.replace)+len(o.adopt)+len(o.forceConflicts) > 0 || o.refreshOnly && o.drift != "":
		return &cli.UsageError{Summary: "Incompatible plan mode options",
			Detail: "-replace, -adopt, -force-conflicts and -drift are for a plan that changes objects, not for -destroy or -refresh-only."}
	case o.refreshOnly && len(o.allowDataLoss) > 0:
		return &cli.UsageError{Summary: "Incompatible plan mode options",
			Detail: "-refresh-only deletes nothing, so -allow-data-loss has nothing to allow."}
	}
	return nil
}

// isGiven reports whether any of the options is.
func (o *selection) isGiven() bool {
	return o.destroy || o.refreshOnly || len(o.targetFiles)+len(o.excludeFiles) > 0 ||
		len(o.targets)+len(o.excludes)+len(o.replace)+len(o.adopt)+len(o.allowDataLoss)+len(o.forceConflicts) > 0 || o.drift != ""
}

// selected is the selection that a saved plan was made with, to plan again. The
// data loss that it allowed is allowed again; that nothing else is lost is
// verified.
func selected(p *plan.Plan) selection {
	return selection{
		destroy:       p.Mode == plan.Destroy,
		refreshOnly:   p.Mode == plan.RefreshOnly,
		targets:       p.Targets,
		excludes:      p.Excludes,
		replace:       p.Replace,
		adopt:         p.Adopt,
		allowDataLoss: p.AllowDataLoss,

		forceConflicts: p.ForceConflicts,
		drift:          driftOf(p),
	}
}

// driftOption is what becomes of drift: "", "revert" or "refuse".
type driftOption string

const refuseDrift driftOption = "refuse"

func (o *driftOption) Set(text string) error {
	if text != "revert" && text != string(refuseDrift) {
		return fmt.Errorf("%q is neither revert nor refuse", text)
	}
	*o = driftOption(text)
	return nil
}

func (o *driftOption) String() string { return string(*o) }

func driftOf(p *plan.Plan) driftOption {
	if p.RefuseDrift {
		return refuseDrift
	}
	return ""
}

// addresses are those that a repeated flag names.
type addresses []addrs.Instance

func (a *addresses) Set(text string) error {
	addr, err := addrs.ParseSelection(text)
	if err != nil {
		return err
	}
	*a = append(*a, addr)
	return nil
}

func (a *addresses) String() string { return strings.Join(texts(*a), ", ") }

// longestFile is how many bytes a file of addresses may have.
const longestFile = 4 << 20

// read takes the addresses from the files that -target-file and -exclude-file
// name. What is wrong with them can be reported with their text.
func (o *selection) read(ctx context.Context, lists map[string]*hcl.File) hcl.Diagnostics {
	var diags hcl.Diagnostics
	o.written = map[addrs.Instance]hcl.Range{}
	for _, path := range o.targetFiles {
		found, more := readAddresses(ctx, path, lists, o.written)
		if len(found) == 0 && !more.HasErrors() {
			more = append(more, noAddresses(hcl.DiagError, path, "-target-file would select nothing. To plan everything, leave it out."))
		}
		o.targets, diags = append(o.targets, found...), append(diags, more...)
	}
	for _, path := range o.excludeFiles {
		found, more := readAddresses(ctx, path, lists, o.written)
		if len(found) == 0 && !more.HasErrors() {
			more = append(more, noAddresses(hcl.DiagWarning, path, "-exclude-file leaves nothing out."))
		}
		o.excludes, diags = append(o.excludes, found...), append(diags, more...)
	}
	return diags
}

func noAddresses(severity hcl.DiagnosticSeverity, path, meaning string) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: severity, Summary: "No addresses in the file",
		Detail: fmt.Sprintf("%s has no address: %s", path, meaning)}
}

// readAddresses reads a file of one address a line, in which a line that begins
// with # is a comment, and records the position of each.
func readAddresses(
	ctx context.Context, path string, lists map[string]*hcl.File, written map[addrs.Instance]hcl.Range,
) (addresses, hcl.Diagnostics) {
	refused := func(why string) hcl.Diagnostics {
		return failure("Can't read file of addresses", "%s can't be read: %s.", path, why)
	}
	for _, ending := range []string{".hcl", ".json"} {
		if strings.HasSuffix(path, ending) {
			return nil, refused("a file of addresses is plain text with one address per line, and its name does not end with " + ending)
		}
	}
	src, err := readFile(ctx, path)
	switch {
	case ctx.Err() != nil:
		return nil, interruptedAt(path)
	case err != nil:
		return nil, refused(files.Reason(err).Error())
	case len(src) > longestFile:
		return nil, refused("it is larger than 4 MiB")
	}
	lists[path] = &hcl.File{Bytes: src}
	return parseAddresses(string(src), path, written)
}

// readFile reads a file that an option names, up to a byte more than it may have.
func readFile(ctx context.Context, path string) ([]byte, error) {
	file, err := files.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, longestFile+1))
}

func parseAddresses(src, path string, written map[addrs.Instance]hcl.Range) (addresses, hcl.Diagnostics) {
	var (
		found addresses
		diags hcl.Diagnostics
		start int
	)
	for number, line := range strings.Split(src, "\n") {
		text := strings.TrimSpace(strings.TrimPrefix(line, "\ufeff"))
		column := strings.Index(line, text)
		at := hcl.Range{
			Filename: path,
			Start:    hcl.Pos{Line: number + 1, Column: column + 1, Byte: start + column},
			End:      hcl.Pos{Line: number + 1, Column: column + 1 + len(text), Byte: start + column + len(text)},
		}
		start += len(line) + 1
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		addr, err := addrs.ParseSelection(text)
		if err != nil {
			diags = append(diags, notAnAddress(text, err, at))
			continue
		}
		found, written[addr] = append(found, addr), at
	}
	return found, diags
}

// notAnAddress explains what is wrong with a line. One that looks like a setting may
// hold a password: the wrong file was named, and nothing of it is shown.
func notAnAddress(text string, err error, at hcl.Range) *hcl.Diagnostic {
	d := &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Invalid address in file", Detail: capital(err) + ".", Subject: &at}
	before, _, comment := strings.Cut(text, " #")
	switch {
	case strings.ContainsAny(text, "=:"):
		d.Subject = nil
		d.Detail = fmt.Sprintf("Line %d of %s is not an address. "+
			"A file of addresses has one per line, such as Pod.web, and comments that begin with #. "+
			"The line is not shown, because it may be a setting.", at.Start.Line, at.Filename)
	case comment:
		if addr, err := addrs.ParseInstance(strings.TrimSpace(before)); err == nil {
			d.Detail = fmt.Sprintf("A comment needs a line of its own: nothing can follow the address %s.", addr)
		}
	}
	return d
}
