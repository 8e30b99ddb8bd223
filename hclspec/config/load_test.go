package config

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/hclspec/spectest"
)

// loadText loads a configuration of one file that nothing is wrong with.
func loadText(t testing.TB, name, text string) *Config {
	t.Helper()
	config, diags := Load(context.Background(), spectest.WriteFiles(t, map[string]string{name: text}))
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	return config
}

// texts are diagnostics as lines, without the directory.
func texts(diags hcl.Diagnostics, dir string) []string {
	var lines []string
	for _, d := range diags {
		at := ""
		if d.Subject != nil {
			at = d.Subject.String() + ": "
		}
		lines = append(lines, strings.ReplaceAll(at+spectest.Text(d), dir+string(filepath.Separator), ""))
	}
	return lines
}

// summary is a Config without positions and expressions, to be compared.
func summary(c *Config) string {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	say("version %q cluster %t backend %q", c.Settings.RequiredVersion, c.Settings.Cluster != nil, c.Settings.Backend.Labels)
	for _, v := range c.Variables {
		say("variable %s: %s %q default %#v optional %t nullable %t sensitive %t validations %d",
			v.Name, typeName(v.Type), v.Description, v.Default, v.Optional != nil, v.Nullable, v.Sensitive, len(v.Validations))
	}
	for _, l := range c.Locals {
		say("local %s", l.Name)
	}
	for _, o := range c.Outputs {
		say("output %s: %q sensitive %t depends on %s preconditions %d", o.Name, o.Description, o.Sensitive,
			references(o.DependsOn), len(o.Preconditions))
	}
	for _, r := range c.Resources {
		say("resource %s: for_each %t count %t depends on %s", r.Addr, r.ForEach != nil, r.Count != nil, references(r.DependsOn))
		say("  prevent_destroy %t ignore %s force %s replace %s", r.Lifecycle.PreventDestroy, r.Lifecycle.IgnoreChanges,
			r.Lifecycle.ForceConflicts, r.Lifecycle.ReplaceOn)
		say("  wait enabled %t timeout %s", r.Wait.Enabled == nil || *r.Wait.Enabled, r.Wait.Timeout)
	}
	return b.String()
}

func references(refs []Reference) []addrs.Resource {
	var out []addrs.Resource
	for _, r := range refs {
		out = append(out, r.Resource)
	}
	return out
}

func TestLoadEveryBlock(t *testing.T) {
	native := loadText(t, "main.kplan.hcl", spectest.WholeNative)
	want := `version ">= 0.1" cluster true backend ["local"]
variable app: object({name=string,size=number}) "The app." default cty.ObjectVal(map[string]cty.Value{"name":cty.StringVal("web"), "size":cty.NumberIntVal(3)}) optional true nullable false sensitive true validations 1
local b
local a
output url: "Where." sensitive true depends on [Pod.web] preconditions 1
resource Pod.web: for_each true count false depends on [Namespace.tenant Pod.other]
  prevent_destroy true ignore [spec.replicas spec.containers[0].image metadata.annotations["a.b/c"] spec.ports[port=80]] force [data] replace [metadata.labels.app]
  wait enabled false timeout 1m30s
resource Pod.other: for_each false count true depends on []
  prevent_destroy false ignore [] force [] replace []
  wait enabled true timeout 0s
`
	if diff := cmp.Diff(want, summary(native)); diff != "" {
		t.Errorf("native syntax (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, summary(loadText(t, "main.kplan.json", spectest.WholeJSON))); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
}

func TestLoadBodyIsTheManifest(t *testing.T) {
	for name, text := range map[string]string{"main.kplan.hcl": spectest.WholeNative, "main.kplan.json": spectest.WholeJSON} {
		body := loadText(t, name, text).Resources[0].Body
		content, diags := body.Content(&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "metadata"}}})
		if diags.HasErrors() || len(content.Blocks) != 1 {
			t.Errorf("%s: the body holds %d blocks of metadata, %v", name, len(content.Blocks), diags)
		}
	}
}

func TestLoadFilesInOrderOfNames(t *testing.T) {
	dir := spectest.WriteFiles(t, map[string]string{
		"b.kplan.hcl":       `variable "b" {}`,
		"a.kplan.json":      `{"variable": {"a": {}}}`,
		"c.kplan.hcl":       "variable \"c2\" {}\nvariable \"c1\" {}\n",
		".hidden.kplan.hcl": "broken",
		"x.kplan.hcl~":      "broken",
		"#x.kplan.hcl#":     "broken",
		"below/d.kplan.hcl": "broken",
		"main.tf":           "broken",
		"kplan.hcl":         "broken",
		"x.kpvars.hcl":      "broken",
		"dir.kplan.hcl/x":   "broken",
	})
	config, diags := Load(context.Background(), dir)
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	var names []string
	for _, v := range config.Variables {
		names = append(names, v.Name)
	}
	if diff := cmp.Diff([]string{"a", "b", "c2", "c1"}, names); diff != "" {
		t.Error(diff)
	}
	if config.Files[filepath.Join(dir, "b.kplan.hcl")] == nil || len(config.Files) != 3 {
		t.Errorf("files: %v", config.Files)
	}
}

