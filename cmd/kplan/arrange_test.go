package main

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/urfave/cli/v2"
	"pgregory.net/rapid"
)

func noEnv(string) string { return "" }

// runnable are all commands that do something, subcommands included.
func runnable() []*command {
	var all []*command
	for _, c := range commands(&session{}) {
		if len(c.subcommands) == 0 {
			all = append(all, c)
		}
		all = append(all, c.subcommands...)
	}
	return all
}

// enoughArgs are as many arguments as the command needs.
func enoughArgs(c *command) []string { return slices.Repeat([]string{"Pod.web"}, c.minArgs) }

// TestEveryFlag gives every flag of every command in every form, before and
// after the arguments.
func TestEveryFlag(t *testing.T) {
	for _, c := range runnable() {
		for _, f := range c.flags {
			name := f.Names()[0]
			t.Run(c.path()+" -"+name, func(t *testing.T) { everyForm(t, c, f, name) })
		}
	}
}

func everyForm(t *testing.T, c *command, f cli.Flag, name string) {
	path, args := strings.Fields(c.path()), enoughArgs(c)
	forms := map[string][][]string{
		"=true":  {{"-" + name}, {"--" + name}, {"-" + name + "=true"}, {"-" + name + "=false", "-" + name}},
		"=false": {{"-" + name + "=false"}, {"--" + name + "=false"}},
	}
	bad := map[string][]string{
		"Empty value":   {"-" + name + "="},
		"Invalid value": {"-" + name + "=maybe"},
	}
	if takesValue(f) {
		forms = map[string][][]string{
			"=x": {{"-" + name + "=x"}, {"-" + name, "x"}, {"--" + name + "=x"}, {"--" + name, "x"}, {"-" + name + "=w", "-" + name + "=x"}},
			"=-": {{"-" + name, "-"}, {"-" + name + "=-"}},
		}
		bad = map[string][]string{
			"Empty value":   {"-" + name, ""},
			"Missing value": {"-" + name, "-help"},
		}
		if _, err := arrange(commands(&session{}), slices.Concat(path, args, []string{"-" + name}), noEnv); summaryOf(err) != "Missing value" {
			t.Errorf("-%s at the end of the line: %v", name, err)
		}
	}
	for value, lines := range forms {
		for _, given := range lines {
			for _, line := range [][]string{slices.Concat(path, given, args), slices.Concat(path, args, given)} {
				inv, err := arrange(commands(&session{}), line, noEnv)
				if err != nil {
					t.Errorf("%q: %v", line, err)
					continue
				}
				if got := inv.flags[len(inv.flags)-1]; got != "-"+name+value {
					t.Errorf("%q: the flag is %q", line, got)
				}
				if diff := cmp.Diff(args, inv.args, cmp.Transformer("none", func(a []string) []string { return append([]string{}, a...) })); diff != "" {
					t.Errorf("%q: arguments: %s", line, diff)
				}
			}
		}
	}
	for summary, given := range bad {
		if _, err := arrange(commands(&session{}), slices.Concat(path, args, given), noEnv); summaryOf(err) != summary {
			t.Errorf("%q: %v, want %s", given, err, summary)
		}
	}
}

func summaryOf(err error) string {
	var usage *usageError
	if errors.As(err, &usage) {
		return usage.summary
	}
	return ""
}

