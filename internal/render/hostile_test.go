package render

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"pgregory.net/rapid"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/plan"
	"kplan.dev/kplan/plan/impact"
	"kplan.dev/kplan/state"
)

// hostileRunes are runes that no output may hold.
func hostileRunes() []rune {
	var all []rune
	add := func(from, to rune) {
		for r := from; r <= to; r++ {
			all = append(all, r)
		}
	}
	add(0, 0x1f)
	add(0x7f, 0x9f)
	add(0x200b, 0x200f)
	add(0x2028, 0x202e)
	add(0x2060, 0x206f)
	add(0xfe00, 0xfe0f)
	add(0xfff9, 0xfffb)
	add(0xe0001, 0xe0001)
	add(0xe0020, 0xe0030)
	add(0xe0100, 0xe0105)
	return append(all, 0xad, 0x034f, 0x061c, 0x115f, 0x1160, 0x17b4, 0x180e, 0x3164, 0xfeff, 0xffa0, 0xfffe, 0x1d173)
}

// hostileTexts are texts that want to be more than text.
var hostileTexts = []string{
	"::stop-commands::x", "  ::add-mask::x", "\t::error::x", "a\n::set-output name=x::y", "a\r::debug::x", "\v::warning::x",
	"##[error]x", "a ##[group]x", "##vso[task.setvariable variable=a]b", "##VSO[task.complete]", "##teamcity[buildStop]", "###[a", "####vso[a",
	"section_start:1:a\r\x1b[0Kx", "\x1b[31mred", "\x1b]0;title\a", "\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "\x9b31m", "a\bb", "a\x00b",
	"\u202egnp.exe", "a\u2066b\u2069", "\ufeffa", "a\u200bb", "\U000e0041\U000e0042", "❤\ufe0f", "\xff\xfe", "a\xc3(", "\xed\xa0\x80",
	"\xf5\x80\x80\x80",
	"```\n# Approved", "~~~", "</details>", "<img src=x>", "@everyone", "#1", "https://x/y", "![a](b)", "[a](javascript:b)", "\\u{1b}",
	"${x}", "%{ if x }", "$${", "EOT", "\nEOT\n", "<<-EOT\nEOT", "(sensitive value)", "(known after apply)", "\"", "\\", "\\\"", "}",
	"  # x will be destroyed",
	"\n  # Pod.web will be created", "\n\nNo changes. Your infrastructure matches the configuration.",
	"\nPlan: 0 to add, 0 to change, 0 to destroy.",
	"a\u2028::x", "a\u0085::x", strings.Repeat("x", 5000), strings.Repeat("\u202e", 300), "…", "│ ", "日本語", "Ω≈ç√", "🙂", "e\u0301",
}

// corpus is every hostile text, and every hostile rune in the middle of a line
// and at the start of one.
func corpus() []string {
	all := append([]string{}, hostileTexts...)
	for _, r := range hostileRunes() {
		all = append(all, "a"+string(r)+"b", "x\n"+string(r)+"::y")
	}
	return all
}

// checkClean fails if an output could do anything but be read.
func checkClean(t testing.TB, what string, out []byte) {
	t.Helper()
	if !utf8.Valid(out) {
		t.Errorf("%s: not UTF-8", what)
	}
	for _, r := range string(out) {
		if r != '\n' && isHostile(r) {
			t.Errorf("%s: holds %U", what, r)
		}
	}
	for line := range strings.SplitSeq(string(out), "\n") {
		start := strings.TrimLeft(line, " \t")
		lower := strings.ToLower(line)
		if strings.HasPrefix(start, "::") || strings.Contains(lower, "##[") || strings.Contains(lower, "##vso[") ||
			strings.Contains(lower, "##teamcity[") {
			t.Errorf("%s: a line is a command: %q", what, line)
		}
	}
	if t.Failed() {
		t.Fatalf("%s", out)
	}
}

