package hclspec

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/spectest"
	"kplan.dev/kplan/kinds"
)

// maxErrorsOfMutant is how many errors one mistake may be reported as.
const maxErrorsOfMutant = 5

// TestMutants makes one mistake at a time in a valid configuration, as a slip of the hand
// would, and checks how each is answered: without a panic, in time, with a few errors that
// all name a file and a line.
func TestMutants(t *testing.T) {
	count := 400
	if spectest.Full() {
		count = 5000
	}
	from, err := filepath.Glob("testdata/mutants/*")
	if err != nil || len(from) == 0 {
		t.Fatalf("no configurations: %v", err)
	}
	stats := map[string]int{}
	for i, file := range from {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		m := mutator{name: "main.kplan" + filepath.Ext(file), rand: rand.New(rand.NewPCG(uint64(i), 1)), src: text}
		if diags := answerMutant(t, m.name, text); diags.HasErrors() {
			t.Fatalf("%s: %v", file, diags)
		}
		m.scan()
		for range count / len(from) {
			what, mutant := m.next()
			checkMutant(t, stats, m.name, what, mutant)
		}
	}
	for _, what := range slices.Sorted(maps.Keys(stats)) {
		t.Logf("%s: %d", what, stats[what])
	}
}

func checkMutant(t *testing.T, stats map[string]int, name, what string, mutant []byte) {
	t.Helper()
	begin := time.Now()
	errs := answerMutant(t, name, mutant).Errs()
	if took := time.Since(begin); took > 20*time.Second {
		t.Errorf("%s: took %s", what, took)
	}
	stats["mutants"]++
	if len(errs) > 0 {
		stats["mutants that are refused"]++
	}
	stats[fmt.Sprintf("with %d errors", len(errs))]++
	if len(errs) > maxErrorsOfMutant {
		t.Errorf("%s: %d errors: %v", what, len(errs), errs)
	}
	for _, err := range errs {
		d := err.(*hcl.Diagnostic)
		if d.Subject == nil || filepath.Base(d.Subject.Filename) != name || d.Subject.Start.Line < 1 ||
			d.Subject.Start.Line > bytes.Count(mutant, []byte("\n"))+2 {
			t.Errorf("%s: an error that has no line in the file: %v", what, err)
		}
	}
}

// answerMutant is all that validating and planning without a cluster report.
func answerMutant(t *testing.T, name string, text []byte) hcl.Diagnostics {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
		t.Fatal(err)
	}
	diags := answersTo(dir)
	spectest.CheckDiagnostics(t, diags)
	return diags
}

func answersTo(dir string) hcl.Diagnostics {
	c, diags := config.Load(context.Background(), dir)
	if diags.HasErrors() {
		return diags
	}
	values, problems := c.ReadVariables(config.Inputs{Partial: true})
	_, clusterProblems := c.Cluster(values)
	_, backendProblems := c.Backend(values, nil)
	if diags = slices.Concat(diags, problems, clusterProblems, backendProblems); diags.HasErrors() {
		return diags
	}
	preview, problems := NewPreview(context.Background(), c, Options{Variables: values, Kinds: kinds.Builtin()})
	if diags = slices.Concat(diags, problems); diags.HasErrors() {
		return diags
	}
	diags = slices.Concat(diags, preview.Warnings(nil), preview.Violations())
	_, problems = Walk(context.Background(), preview, WalkOptions{Parallelism: 1},
		func(_ context.Context, d *Desired, _ map[addrs.Instance]int) (Observed, int, error) {
			return served(d), 0, nil
		})
	return append(diags, problems...)
}

// mutator makes mistakes in a source.
type mutator struct {
	name   string
	rand   *rand.Rand
	src    []byte
	tokens hclsyntax.Tokens
	values []hcl.Range // of expressions
}

