package source

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"golang.org/x/text/unicode/norm"
)

// IsNormal reports whether text is in Unicode's normal form C. Every value of HCL is brought into
// it, so any other text would not arrive as it was written: e and an accent would become é.
func IsNormal(text string) bool { return norm.NFC.IsNormalString(text) }

// changedText warns of the first text of a source that is not in the normal form. Comments may be.
func changedText(src []byte, filename string) hcl.Diagnostics {
	if norm.NFC.IsNormal(src) {
		return nil
	}
	at := byteRange(src, filename, norm.NFC.QuickSpan(src), norm.NFC.QuickSpan(src)+1)
	if !strings.HasSuffix(filename, ".json") {
		tokens, _ := hclsyntax.LexConfig(src, filename, hcl.InitialPos)
		found := false
		for _, token := range tokens {
			if token.Type != hclsyntax.TokenComment && !norm.NFC.IsNormal(token.Bytes) {
				at, found = token.Range, true
				break
			}
		}
		if !found {
			return nil
		}
	}
	diags := Problem("Text is changed", at, "This text is not in Unicode's normal form C, in which every value is: it becomes "+
		"other bytes that look the same. Where the bytes count, as in a password, give the value in base64: "+
		"in data of a Secret or binaryData of a ConfigMap.")
	diags[0].Severity = hcl.DiagWarning
	return diags
}
