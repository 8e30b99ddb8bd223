package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/convert"
	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/internal/files"
	"kplan.dev/kplan/internal/render"
	"kplan.dev/kplan/internal/words"
)

type convertOptions struct {
	out          string
	overwrite    bool
	recursive    bool
	secrets      secretsOption
	secretValues string
	duringPlan   bool // standard output is the plan's
}

// secretsOption is what becomes of the values in Secrets: "" and "variables", or "inline".
type secretsOption string

const inlineSecrets secretsOption = "inline"

func (o *secretsOption) Set(text string) error {
	if text != "variables" && text != string(inlineSecrets) {
		return fmt.Errorf("%q is neither variables nor inline", text)
	}
	*o = secretsOption(text)
	return nil
}

func (o *secretsOption) String() string { return string(*o) }

func convertCommand(s *session) *cli.Command {
	var opts convertOptions
	return &cli.Command{
		Name: "convert", Args: "FILE|DIR|-...", MinArgs: 1, MaxArgs: -1,
		Summary: "Write YAML manifests as configuration",
		About: "Writes the objects of YAML or JSON manifests as resource blocks, on standard output. A directory stands for its files " +
			"*.yaml, *.yml and *.json, a single dash for standard input. Nothing is asked of a cluster.\n\n" +
			"Comments stay. What only the server writes is left out, such as status, uid and managedFields; of objects that were read " +
			"from a cluster also the defaults that it fills in. A name becomes a reference where the object that it names is converted, too.\n\n" +
			"The values in Secrets become sensitive variables without a value, so that they don't get into a repository with the " +
			"configuration. -secret-values writes them to a file of variables.\n\n" +
			"The result is valid and formatted. Mistakes in the manifests that kplan validate would find are reported with their lines, and " +
			"then nothing is written.\n\n" +
			"Exit codes: 0 success; 1 a manifest can't be read or is not valid.",
		Flags: cli.Group("Options", append(opts.flags("in which each manifest gets a file of its own"),
			cli.On("recursive", &opts.recursive, "Read the files of subdirectories, too."))...),
		Examples: []cli.Example{
			{Line: "convert deploy/", Explanation: "Print the configuration for the manifests in a directory:"},
			{Line: "convert -recursive -out=. -secret-values=secrets.auto.kpvars.hcl ../deploy", Explanation: "Begin a configuration with them:"},
			{Line: "convert -", Explanation: "Convert what kustomize or Helm builds: kubectl kustomize DIR | kplan convert -, " +
				"helm template NAME CHART | kplan convert -"},
		},
		Run: func(ctx context.Context, args []string) (cli.ExitCode, hcl.Diagnostics) {
			return exitOK, runConvert(ctx, s, opts, args)
		},
	}
}

// flags are those about what is written; files says of a directory which files it gets.
func (o *convertOptions) flags(files string) []cli.Flag {
	return []cli.Flag{
		cli.Text("out", &o.out, "Write to `PATH` instead: a file named *.kplan.hcl, or a directory, "+files+
			". Definitions of custom kinds stay YAML, in a directory crds beside it."),
		cli.On("overwrite", &o.overwrite, "Replace files that exist. Otherwise they are an error, and nothing is written."),
		cli.Value("secrets", &o.secrets, "What to do with the values in Secrets. `MODE` variables (the default) makes them sensitive "+
			"variables, inline writes them into the configuration, where everyone can read them who can read that."),
		cli.Text("secret-values", &o.secretValues, "Write their values to `FILE`, which only its owner can read, for -var-file. "+
			"A file named *.auto.kpvars.hcl is read without that."),
	}
}

func runConvert(ctx context.Context, s *session, opts convertOptions, targets []string) hcl.Diagnostics {
	if err := opts.check(); err != nil {
		return usage(err)
	}
	in, diags := readManifests(ctx, s, targets, opts.recursive)
	if ctx.Err() != nil || len(in.objects) == 0 && diags.HasErrors() {
		return diags
	}
	if len(in.objects) == 0 {
		return failure("No objects", "There are no objects in what was given.")
	}
	return opts.deliver(ctx, s, in, diags)
}

// deliver writes the configuration of objects, unless something is wrong with it or with the objects.
func (o *convertOptions) deliver(ctx context.Context, s *session, in *manifests, diags hcl.Diagnostics) hcl.Diagnostics {
	c, err := files.Await(ctx, func() (conversion, error) { return o.convert(ctx, in), nil })
	if err != nil {
		return interruptedAt("the conversion")
	}
	written := c.files
	if diags = append(diags, c.diags...); diags.HasErrors() {
		return underlined(diags, s.quoted.lists)
	}
	if o.out == "" {
		_, err := s.ui.Out.Write(written[0].text)
		if diags := notWritten(s.ui.Wrote(err)); diags.HasErrors() {
			return diags
		}
		written = written[:0]
	}
	if o.secretValues != "" && len(c.Variables) > 0 {
		written = append(written, outputFile{path: o.secretValues, text: c.Values(), secret: true})
	}
	if diags := o.write(s, written); diags.HasErrors() {
		return diags
	}
	s.ui.Report(o.aboutSecrets(c.Configuration))
	return nil
}

