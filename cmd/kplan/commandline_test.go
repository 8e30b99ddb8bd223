package main

import (
	"errors"
	"flag"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/internal/ui"
)

func noEnv(string) string { return "" }

// testSession is a session that nobody is at.
func testSession(out, errOut io.Writer) *session {
	s := newSession()
	s.ui = &ui.Streams{In: strings.NewReader(""), Out: out, Err: errOut, Version: versionText(), SourcesOf: s.quoted.sources}
	return s
}

func testLine() *cli.App { return commandLine(testSession(io.Discard, io.Discard)) }

// parse parses a line whose words it is given.
func parse(words ...string) (*cli.Invocation, error) { return testLine().Parse(words, noEnv) }

// runnable are all commands that do something, subcommands included.
func runnable() []*cli.Command {
	var all []*cli.Command
	for _, c := range testLine().Commands {
		if len(c.Subcommands) == 0 {
			all = append(all, c)
		}
		all = append(all, c.Subcommands...)
	}
	return all
}

// enoughArgs are as many arguments as the command needs.
func enoughArgs(c *cli.Command) []string { return slices.Repeat([]string{"Pod.web"}, c.MinArgs) }

// TestEveryFlag gives every flag of every command in every form, before and
// after the arguments.
func TestEveryFlag(t *testing.T) {
	for _, c := range runnable() {
		for _, f := range c.Flags {
			name := f.Names()[0]
			t.Run(c.Path()+" -"+name, func(t *testing.T) { everyForm(t, c, f, name) })
		}
	}
}

// someValues are two values that a flag takes.
func someValues(t *testing.T, path, args []string, name string) (x, w string) {
	for _, two := range [][2]string{{"x", "w"}, {"Pod.x", "Pod.w"}, {"7", "8"}, {"5m", "6m"}, {"revert", "refuse"}, {"inline", "variables"}} {
		if _, err := parse(slices.Concat(path, []string{"-" + name + "=" + two[0]}, args)...); err == nil {
			return two[0], two[1]
		}
	}
	t.Fatalf("-%s takes none of the values that this test knows", name)
	return "", ""
}

func everyForm(t *testing.T, c *cli.Command, f cli.Flag, name string) {
	path, args := strings.Fields(c.Path()), enoughArgs(c)
	forms := map[string][][]string{
		"true":  {{"-" + name}, {"--" + name}, {"-" + name + "=true"}, {"-" + name + "=false", "-" + name}},
		"false": {{"-" + name + "=false"}, {"--" + name + "=false"}},
	}
	bad := map[string][]string{
		"Empty value":   {"-" + name + "="},
		"Invalid value": {"-" + name + "=maybe"},
	}
	if cli.TakesValue(f) {
		x, w := someValues(t, path, args, name)
		forms = map[string][][]string{
			x: {{"-" + name + "=" + x}, {"-" + name, x}, {"--" + name + "=" + x}, {"--" + name, x}, {"-" + name + "=" + w, "-" + name + "=" + x}},
		}
		if x == "x" {
			forms["-"] = [][]string{{"-" + name, "-"}, {"-" + name + "=-"}}
		}
		bad = map[string][]string{
			"Empty value":   {"-" + name, ""},
			"Missing value": {"-" + name, "-help"},
		}
		if _, err := parse(slices.Concat(path, args, []string{"-" + name})...); summaryOf(err) != "Missing value" {
			t.Errorf("-%s at the end of the line: %v", name, err)
		}
	}
	for value, lines := range forms {
		for _, given := range lines {
			for _, line := range [][]string{slices.Concat(path, given, args), slices.Concat(path, args, given)} {
				inv, err := parse(line...)
				if err != nil {
					t.Errorf("%q: %v", line, err)
					continue
				}
				if got := inv.Set.Lookup(name).Value.String(); got != value && !strings.HasSuffix(got, ", "+value) {
					t.Errorf("%q: the flag is %q", line, got)
				}
				noneIsEmpty := cmp.Transformer("none", func(a []string) []string { return append([]string{}, a...) })
				if diff := cmp.Diff(args, inv.Args, noneIsEmpty); diff != "" {
					t.Errorf("%q: arguments: %s", line, diff)
				}
			}
		}
	}
	for summary, given := range bad {
		if _, err := parse(slices.Concat(path, args, given)...); summaryOf(err) != summary {
			t.Errorf("%q: %v, want %s", given, err, summary)
		}
	}
}

func summaryOf(err error) string {
	var usage *cli.UsageError
	if errors.As(err, &usage) {
		return usage.Summary
	}
	return ""
}

// meaning is what a line was understood to mean: the command, the flags that are
// set by name, the arguments.
func meaning(inv *cli.Invocation) string {
	words := []string{"kplan"}
	if inv.Command == nil {
		return "kplan"
	}
	words = append(words, inv.Command.Path())
	inv.Set.Visit(func(f *flag.Flag) { words = append(words, "-"+f.Name+"="+f.Value.String()) })
	return strings.Join(append(append(words, "--"), inv.Args...), " ")
}

