package source

import (
	"bytes"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// ParseExpression parses an expression that stands alone. It may have several lines.
func ParseExpression(src []byte, filename string) (hclsyntax.Expression, hcl.Diagnostics) {
	src = ended(src)
	if diags := Check(src, filename); diags.HasErrors() {
		return nil, diags
	}
	expr, diags := hclsyntax.ParseExpression(src, filename, hcl.InitialPos)
	if diags.HasErrors() {
		if declares := declaration(src, filename); declares != nil {
			return nil, declares
		}
		return nil, firstErrors(diags, src, filename)
	}
	return expr, append(changedText(src, filename), DuplicateKeys(expr)...)
}

// declaration is the error that a source is an assignment or a block, nil if it is neither.
func declaration(src []byte, filename string) hcl.Diagnostics {
	const summary = "Not an expression"
	tokens, _ := hclsyntax.LexExpression(src, filename, hcl.InitialPos)
	depth := 0
	for i, token := range tokens {
		switch token.Type {
		case hclsyntax.TokenEqual:
			if depth == 0 {
				return Problem(summary, token.Range, "Nothing can be assigned here. To see a value, write the expression alone; "+
					"to compare two values, write ==. What a name stands for is declared in a file of the configuration.")
			}
		case hclsyntax.TokenOBrace:
			if depth == 0 && i > 0 && (tokens[i-1].Type == hclsyntax.TokenIdent || tokens[i-1].Type == hclsyntax.TokenCQuote) {
				return Problem(summary, hcl.RangeBetween(tokens[0].Range, tokens[i-1].Range), "Blocks are declared in a file of the "+
					"configuration. Here an expression is evaluated, which may refer to them, as in var.name or Pod.name.metadata.")
			}
			depth++
		case hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			depth++
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenTemplateSeqEnd:
			depth--
		}
	}
	return nil
}

// IsBlank reports whether a source has nothing but blanks and comments.
func IsBlank(src []byte) bool {
	tokens, _ := hclsyntax.LexExpression(src, "", hcl.InitialPos)
	for _, token := range tokens {
		switch token.Type {
		case hclsyntax.TokenNewline, hclsyntax.TokenComment, hclsyntax.TokenEOF:
		default:
			return false
		}
	}
	return true
}

// IsOpen reports whether an expression goes on in the next line: a bracket or a heredoc
// is open. A text in quotes ends in its line.
func IsOpen(src []byte) bool {
	tokens, _ := hclsyntax.LexExpression(ended(src), "", hcl.InitialPos)
	var open []hclsyntax.TokenType
	for _, token := range tokens {
		switch token.Type {
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenOHeredoc, hclsyntax.TokenOQuote,
			hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			open = append(open, token.Type)
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenCHeredoc, hclsyntax.TokenCQuote,
			hclsyntax.TokenTemplateSeqEnd:
			open = open[:max(len(open)-1, 0)]
		case hclsyntax.TokenQuotedNewline, hclsyntax.TokenInvalid, hclsyntax.TokenBadUTF8:
			return false // a mistake, which more lines won't cure
		}
	}
	return len(open) > 0 && open[len(open)-1] != hclsyntax.TokenOQuote
}

// ended is a source with the end of line behind it that ends a heredoc.
func ended(src []byte) []byte {
	src = bytes.TrimRight(src, "\r\n")
	if !bytes.Contains(src, []byte("<<")) {
		return src
	}
	return append(slices.Clip(src), '\n')
}