func TestLoadNamesFilesAsTheUserDoes(t *testing.T) {
	dir := spectest.WriteFiles(t, map[string]string{"main.kplan.hcl": "x = 1\n", "deploy/main.kplan.hcl": "x = 1\n"})
	t.Chdir(dir)
	for given, want := range map[string]string{
		".": "main.kplan.hcl", "": "main.kplan.hcl", "./": "main.kplan.hcl",
		"deploy": "deploy/main.kplan.hcl", "./deploy/": "deploy/main.kplan.hcl", "deploy/..": "main.kplan.hcl",
	} {
		_, diags := Load(context.Background(), given)
		if len(diags) != 1 || diags[0].Subject == nil || diags[0].Subject.Filename != want {
			t.Errorf("Load(%q) = %v, want a problem in %s", given, diags, want)
		}
	}
}

func TestLoadWithoutConfiguration(t *testing.T) {
	tests := []struct {
		files map[string]string
		want  string
	}{
		{nil, "The current directory has no files named *.kplan.hcl or *.kplan.json; directories below it are not read."},
		{map[string]string{"below/main.kplan.hcl": ""},
			"The current directory has no files named *.kplan.hcl or *.kplan.json; directories below it are not read."},
		{map[string]string{"main.tf": ""}, "The current directory has no files named *.kplan.hcl or *.kplan.json; " +
			"directories below it are not read. There is main.tf: kplan does not read Terraform's files; its own language is " +
			"much like theirs."},
		{map[string]string{"pod.yaml": "", "a.yml": ""},
			`The current directory has no files named *.kplan.hcl or *.kplan.json; directories below it are not read. There is ` +
				`a.yml. To write it as configuration: kplan convert a.yml. To use it as it is, in a file main.kplan.hcl: ` +
				`manifests "all" { objects = yamldecodeall(file("a.yml")) }`},
		{map[string]string{"main.hcl": ""}, "The current directory has no files named *.kplan.hcl or *.kplan.json; " +
			"directories below it are not read. There is main.hcl: kplan reads it once it is named like main.kplan.hcl."},
	}
	for _, test := range tests {
		t.Chdir(spectest.WriteFiles(t, test.files))
		config, diags := Load(context.Background(), ".")
		if config == nil {
			t.Error("Load returned no Config")
		}
		if diff := cmp.Diff([]string{"No configuration files: " + test.want}, texts(diags, "")); diff != "" {
			t.Error(diff)
		}
	}
	_, diags := Load(context.Background(), "nowhere")
	if diff := cmp.Diff([]string{"No configuration files: The directory nowhere does not exist."}, texts(diags, "")); diff != "" {
		t.Error(diff)
	}
}

// A file that can't be read must not look as if it were not there: everything
// it declares would be deleted.
func TestLoadFilesThatCannotBeRead(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(outside, []byte("variable \"x\" {}"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		make func(path string) error
		want string
	}{
		{"a link out", func(path string) error { return os.Symlink(outside, path) },
			"it leads out of the configuration's directory, which is all that a configuration may read"},
		{"a relative link out", func(path string) error { return os.Symlink("../../../../../../../../etc/passwd", path) },
			"it leads out of the configuration's directory, which is all that a configuration may read"},
		{"a link to nothing", func(path string) error { return os.Symlink("nothing", path) }, "there is no such file"},
		{"a link to itself", func(path string) error { return os.Symlink("bad.kplan.hcl", path) }, "too many levels of symbolic links"},
		{"a named pipe", mkfifo, "it is not a regular file"},
		{"a large file", func(path string) error { return os.WriteFile(path, make([]byte, source.MaxFileSize+1), 0o600) },
			"it is larger than 4 MiB"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := spectest.WriteFiles(t, map[string]string{"good.kplan.hcl": `variable "good" {}`})
			if err := test.make(filepath.Join(dir, "bad.kplan.hcl")); err != nil {
				t.Skip(err)
			}
			config, diags := Load(context.Background(), dir)
			if diff := cmp.Diff([]string{"Can't read file: bad.kplan.hcl can't be read: " + test.want + "."}, texts(diags, dir)); diff != "" {
				t.Error(diff)
			}
			if len(config.Variables) != 1 {
				t.Error("the other file was not read")
			}
		})
	}
}

func TestLoadLinkInsideTheDirectory(t *testing.T) {
	dir := spectest.WriteFiles(t, map[string]string{"shared/x.hcl": `variable "x" {}`})
	if err := os.Symlink("shared/x.hcl", filepath.Join(dir, "main.kplan.hcl")); err != nil {
		t.Skip(err)
	}
	config, diags := Load(context.Background(), dir)
	if len(diags) > 0 || len(config.Variables) != 1 {
		t.Errorf("%d variables, %v", len(config.Variables), diags)
	}
}