func TestParse(t *testing.T) {
	for _, test := range []struct {
		line string
		env  map[string]string
		want string // what it means, or the error
	}{
		{line: "plan", want: "kplan plan --"},
		{line: "-chdir=a plan -out=p", want: "kplan plan -out=p --"},
		{line: "-chdir a plan --out p", want: "kplan plan -out=p --"},
		{line: "apply p -auto-approve", want: "kplan apply -auto-approve=true -- p"},
		{line: "apply -auto-approve p", want: "kplan apply -auto-approve=true -- p"},
		{line: "apply -- -p", want: "kplan apply -- -p"},
		{line: "state mv a -dry-run b", want: "kplan state mv -dry-run=true -- a b"},
		{line: "state move a b", want: "kplan state mv -- a b"},
		{line: "fmt -", want: "kplan fmt -- -"},
		{line: "plan -var a=b=c -var-file=f", want: "kplan plan -var=a=b=c, f -var-file=a=b=c, f --"},
		{line: "plan -var a=1", env: map[string]string{"KPLAN_CLI_ARGS": "-no-color", "KPLAN_CLI_ARGS_plan": "-var 'a=x y'"},
			want: "kplan plan -no-color=true -var=a=x y, a=1 --"},
		{line: "state list", env: map[string]string{"KPLAN_CLI_ARGS_state_list": "-state=s"}, want: "kplan state list -state=s --"},
		{line: "plan", env: map[string]string{"KPLAN_CLI_ARGS": "'x"}, want: "Invalid KPLAN_CLI_ARGS"},
		{line: "help state mv", want: "kplan state mv --"},
		{line: "help", want: "kplan"},
		{line: "plan -input=0 -json=T", want: "kplan plan -input=false -json=true --"},
		{line: "plan -lock 0", want: "Too many arguments"},
		{line: "plna", want: "Unknown command"},
		{line: "state lst", want: "Unknown command"},
		{line: "plan x", want: "Too many arguments"},
		{line: "plan -lock false", want: "Too many arguments"},
		{line: "apply a b", want: "Too many arguments"},
		{line: "state mv", want: "Missing argument"},
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
			inv, err := testLine().Parse(strings.Fields(test.line), func(name string) string { return test.env[name] })
			got := summaryOf(err)
			if err == nil {
				got = meaning(inv)
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
		_, err := parse(strings.Fields(given)...)
		if err == nil || !strings.Contains(err.Error(), "Did you mean "+want+"?") {
			t.Errorf("%s: %v", given, err)
		}
	}
}

func TestMistakesNameTheWayOut(t *testing.T) {
	for given, want := range map[string]string{
		"plan -ouput=x":    "kplan plan -out=FILE",
		"state list -id=x": "kplan state list ADDRESS",
		"state show":       "ADDRESS is missing.",
		"state mv":         "FROM is missing.",
		"force-unlock":     "LOCK_ID is missing.",
		"metadata":         `no command "metadata". To check`,
	} {
		_, err := parse(strings.Fields(given)...)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", given, err)
		}
	}
}

// TestParseNeverPanics gives words in any order.
func TestParseNeverPanics(t *testing.T) {
	words := []string{"plan", "apply", "state", "mv", "-", "--", "-out", "-out=", "-lock=false", "-help", "x", "", "-=", "---", "-var", "a=b",
		"--chdir", "version", "é", "-\x00"}
	rapid.Check(t, func(t *rapid.T) {
		line := rapid.SliceOf(rapid.OneOf(rapid.SampledFrom(words), rapid.String())).Draw(t, "line")
		app := testLine()
		inv, err := app.Parse(line, func(string) string { return rapid.StringN(0, 20, 40).Draw(t, "env") })
		if inv == nil || err == nil && inv.Command != nil && inv.Set == nil {
			t.Fatal("nothing to run")
		}
	})
}

// TestExamples makes sure that the examples in the help can be run.
func TestExamples(t *testing.T) {
	for _, c := range runnable() {
		if len(c.Examples) == 0 && c.Name != "completion" {
			t.Errorf("kplan %s has no example", c.Path())
		}
		for _, e := range c.Examples {
			line, _, _ := strings.Cut(e.Line, " | ")
			line, _, _ = strings.Cut(line, " >")
			line, _, _ = strings.Cut(line, " < ")
			words, err := cli.SplitWords(line)
			if err != nil {
				t.Fatal(err)
			}
			inv, err := parse(words...)
			if err != nil {
				t.Errorf("%s: %v", e.Line, err)
			} else if inv.Command.Path() != c.Path() {
				t.Errorf("%s is in the help of %s", e.Line, c.Path())
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
		got, err := cli.SplitWords(text)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%q: %v %s", text, err, diff)
		}
	}
}