// scan finds what can be mistaken.
func (m *mutator) scan() {
	tokens, _ := hclsyntax.LexConfig(m.src, m.name, hcl.InitialPos)
	for _, token := range tokens {
		if len(bytes.TrimSpace(token.Bytes)) > 0 && token.Type != hclsyntax.TokenComment {
			m.tokens = append(m.tokens, token)
		}
	}
	if strings.HasSuffix(m.name, ".json") {
		m.values = jsonScalars(m.tokens)
		return
	}
	file, _ := hclsyntax.ParseConfig(m.src, m.name, hcl.InitialPos)
	_ = hclsyntax.VisitAll(file.Body.(*hclsyntax.Body), func(node hclsyntax.Node) hcl.Diagnostics {
		switch node := node.(type) {
		case *hclsyntax.Attribute:
			m.values = append(m.values, node.Expr.Range())
		case *hclsyntax.ObjectConsExpr:
			for _, item := range node.Items {
				m.values = append(m.values, item.ValueExpr.Range())
			}
		case *hclsyntax.TupleConsExpr:
			for _, element := range node.Exprs {
				m.values = append(m.values, element.Range())
			}
		case *hclsyntax.FunctionCallExpr:
			for _, arg := range node.Args {
				m.values = append(m.values, arg.Range())
			}
		}
		return nil
	})
}

// jsonScalars are the ranges of the strings, numbers and words that stand behind a colon.
func jsonScalars(tokens hclsyntax.Tokens) []hcl.Range {
	var found []hcl.Range
	for i, token := range tokens {
		if token.Type != hclsyntax.TokenColon || i+1 == len(tokens) {
			continue
		}
		at, depth := tokens[i+1].Range, 0
		for _, next := range tokens[i+1:] {
			at.End = next.Range.End
			switch next.Type {
			case hclsyntax.TokenOQuote, hclsyntax.TokenTemplateInterp, hclsyntax.TokenOBrace, hclsyntax.TokenOBrack:
				depth++
			case hclsyntax.TokenCQuote, hclsyntax.TokenTemplateSeqEnd, hclsyntax.TokenCBrace, hclsyntax.TokenCBrack:
				depth--
			}
			if depth == 0 {
				break
			}
		}
		found = append(found, at)
	}
	return found
}

// insteadOf are the expressions that take the place of another.
var insteadOf = []string{
	`null`, `Pod.web.metadata.uid`, `Pod.web`, `sensitive("x")`, `sensitive(null)`, `-1`, `0.5`, `1e400`, `9223372036854775808`, `1/0`,
	`"${""}"`, `"\u0000\u007f\ufffe"`, `[]`, `{}`, `[null]`, `{ x = null }`, `true`, `toset([])`, `[sensitive("x"), Pod.web.metadata.uid]`,
	`{ (Pod.web.metadata.uid) = 1 }`, `join("", [for i in range(1000) : "0123456789"])`, `nope`, `var.nope`, `each.value`, `count.index`,
	`self`, `Pod.nope.metadata.name`, `undefined()`, `var.name...`, `[for x in var.ports : x...]`, `tonumber("Inf")`, `"\ud800"`,
	`jsondecode("{")`, `yamldecode("a: &a [*a]")`, `Pod.web.status.podIP`, `Pod.web.spec.containers[*].name`, `Pod.web[0]`, `Pod`, `var`,
}

// next is the next mutant, and what was done to it.
func (m *mutator) next() (what string, mutant []byte) {
	splice := func(from, to int, by string) []byte {
		return slices.Concat(m.src[:from], []byte(by), m.src[to:])
	}
	i := m.rand.IntN(len(m.tokens) - 1)
	a, b := m.tokens[i], m.tokens[i+1]
	first, second := a.Range, b.Range
	switch m.rand.IntN(8) {
	case 0:
		at := m.rand.IntN(len(m.src))
		return fmt.Sprintf("%s: cut off at byte %d", m.name, at), m.src[:at]
	case 1:
		return fmt.Sprintf("%s: without %q at %s", m.name, a.Bytes, first), splice(first.Start.Byte, first.End.Byte, "")
	case 2:
		between := string(m.src[first.End.Byte:second.Start.Byte])
		return fmt.Sprintf("%s: %q and %q swapped at %s", m.name, a.Bytes, b.Bytes, first),
			splice(first.Start.Byte, second.End.Byte, string(b.Bytes)+between+string(a.Bytes))
	case 3:
		return fmt.Sprintf("%s: %q twice at %s", m.name, a.Bytes, first), splice(first.End.Byte, first.End.Byte, " "+string(a.Bytes))
	}
	at, by := m.values[m.rand.IntN(len(m.values))], insteadOf[m.rand.IntN(len(insteadOf))]
	if strings.HasSuffix(m.name, ".json") && by != "null" && by != "-1" && by != "1e400" && by != "[null]" {
		by = fmt.Sprintf("%q", "${"+by+"}")
	}
	return fmt.Sprintf("%s: %s at %s", m.name, by, at), splice(at.Start.Byte, at.End.Byte, by)
}