// Sources of these shapes made a naive loader overflow its stack, which ends
// the process, or take minutes.
func TestLoadHostileSources(t *testing.T) {
	size := 64 << 10
	if spectest.Full() { // make torture
		size = 256 << 10
	}
	deep := func(prefix, part string) string {
		return prefix + strings.Repeat(part, (size-len(prefix)-2)/len(part))
	}
	sources := map[string]string{
		"brackets.kplan.hcl":     deep("locals {\n a = ", "["),
		"parentheses.kplan.hcl":  deep("locals {\n a = ", "("),
		"objects.kplan.hcl":      deep("locals {\n a = ", "{a="),
		"templates.kplan.hcl":    deep("locals {\n a = ", `"${`),
		"directives.kplan.hcl":   deep("locals {\n a = \"", `%{if a}`),
		"blocks.kplan.hcl":       deep("", "a {\n"),
		"not.kplan.hcl":          deep("locals {\n a = ", "!"),
		"minus.kplan.hcl":        deep("locals {\n a = ", "-"),
		"plus.kplan.hcl":         deep("locals {\n a = 1", "+1"),
		"question.kplan.hcl":     deep("locals {\n a = 1", "?1:1"),
		"index.kplan.hcl":        deep("locals {\n a = b", "[0]"),
		"splat.kplan.hcl":        deep("locals {\n a = b", "[*]"),
		"steps.kplan.hcl":        deep("locals {\n a = b", ".a"),
		"calls.kplan.hcl":        deep("locals {\n a = ", "f("),
		"loops.kplan.hcl":        deep("locals {\n a = ", "[for x in y: "),
		"types.kplan.hcl":        deep("variable \"a\" {\n type = ", "list("),
		"junk.kplan.hcl":         deep("", "a\n"),
		"quotes.kplan.hcl":       deep("", "\""),
		"nul.kplan.hcl":          deep("", "\x00"),
		"utf8.kplan.hcl":         deep("", "\xff"),
		"heredocs.kplan.hcl":     deep("", "a=<<A\n"),
		"heredoc.kplan.hcl":      deep("locals {\na = <<A\n", "x\n"),
		"empty blocks.kplan.hcl": deep("", "a {}\n"),
		"duplicates.kplan.hcl":   deep("", "variable \"a\" {}\n"),
		"list.kplan.hcl":         deep("variable \"a\" {\n type = list(any)\n default = [", "{},") + "]\n}",
		"arrays.kplan.json":      deep(`{"locals": {"a": `, "["),
		"objects.kplan.json":     deep(`{"locals": {"a": `, `{"a":`),
		"text.kplan.json":        `{"locals": {"a": "${` + strings.Repeat("[", size) + `"}}`,
		"junk.kplan.json":        deep("", "a"),
		"quotes.kplan.json":      deep("", "\""),
		"numbers.kplan.json":     `{"locals": {"a": 1` + strings.Repeat("0", size) + `}}`,
		"exponent.kplan.json":    `{"locals": {"a": 1e` + strings.Repeat("0", 100) + `600000000}}`,
		"exponent.kplan.hcl":     "locals {\na = -1E-" + strings.Repeat("0", 100) + "600000000\n}\n",
		"point.kplan.hcl":        "locals {\na = 1.e600000000\n}\n",
	}
	for name, text := range sources {
		t.Run(name, func(t *testing.T) {
			dir := spectest.WriteFiles(t, map[string]string{name: text})
			start := time.Now()
			_, diags := Load(context.Background(), dir)
			if took := time.Since(start); took > 30*time.Second {
				t.Errorf("took %s", took)
			} else {
				t.Logf("%s, %d problems", took.Round(time.Millisecond), len(diags))
			}
			if !diags.HasErrors() && name != "list.kplan.hcl" && name != "numbers.kplan.json" {
				t.Error("nothing was reported")
			}
		})
	}
}

func TestCheckVersion(t *testing.T) {
	tests := []struct {
		constraint, running string
		want                bool
	}{
		{"", "0.1.0", true},
		{">= 0.1", "0.1.0", true},
		{">= 0.2", "0.1.9", false},
		{"~> 1.2", "1.9.0", true},
		{"~> 1.2", "2.0.0", false},
		{"= 1.0.0", "1.0.0-rc.1", true}, // a release to come counts as that release
		{">= 1.1", "1.1.0-dev", true},
		{">= 9.0", "(devel)", true},
		{">= 0.3, < 0.5", "v0.4.0", true},
	}
	for _, test := range tests {
		config := &Config{Settings: Settings{RequiredVersion: test.constraint}}
		if diags := config.CheckVersion(test.running); diags.HasErrors() == test.want {
			t.Errorf("%q with %s: %v", test.constraint, test.running, diags)
		}
	}
}

func TestVariableTypeIsDynamicWithoutOne(t *testing.T) {
	v := loadText(t, "main.kplan.hcl", `variable "a" {}`).Variables[0]
	if v.Type != cty.DynamicPseudoType || v.Default != cty.NilVal || !v.Nullable || v.Sensitive {
		t.Errorf("%+v", v)
	}
}