// rendered is a text put into every place that takes text from elsewhere, as
// every renderer shows it.
func rendered(t testing.TB, s string) map[string][]byte {
	t.Helper()
	results := map[string][]byte{}
	write := func(name string, f func(*bytes.Buffer) error) {
		var b bytes.Buffer
		if err := f(&b); err != nil {
			t.Fatal(name, err)
		}
		results[name] = b.Bytes()
	}
	pl, diags, files := hostilePlan(t, s), hostileDiagnostics(s), hostileFiles(s)
	write("plan", func(b *bytes.Buffer) error { Plan(b, pl, Options{SavedAs: s, ApplyLine: s}); return nil })
	write("plan json", func(b *bytes.Buffer) error { return JSON(b, pl, s) })
	write("markdown", func(b *bytes.Buffer) error { Markdown(b, pl, MarkdownOptions{}); return nil })
	write("diagnostics", func(b *bytes.Buffer) error { Diagnostics(b, diags, Sources{Files: files}, Options{}); return nil })
	write("warnings", func(b *bytes.Buffer) error {
		warning := *diags[0]
		warning.Severity = hcl.DiagWarning
		Diagnostics(b, hcl.Diagnostics{&warning}, Sources{Files: files}, Options{CompactWarnings: true})
		return nil
	})
	write("validate json", func(b *bytes.Buffer) error { return ValidateJSON(b, diags, Sources{Files: files}) })
	outs := []Output{{Name: s, Value: s, Type: s}, {Name: "l", Value: []any{s, map[string]any{s: s}}}}
	write("outputs", func(b *bytes.Buffer) error { Outputs(b, outs, Options{}); return nil })
	write("outputs json", func(b *bytes.Buffer) error { return OutputsJSON(b, outs) })
	write("state json", func(b *bytes.Buffer) error { return StateJSON(b, hostileState(t, s), s) })
	step := Step{Addr: hostileInstance(s), Object: hostileObject(s), Action: plan.Create, Phase: Waiting, Detail: s}
	write("events", func(b *bytes.Buffer) error {
		e := NewEvents(b, time.Now)
		e.Version(s)
		e.Log("info", s)
		e.Plan(pl)
		e.Diagnostic(diags[0], Sources{Files: files})
		e.Step(step)
		e.Outputs(outs)
		return e.Err()
	})
	write("progress", func(b *bytes.Buffer) error {
		for phase := Started; phase <= Ready; phase++ {
			step.Phase = phase
			b.WriteString(ProgressLine(step, Options{}) + "\n")
		}
		return nil
	})
	return results
}

func hostileInstance(s string) addrs.Instance {
	return addrs.Resource{Type: "Pod", Name: "web"}.Instance(addrs.StringKey(s))
}

func hostileObject(s string) addrs.Object {
	return addrs.Object{Version: "v1", Kind: "Pod", Namespace: s, Name: s}
}

func hostilePlan(t testing.TB, s string) *plan.Plan {
	t.Helper()
	before := map[string]any{
		"metadata": map[string]any{"name": s, "annotations": map[string]any{s: s, "same": s, "a": "b"}},
		"spec": map[string]any{
			"containers":  []any{map[string]any{"name": s, "args": []any{s, "x", s}, "image": "a"}},
			"tolerations": []any{map[string]any{"key": s}},
		},
		s: s,
	}
	after := map[string]any{
		"metadata": map[string]any{"name": s, "annotations": map[string]any{s: s + "1", "same": s, "a": s + "\n" + s}},
		"spec": map[string]any{
			"containers":  []any{map[string]any{"name": s, "args": []any{s, "y", s}, "image": s}},
			"tolerations": []any{map[string]any{"key": s + "x"}},
		},
		s: map[string]any{s: []any{s, map[string]any{s: s}}},
	}
	p := &plan.Plan{Host: s, Cluster: s, Variables: map[string]plan.Variable{s: {Value: []byte(`"x"`)}}, Incomplete: true}
	for _, action := range []plan.Action{plan.Create, plan.Update, plan.Replace, plan.Delete, plan.Adopt, plan.Forget, plan.NoOp} {
		for _, kind := range []string{"Pod", ""} {
			c := &plan.Change{
				Addr: hostileInstance(s), Previous: hostileInstance(s + "1"), Object: hostileObject(s), Action: action,
				Reason: plan.BecauseEachKey, Certainty: plan.Predicted, Why: s, Before: before, After: after, DesiredFields: after,
				ReplacePaths: []addrs.Path{addrs.NewPath("metadata", "annotations", s)}, Blocked: true,
				Drift: []plan.Drift{{Path: addrs.NewPath("data", s), Manager: s}},
				UnmanagedReads: []plan.UnmanagedRead{{
					Addr:  addrs.Resource{Type: "ConfigMap", Name: "c"}.Instance(addrs.StringKey(s)),
					Drift: plan.Drift{Path: addrs.NewPath("data", s), Manager: s},
				}},
				Consequences: []impact.Consequence{{Effect: impact.CascadesUnmanaged, Kind: addrs.GroupKind{Group: s, Kind: s}, Count: 2,
					Names: []string{s}}},
			}
			if kind == "" && action != plan.Update {
				continue
			}
			if kind != "" {
				c.Kind = planOf(t, changed{addr: "Pod.x", action: action}).Changes[0].Kind
			}
			if action == plan.Create {
				c.Before = nil
			}
			if action == plan.Delete {
				c.After = nil
			}
			p.Changes = append(p.Changes, c)
		}
	}
	p.Outputs = []plan.OutputChange{{Name: s, Action: plan.Update, Before: s, After: []any{s}},
		{Name: "b", Action: plan.Create, After: map[string]any{s: s}}}
	p.Skipped = []hclspec.Skipped{{Addr: hostileInstance(s), By: hostileInstance(s)}}
	return p
}