func TestArrange(t *testing.T) {
	for _, test := range []struct {
		line string
		env  map[string]string
		want string // the ordered line, or the error
	}{
		{line: "plan", want: "kplan plan --"},
		{line: "-chdir=a plan -out=p", want: "kplan -chdir=a plan -out=p --"},
		{line: "-chdir a plan --out p", want: "kplan -chdir=a plan -out=p --"},
		{line: "apply p -auto-approve", want: "kplan apply -auto-approve=true -- p"},
		{line: "apply -auto-approve p", want: "kplan apply -auto-approve=true -- p"},
		{line: "apply -- -p", want: "kplan apply -- -p"},
		{line: "state mv a -dry-run b", want: "kplan state mv -dry-run=true -- a b"},
		{line: "state move a b", want: "kplan state mv -- a b"},
		{line: "fmt -", want: "kplan fmt -- -"},
		{line: "plan -var a=b=c -var-file=f", want: "kplan plan -var=a=b=c -var-file=f --"},
		{line: "plan -var a=1", env: map[string]string{"KPLAN_CLI_ARGS": "-no-color", "KPLAN_CLI_ARGS_plan": "-var 'a=x y'"},
			want: "kplan plan -no-color=true -var=a=x y -var=a=1 --"},
		{line: "state list", env: map[string]string{"KPLAN_CLI_ARGS_state_list": "-state=s"}, want: "kplan state list -state=s --"},
		{line: "plan", env: map[string]string{"KPLAN_CLI_ARGS": "'x"}, want: "Invalid KPLAN_CLI_ARGS"},
		{line: "help state mv", want: "kplan state mv --"},
		{line: "help", want: "kplan"},
		{line: "plan -input=0 -json=T", want: "kplan plan -input=false -json=true --"},
		{line: "plan -lock 0", want: "Too many arguments"},
		{line: "init", want: "Unknown command"},
		{line: "plna", want: "Unknown command"},
		{line: "state lst", want: "Unknown command"},
		{line: "plan x", want: "Too many arguments"},
		{line: "plan -lock false", want: "Too many arguments"},
		{line: "apply a b", want: "Too many arguments"},
		{line: "state mv a", want: "Missing argument"},
		{line: "force-unlock", want: "Missing argument"},
		{line: "-auto-approve apply", want: "Flag before the command"},
		{line: "-chdri=x plan", want: "Unknown flag"},
		{line: "plan -chdir=x", want: "Flag after the command"},
		{line: "plan -outt=x", want: "Unknown flag"},
		{line: "apply p -auto-aprove", want: "Unknown flag"},
		{line: "plan -out -raw", want: "kplan plan -out=-raw --"}, // -raw is no flag of this command
		{line: "plan -out -lock=false", want: "Missing value"},
	} {
		t.Run(test.line, func(t *testing.T) {
			inv, err := arrange(commands(&session{}), strings.Fields(test.line), func(name string) string { return test.env[name] })
			got := summaryOf(err)
			if err == nil {
				got = strings.Join(inv.ordered(), " ")
			}
			if got != test.want {
				t.Errorf("got  %s\nwant %s\n(%v)", got, test.want, err)
			}
		})
	}
}

func TestUnknownFlagsNameTheNearest(t *testing.T) {
	for given, want := range map[string]string{
		"plan -detailed-exit-code":  `"-detailed-exitcode"`,
		"plan -var_file=x":          `"-var-file"`,
		"apply -autoapprove":        `"-auto-approve"`,
		"state rm -dryrun x":        `"-dry-run"`,
		"aply":                      `"apply"`,
		"state remov":               `"remove"`,
		"-chdr=x plan":              `"-chdir"`,
		"destroy -auto-aprove=true": `"-auto-approve"`,
	} {
		_, err := arrange(commands(&session{}), strings.Fields(given), noEnv)
		if err == nil || !strings.Contains(err.Error(), "Did you mean "+want+"?") {
			t.Errorf("%s: %v", given, err)
		}
	}
}

// TestArrangeNeverPanics gives words in any order.
func TestArrangeNeverPanics(t *testing.T) {
	words := []string{"plan", "apply", "state", "mv", "-", "--", "-out", "-out=", "-lock=false", "-help", "x", "", "-=", "---", "-var", "a=b", "--chdir", "version", "é", "-\x00"}
	rapid.Check(t, func(t *rapid.T) {
		line := rapid.SliceOf(rapid.OneOf(rapid.SampledFrom(words), rapid.String())).Draw(t, "line")
		inv, err := arrange(commands(&session{}), line, func(string) string { return rapid.StringN(0, 20, 40).Draw(t, "env") })
		if err == nil && inv.command != nil && !inv.help && len(inv.command.subcommands) == 0 && inv.ordered() == nil {
			t.Fatal("nothing to run")
		}
	})
}

// TestExamples makes sure that the examples in the help can be run.
func TestExamples(t *testing.T) {
	for _, c := range runnable() {
		if len(c.examples) == 0 && c.name != "completion" {
			t.Errorf("kplan %s has no example", c.path())
		}
		for _, e := range c.examples {
			line, _, _ := strings.Cut(e.line, " | ")
			line, _, _ = strings.Cut(line, " >")
			line, _, _ = strings.Cut(line, " < ")
			words, err := splitWords(line)
			if err != nil {
				t.Fatal(err)
			}
			inv, err := arrange(commands(&session{}), words, noEnv)
			if err != nil {
				t.Errorf("%s: %v", e.line, err)
			} else if inv.command.path() != c.path() {
				t.Errorf("%s stands in the help of %s", e.line, c.path())
			}
		}
	}
}

func TestSplitWords(t *testing.T) {
	for text, want := range map[string][]string{
		"":                    nil,
		"  a  b ":             {"a", "b"},
		`-var 'a = "b c"' d`:  {"-var", `a = "b c"`, "d"},
		`"a 'b' \" c"`:        {`a 'b' " c`},
		`a\ b ''`:             {"a b", ""},
		"-var=a=1\t-lock=off": {"-var=a=1", "-lock=off"},
	} {
		got, err := splitWords(text)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%q: %v %s", text, err, diff)
		}
	}
}
