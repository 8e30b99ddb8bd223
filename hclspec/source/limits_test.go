package source

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"pgregory.net/rapid"
)

func TestNestingLeavesOrdinaryFilesAlone(t *testing.T) {
	var b strings.Builder
	b.WriteString("locals {\n")
	for i := range 3000 {
		fmt.Fprintf(&b, "  a%d = [1 + 2 * 3, { b = \"${x.y.z[0]}\", c = [for k, v in m : v if v != null] }]\n", i)
	}
	fmt.Fprintf(&b, "  list = [%s]\n", strings.Repeat("x.y[0].z, ", 5000))
	fmt.Fprintf(&b, "  object = {\n%s}\n", strings.Repeat("    x = a.b.c + 1\n", 5000))
	fmt.Fprintf(&b, "  text = <<EOT\n%sEOT\n", strings.Repeat("({[ $${ ${x} %{ if y }z%{ endif }\n", 300))
	b.WriteString("}\n")
	if diags := Check([]byte(b.String()), "x"); len(diags) > 0 {
		t.Error(diags)
	}
}

// TestPlainSourceNeedsNoScan compares the quick look at a source with the scan, for
// sources that come close to the limits.
func TestPlainSourceNeedsNoScan(t *testing.T) {
	pieces := []string{"(", "[", "{", "\"", "${", "%{ if x }", "%{", "<<E\n", "<<-E\n", "\nE\n", "\n", "\t", "\t \t",
		"\r\n", ".", "+", "=>", "...", "!", "'",
		"`", "é", "\x00", "#", "//", "/*", "*/", "\\", "a", "e", "x y", "for", "1", "1e999", "1e0999", "1.e1000", "1.5E+99999", "1e+1000",
		"1E-00001", ",", ")", "]", "}", "::"}
	plain, refused := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		var text strings.Builder
		for size := rapid.IntRange(1, 1200).Draw(rt, "size"); text.Len() < size; {
			piece := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 1, 3).Draw(rt, "pieces"), "")
			text.WriteString(strings.Repeat(piece, rapid.SampledFrom([]int{1, 2, 66, 99, 198, 199, 200, 330, 500, 998, 1000}).Draw(rt, "times")))
		}
		src := []byte(text.String())
		tokens, _ := hclsyntax.LexConfig(src, "x", hcl.InitialPos)
		diags := checkTokens(tokens)
		if isPlain(src) {
			plain++
			if diags.HasErrors() {
				rt.Fatalf("%q passes for plain: %v", src, diags)
			}
		}
		if diags.HasErrors() {
			refused++
		}
	})
	t.Logf("%d plain sources, %d refused", plain, refused)
	if plain == 0 || refused == 0 {
		t.Errorf("%d plain sources, %d refused", plain, refused)
	}
}
