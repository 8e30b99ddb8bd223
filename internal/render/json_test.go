package render

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/plan"
)

func TestJSON(t *testing.T) {
	for name, p := range plans(t) {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := JSON(&b, p, "0.1.0"); err != nil {
				t.Fatal(err)
			}
			if !json.Valid(b.Bytes()) {
				t.Error("not valid JSON")
			}
			golden(t, "json_"+name, b.Bytes())
		})
	}
}

func TestJSONModules(t *testing.T) {
	p := planOf(t,
		changed{addr: "module.a.Namespace.n", name: "a", action: plan.Create, after: `metadata: {name: a}`},
		changed{addr: "module.a.module.b[0].Namespace.n", name: "b", action: plan.Create, after: `metadata: {name: b}`},
		changed{addr: "Namespace.n", name: "c", action: plan.Create, after: `metadata: {name: c}`},
	)
	var b bytes.Buffer
	if err := writeJSON(&b, plannedValues(p), true); err != nil {
		t.Fatal(err)
	}
	golden(t, "json_modules", b.Bytes())
}

func TestValidateJSON(t *testing.T) {
	diags, files := evaluated(t)
	var b bytes.Buffer
	if err := ValidateJSON(&b, diags, Sources{Files: files}); err != nil {
		t.Fatal(err)
	}
	golden(t, "validate_json", b.Bytes())
}

// events writes one event of each sort.
func events(t testing.TB) []byte {
	var b bytes.Buffer
	e := NewEvents(&b, func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC) })
	diags, files := evaluated(t)
	e.Version("0.1.0")
	e.Log("info", "hello")
	e.Plan(replacements(t))
	e.Plan(others(t))
	e.Plan(outputs(t))
	e.Plan(refreshed(t))
	for _, d := range diags {
		e.Diagnostic(d, Sources{Files: files})
	}
	for _, s := range steps(t) {
		e.Step(s)
	}
	e.Outputs(outputValues)
	e.Applied(plan.Counts{Add: 1}, plan.Normal)
	e.Applied(plan.Counts{Destroy: 2}, plan.Destroy)
	if e.Err() != nil {
		t.Fatal(e.Err())
	}
	return b.Bytes()
}

func TestEvents(t *testing.T) { golden(t, "events", events(t)) }

// steps are steps of every sort.
func steps(t testing.TB) []Step {
	addr, err := addrs.ParseInstance(`Pod.web["a"]`)
	if err != nil {
		t.Fatal(err)
	}
	object := addrs.Object{Version: "v1", Kind: "Pod", Namespace: "acme", Name: "web"}
	var all []Step
	for _, action := range []plan.Action{plan.Create, plan.Update, plan.Replace, plan.Delete, plan.Adopt, plan.Forget} {
		for _, phase := range []Phase{Started, Progress, Done, Failed} {
			all = append(all, Step{Addr: addr, Object: object, Action: action, Phase: phase, Elapsed: 80*time.Second + 400*time.Millisecond})
		}
	}
	return append(all,
		Step{Addr: addr, Object: object, Action: plan.Create, Phase: Waiting, Elapsed: 10 * time.Second, Detail: "0 of 1 replicas are ready"},
		Step{Addr: addr, Object: object, Action: plan.Create, Phase: Ready, Elapsed: 12 * time.Second})
}

func TestProgressLine(t *testing.T) {
	var b bytes.Buffer
	for _, s := range steps(t) {
		b.WriteString(ProgressLine(s, Options{}) + "\n")
	}
	b.WriteString(ApplySummary(plan.Counts{Add: 1, Change: 2, Destroy: 3, Adopt: 4, Forget: 5, Move: 6}, plan.Normal, Options{}) + "\n")
	b.WriteString(ApplySummary(plan.Counts{Destroy: 3}, plan.Destroy, Options{}) + "\n")
	golden(t, "progress", b.Bytes())
}

var outputValues = []Output{
	{Name: "text", Value: "a", Type: "string"},
	{Name: "number", Value: int64(5), Type: "number"},
	{Name: "lines", Value: "a\n\tb\n::stop-commands::x\n", Type: "string"},
	{Name: "map", Value: map[string]any{"a": []any{"x", true, nil}, "b": map[string]any{}, "c": []any{}}, Type: "dynamic"},
	{Name: "secret", Value: "hunter2", Type: "string", Sensitive: true},
}

func TestOutputs(t *testing.T) {
	var b bytes.Buffer
	Outputs(&b, outputValues, Options{})
	b.WriteString("\n")
	if err := OutputsJSON(&b, outputValues); err != nil {
		t.Fatal(err)
	}
	golden(t, "outputs", b.Bytes())
	if bytes.Contains(b.Bytes(), []byte("hunter2")) {
		t.Error("a sensitive value is shown")
	}
}

func TestOutputRaw(t *testing.T) {
	for _, c := range []struct {
		value any
		want  string
		fails bool
	}{{"a\x1b", "a\x1b", false}, {int64(5), "5", false}, {true, "true", false}, {nil, "", true}, {[]any{}, "", true}} {
		got, err := OutputRaw(Output{Name: "o", Value: c.value})
		if got != c.want || (err != nil) != c.fails {
			t.Errorf("OutputRaw(%v) = %q, %v", c.value, got, err)
		}
	}
	if _, err := OutputRaw(Output{Value: "x", Sensitive: true}); err == nil {
		t.Error("a sensitive output has a raw form")
	}
}

func TestDiagnosticsWithoutFiles(t *testing.T) {
	var b bytes.Buffer
	Diagnostics(&b, hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "S",
		Subject: &hcl.Range{Filename: "f", Start: hcl.Pos{Line: 900, Column: 9, Byte: 9999}}}}, Sources{}, Options{})
	golden(t, "diagnostics_no_file", b.Bytes())
}
