package source

import (
	"bytes"
	"slices"
	"strings"

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

// Lines gathers the lines of an expression. It goes on in the next line while a bracket or a heredoc is
// open; a text in quotes ends in its line.
type Lines struct {
	text strings.Builder
	// open is what is open, the innermost last. hclsyntax tells, and is given no more than a line where
	// that is all that can change it.
	open    []hclsyntax.TokenType
	heredoc string // the word that ends the open one
	nested  bool   // a line alone can't be understood
}

// Add adds a line, and reports whether the expression is complete.
func (l *Lines) Add(line string) bool {
	isFirst := l.text.Len() == 0
	l.text.WriteString(line + "\n")
	switch {
	case l.heredoc != "" && strings.TrimSpace(line) != l.heredoc:
		return false
	case isFirst, l.nested, l.heredoc != "", strings.Contains(line, "<<"):
		l.open = l.open[:0]
		return l.read(l.text.String())
	}
	return l.read(line)
}

// Len is how many bytes there are.
func (l *Lines) Len() int { return l.text.Len() }

// Take returns the expression, and begins the next one.
func (l *Lines) Take() string {
	text := l.text.String()
	*l = Lines{}
	return text
}

// read goes on with what is open, and reports whether nothing is.
func (l *Lines) read(text string) (complete bool) {
	tokens, _ := hclsyntax.LexExpression(ended([]byte(text)), "", hcl.InitialPos)
	l.heredoc = ""
	for _, token := range tokens {
		switch token.Type {
		case hclsyntax.TokenOHeredoc:
			l.heredoc = strings.Trim(string(token.Bytes), "<-\r\n \t")
			l.open = append(l.open, token.Type)
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenOQuote,
			hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			l.open = append(l.open, token.Type)
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenCHeredoc, hclsyntax.TokenCQuote,
			hclsyntax.TokenTemplateSeqEnd:
			l.open = l.open[:max(len(l.open)-1, 0)]
		case hclsyntax.TokenQuotedNewline, hclsyntax.TokenInvalid, hclsyntax.TokenBadUTF8:
			return true // a mistake, which more lines won't cure
		}
	}
	if len(l.open) == 0 || l.open[len(l.open)-1] == hclsyntax.TokenOQuote {
		return true
	}
	if l.open[len(l.open)-1] != hclsyntax.TokenOHeredoc {
		l.heredoc = ""
	}
	l.nested = slices.ContainsFunc(l.open, func(t hclsyntax.TokenType) bool {
		return t == hclsyntax.TokenOQuote || t == hclsyntax.TokenTemplateInterp || t == hclsyntax.TokenTemplateControl
	})
	return false
}

// ended is a source with the end of line behind it that ends a heredoc.
func ended(src []byte) []byte {
	src = bytes.TrimRight(src, "\r\n")
	if !bytes.Contains(src, []byte("<<")) {
		return src
	}
	return append(slices.Clip(src), '\n')
}