// conversion is the result: what is to be written, and what is wrong with it.
type conversion struct {
	*convert.Configuration
	files []outputFile
	diags hcl.Diagnostics
}

func (o *convertOptions) convert(ctx context.Context, in *manifests) conversion {
	c, diags := convert.New(in.objects, convert.Options{SecretVariables: o.secrets != inlineSecrets, Files: o.out != "", Kinds: in.kinds})
	written := o.files(in, c)
	return conversion{c, written, append(diags, in.check(ctx, written)...)}
}

// check refuses options that contradict one another.
func (o *convertOptions) check() error {
	switch {
	case o.secrets == inlineSecrets && o.secretValues != "":
		return invalidCombination("-secrets=inline leaves no values for -secret-values: give one of them.")
	case o.secretValues != "" && !strings.HasSuffix(o.secretValues, ".kpvars.hcl"):
		return &cli.UsageError{Summary: "Invalid value",
			Detail: "The file of -secret-values is named *.kpvars.hcl, or *.auto.kpvars.hcl to be read by itself."}
	}
	return nil
}

// isDirectory reports whether -out names a directory.
func (o *convertOptions) isDirectory() bool { return !strings.HasSuffix(o.out, ".kplan.hcl") }

// outputFile is a file that is written. converted is nil for one that is no configuration.
type outputFile struct {
	path      string // as it is written
	name      string // in the configuration's directory
	text      []byte
	converted *convert.File
	secret    bool
}

// files are the files to be written, relative to the directory of the configuration.
func (o *convertOptions) files(in *manifests, c *convert.Configuration) []outputFile {
	directory, converted := filepath.Dir(o.out), []*convert.File{c.Whole()}
	if o.out != "" && o.isDirectory() {
		directory, converted = o.out, c.Files(func(file string) string { return in.relative[file] })
	} else {
		converted[0].Name = "main.kplan.hcl"
		if o.out != "" {
			converted[0].Name = filepath.Base(o.out)
		}
	}
	var written []outputFile
	for _, f := range converted {
		written = append(written, outputFile{path: filepath.Join(directory, f.Name), name: f.Name, text: f.Text, converted: f})
	}
	for _, b := range c.Blocks {
		if b.Manifest != "" {
			written = append(written, outputFile{path: filepath.Join(directory, b.Manifest), name: b.Manifest, text: b.ManifestText})
		}
	}
	return written
}

// write writes files, all or none as far as that can be known before.
func (o *convertOptions) write(s *session, written []outputFile) hcl.Diagnostics {
	for _, f := range written {
		_, err := os.Lstat(f.path)
		if err == nil && !o.overwrite {
			return failure("File exists", "%s exists, and nothing was written. To replace it: -overwrite", f.path)
		}
	}
	for _, f := range written {
		mode := fs.FileMode(0o644)
		if f.secret {
			mode = 0o600
		}
		err := os.MkdirAll(filepath.Dir(f.path), 0o777)
		if err == nil {
			err = files.Replace(f.path, f.text, mode)
		}
		if err != nil {
			return failure("Can't write file", "%s: %v.", f.path, files.Reason(err))
		}
		switch {
		case o.duringPlan:
			fmt.Fprintf(s.ui.Err, "Wrote %s\n", render.Clean(f.path))
		case o.out != "":
			fmt.Fprintln(s.ui.Out, render.Clean(f.path))
		}
	}
	return nil
}

// aboutSecrets warns of secrets in the clear, and explains how to give those that became variables.
func (o *convertOptions) aboutSecrets(c *convert.Configuration) hcl.Diagnostics {
	switch {
	case o.secrets == inlineSecrets:
		if slices.ContainsFunc(c.Blocks, func(b *convert.Block) bool { return b.HasSecrets }) {
			return warning("Secrets in the configuration", "The configuration has the values of Secrets in the clear. Keep it where only "+
				"those can read it who may know them, or convert with -secrets=variables.")
		}
	case len(c.Variables) > 0 && o.secretValues == "":
		names := make([]string, len(c.Variables))
		for i, v := range c.Variables {
			names[i] = v.Name
		}
		return warning("Secrets became variables", fmt.Sprintf("The values of Secrets are not in the configuration: it has %s without a "+
			"value, %s. Give each as KPLAN_VAR_name in the environment, or have all written to a file of variables, which does not belong "+
			"into a repository: -secret-values=FILE", words.Count(len(names), "sensitive variable"), words.Shorten(strings.Join(names, ", "), 300)))
	}
	return nil
}