func hostileDiagnostics(s string) hcl.Diagnostics {
	subject := &hcl.Range{Filename: s + ".kplan.hcl", Start: hcl.Pos{Line: 1, Column: 1}, End: hcl.Pos{Line: 1, Column: 5, Byte: 4}}
	return hcl.Diagnostics{
		{Severity: hcl.DiagError, Summary: s, Detail: s + "\n" + s + "\n  " + s, Subject: subject, Extra: hostileInstance(s)},
		{Severity: hcl.DiagWarning, Summary: s, Detail: s},
	}
}

func hostileFiles(s string) map[string]*hcl.File {
	file, _ := hclsyntax.ParseConfig([]byte("x = "+s+"\n"), s, hcl.InitialPos)
	return map[string]*hcl.File{s + ".kplan.hcl": file}
}

func hostileState(t testing.TB, s string) *state.State {
	st := someState(t)
	st.Objects[0].Object.Name = s
	st.Outputs[s] = state.Output{Value: s}
	return st
}

func TestOutputIsClean(t *testing.T) {
	all := corpus()
	if len(all) < 200 {
		t.Fatalf("the corpus has only %d texts", len(all))
	}
	for _, s := range all {
		for name, out := range rendered(t, s) {
			checkClean(t, fmt.Sprintf("%s of %q", name, s), out)
		}
	}
}

func TestOutputOfAnythingIsClean(t *testing.T) {
	pieces := append(corpus(), "#", "[", ":", "`", "\n", " ", "vso", "\\", "\x1b")
	rapid.Check(t, func(r *rapid.T) {
		s := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 6).Draw(r, "pieces"), "")
		for name, out := range rendered(t, s) {
			checkClean(t, fmt.Sprintf("%s of %q", name, s), out)
		}
	})
}

func TestClean(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"plain # text", "plain # text"},
		{"日本語 é 🙂", "日本語 é 🙂"},
		{"\x1b[31m", `\u{1b}[31m`},
		{"a\nb\tc", `a\u{a}b\u{9}c`},
		{"\u202e", `\u{202e}`},
		{"\xff", `\u{ff}`},
		{"\U000e0041", `\u{e0041}`},
		{"##[x]", `##\[x]`},
		{"##vso[x]", `##\vso[x]`},
		{"###TeamCity[x]", `###\TeamCity[x]`},
		{"## title", "## title"},
	} {
		if got := Clean(c.in); got != c.want {
			t.Errorf("Clean(%q) = %q, want %q", c.in, got, c.want)
		}
	}
	rapid.Check(t, func(r *rapid.T) {
		s := rapid.String().Draw(r, "s")
		if once := Clean(s); Clean(once) != once {
			t.Errorf("Clean of Clean(%q) differs", s)
		}
	})
}

func FuzzClean(f *testing.F) {
	for _, s := range hostileTexts {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		checkClean(t, "Clean", []byte("│ "+Clean(s)))
		checkClean(t, "quote", []byte(quote(s)))
	})
}
