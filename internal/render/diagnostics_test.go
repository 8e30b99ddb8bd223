package render

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/redact"
)

const badSource = `variable "image" {
  type = string
}

resource "Pod" "web" {
  metadata {
    name = upper(var.image.tag)
  }
	spec {
    host = "日本${var.secret}" + var.list[5]
  }
}
`

// evaluated are the diagnostics of evaluating all attributes of badSource.
func evaluated(t testing.TB) (hcl.Diagnostics, map[string]*hcl.File) {
	t.Helper()
	file, diags := hclsyntax.ParseConfig([]byte(badSource), "main.kplan.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	ctx := &hcl.EvalContext{
		Variables: map[string]cty.Value{"var": cty.ObjectVal(map[string]cty.Value{
			"image":  cty.StringVal("nginx"),
			"secret": cty.StringVal("hunter2hunter2").Mark("sensitive"),
			"list":   cty.ListVal([]cty.Value{cty.StringVal("a")}),
		})},
		Functions: map[string]function.Function{"upper": stdlib.UpperFunc},
	}
	body := file.Body.(*hclsyntax.Body).Blocks[1].Body
	for _, block := range body.Blocks {
		for _, attr := range block.Body.Attributes {
			_, more := attr.Expr.Value(ctx)
			diags = append(diags, more...)
		}
	}
	inst, _ := addrs.ParseInstance(`Pod.web["a"]`)
	diags = append(diags,
		&hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Field managed by another manager", Extra: inst,
			Detail: "spec.replicas of Deployment default/web is managed by \"hpa\". " +
				"Remove it from the configuration to leave it to hpa.\n\n  kept as it is:    x\n"},
		&hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "Deprecated", Detail: "Use another.", Subject: body.Blocks[0].DefRange().Ptr()},
		&hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: "Deprecated", Detail: "Use another.", Subject: body.Blocks[1].DefRange().Ptr()},
		&hcl.Diagnostic{Severity: hcl.DiagError, Summary: "Invalid value for variable", Detail: "Too short.",
			Subject: &hcl.Range{Filename: "prod.kpvars.hcl", Start: hcl.InitialPos, End: hcl.InitialPos}},
	)
	vars, _ := hclsyntax.ParseConfig([]byte("password = \"hunter2hunter2\"\n"), "prod.kpvars.hcl", hcl.InitialPos)
	return diags, map[string]*hcl.File{"main.kplan.hcl": file, "prod.kpvars.hcl": vars}
}

func TestDiagnostics(t *testing.T) {
	diags, files := evaluated(t)
	var b bytes.Buffer
	Diagnostics(&b, diags, Sources{Files: files}, Options{})
	golden(t, "diagnostics", b.Bytes())
	if bytes.Contains(b.Bytes(), []byte("hunter2")) {
		t.Error("a sensitive value is shown")
	}
}

func TestDiagnosticsCompactWarnings(t *testing.T) {
	diags, files := evaluated(t)
	var warnings hcl.Diagnostics
	for _, d := range diags {
		if d.Severity == hcl.DiagWarning {
			warnings = append(warnings, d)
		}
	}
	var b bytes.Buffer
	Diagnostics(&b, warnings, Sources{Files: files}, Options{CompactWarnings: true})
	golden(t, "diagnostics_compact", b.Bytes())
}

// TestLongLine: of a line that is too long the part is quoted that is meant, with the mark under it, and no half secrets.
func TestLongLine(t *testing.T) {
	const secret = "hunter2hunter2hunter2"
	for _, before := range []string{"", "a", strings.Repeat("ä", 1000), strings.Repeat("x "+secret+" ", 1000)} {
		for _, after := range []string{"", strings.Repeat(" "+secret, 1000)} {
			line := before + "meant" + after
			at := hcl.Range{Filename: "main.kplan.hcl", Start: hcl.Pos{Line: 1, Column: 1, Byte: len(before)},
				End: hcl.Pos{Line: 1, Column: 2, Byte: len(before) + len("meant")}}
			known := &redact.Secrets{}
			known.Add(secret)
			files := map[string]*hcl.File{"main.kplan.hcl": {Bytes: []byte(line)}}
			s := snippetOf(&hcl.Diagnostic{Subject: &at}, Sources{Files: files, Known: known})
			shown := s.lines[0]
			if got := shown[s.markFrom:s.markTo]; got != "meant" || len(shown) > longestQuoted+20 || strings.Contains(shown, "hunter") ||
				!utf8.ValidString(shown) {
				t.Errorf("%d bytes are quoted of %d, and the mark is under %q", len(shown), len(line), got)
			}
		}
	}
}
