package source

import (
	"bytes"
	"encoding/json"
	"math/big"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// The parsers and evaluators of HCL are recursive, and a Go program can't
// recover from a stack that overflows. So every source is scanned, which needs
// no stack, before it is parsed.
const (
	MaxNesting = 200  // brackets, braces, parentheses and templates inside one another
	maxChain   = 1000 // operators, steps and template directives in one expression
	// maxLines bounds the lines of one template: the parser's time grows with
	// their square, to minutes for a file of the largest size.
	maxLines = 10_000
	// maxCopied bounds what it copies for one template, in lines times bytes: with each line all that it has of it.
	// It takes two seconds, and is reached by 10,000 lines of 100 characters, or 1,000 of 10,000.
	maxCopied = 10_000_000_000
)

// Check reports source in HCL's native syntax that is not fit to be
// parsed: nested too deeply, or not text.
func Check(src []byte, filename string) hcl.Diagnostics {
	if diags := checkEncoding(src, filename); diags.HasErrors() {
		return diags
	}
	if isPlain(src) {
		return nil
	}
	tokens, _ := hclsyntax.LexConfig(src, filename, hcl.InitialPos)
	return checkTokens(tokens)
}

// isPlain reports that all of a source, in one expression, would not reach the limits. That spares
// most files the scan, which takes as long as parsing them.
func isPlain(src []byte) bool {
	openers, others, digits := 0, 0, 0
	for i, c := range src {
		if isDigit(c) || c == '.' || c == 'e' || c == 'E' || c == '+' || c == '-' {
			if digits++; digits > exactDigits {
				return false // if it is a number
			}
		} else {
			digits = 0
		}
		switch {
		case c == ' ', c == '_', isDigit(c), 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
			if (c == 'e' || c == 'E') && isHugeExponent(src[i+1:]) {
				return false // if it is one
			}
		case c == '{', c == '[', c == '(', c == '"', c == '<':
			openers++
		default:
			others++ // newlines are tokens, too
		}
	}
	return openers < MaxNesting && openers+others < maxChain
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// checkEncoding reports source that is not UTF-8. HCL's scanner lets some of it
// pass, as the name of a block's label.
func checkEncoding(src []byte, filename string) hcl.Diagnostics {
	if utf8.Valid(src) {
		return nil
	}
	pos := hcl.InitialPos
	for rest := src; ; {
		r, size := utf8.DecodeRune(rest)
		if r == utf8.RuneError && size < 2 {
			break
		}
		rest, pos.Byte, pos.Column = rest[size:], pos.Byte+size, pos.Column+1
		if r == '\n' {
			pos.Line, pos.Column = pos.Line+1, 1
		}
	}
	end := pos
	end.Byte, end.Column = pos.Byte+1, pos.Column+1
	return Problem("Invalid character encoding", hcl.Range{Filename: filename, Start: pos, End: end},
		"The file is not text in UTF-8 from here on. Let the editor save it in that encoding.")
}

// CheckTemplate is checkSource for the text of a template.
func CheckTemplate(src []byte, filename string) hcl.Diagnostics {
	if !IsTemplate(src) {
		return nil
	}
	tokens, _ := hclsyntax.LexTemplate(src, filename, hcl.InitialPos)
	return checkTokens(tokens)
}

// IsTemplate reports whether text holds anything that a template would change.
func IsTemplate(text []byte) bool {
	return bytes.Contains(text, []byte("${")) || bytes.Contains(text, []byte("%{"))
}

func checkTokens(tokens hclsyntax.Tokens) hcl.Diagnostics {
	type level struct {
		opener hclsyntax.TokenType
		chain  int
		lines  int
		size   int // of those lines, in bytes
	}
	levels := []level{{}}
	for _, token := range tokens {
		if token.Type == hclsyntax.TokenNumberLit && IsHugeNumber(string(token.Bytes)) {
			return hugeNumber(token.Range)
		}
		top := &levels[len(levels)-1]
		switch token.Type {
		case hclsyntax.TokenTemplateControl:
			top.chain++ // "if" inside "if" opens no bracket
			levels = append(levels, level{opener: token.Type})
		case hclsyntax.TokenOBrack:
			top.chain++ // an index follows a value as an operator does
			levels = append(levels, level{opener: token.Type})
		case hclsyntax.TokenOBrace, hclsyntax.TokenOParen, hclsyntax.TokenOQuote,
			hclsyntax.TokenOHeredoc, hclsyntax.TokenTemplateInterp:
			levels = append(levels, level{opener: token.Type})
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenCQuote,
			hclsyntax.TokenCHeredoc, hclsyntax.TokenTemplateSeqEnd:
			if len(levels) > 1 {
				levels = levels[:len(levels)-1]
			}
		case hclsyntax.TokenComma:
			top.chain = 0
		case hclsyntax.TokenNewline:
			if top.opener == hclsyntax.TokenOBrace || len(levels) == 1 {
				top.chain = 0
			}
		case hclsyntax.TokenStringLit:
			top.lines++
			top.size += len(token.Bytes)
			if top.lines > maxLines || top.lines*top.size > maxCopied {
				return Problem("Text too long", token.Range,
					"A text written out in a configuration, or a template, has %d lines at most, and fewer if they are longer than "+
						"%d characters. "+
						"The file function reads longer ones.", maxLines, maxCopied/maxLines/maxLines)
			}
		case hclsyntax.TokenIdent, hclsyntax.TokenNumberLit, hclsyntax.TokenQuotedLit, hclsyntax.TokenComment:
		default:
			top.chain++
		}
		if len(levels) > MaxNesting || levels[len(levels)-1].chain > maxChain {
			return tooDeep(token.Range)
		}
	}
	return nil
}

// checkJSONSource reports JSON source that is not fit to be parsed, or that
// holds a template which is not.
func checkJSONSource(src []byte, filename string) hcl.Diagnostics {
	if diags := checkEncoding(src, filename); diags.HasErrors() {
		return diags
	}
	depth, line, lineStart := 0, 1, 0
	here := func(i int) hcl.Range {
		pos := hcl.Pos{Line: line, Column: i - lineStart + 1, Byte: i}
		return hcl.Range{Filename: filename, Start: pos, End: hcl.Pos{Line: line, Column: pos.Column + 1, Byte: i + 1}}
	}
	for i := 0; i < len(src); i++ {
		switch src[i] {
		case '\n':
			line, lineStart = line+1, i+1
		case '{', '[':
			if depth++; depth > MaxNesting {
				return tooDeep(here(i))
			}
		case '}', ']':
			depth--
		case '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
			number := src[i : len(src)-len(bytes.TrimLeft(src[i:], "0123456789.eE+-"))]
			if IsHugeNumber(string(number)) {
				return hugeNumber(here(i))
			}
			i += len(number) - 1
		case '"':
			end := i + 1
			for end < len(src) && src[end] != '"' && src[end] != '\n' {
				if src[end] == '\\' {
					end++
				}
				end++
			}
			end = min(end+1, len(src))
			var text string
			if json.Unmarshal(src[i:end], &text) == nil && CheckTemplate([]byte(text), filename).HasErrors() {
				return tooDeep(here(i))
			}
			i = end - 1
			if src[i] == '\n' {
				i--
			}
		}
	}
	return nil
}

const (
	// maxDigits bounds the numbers that are read from text: the time that takes grows with their square.
	maxDigits = 1000
	// exactDigits are kept of any number in the 512 bits that cty reads it into. A few more are of some.
	exactDigits = 153
	someDigits  = 156
)

func hugeNumber(where hcl.Range) hcl.Diagnostics {
	return Problem("Number out of range", where,
		"A number has at most %d digits, of which none is lost, and its exponent has at most three.", exactDigits)
}

// IsHugeNumber reports whether text is a number of which digits would be lost, that would take too long to read, or whose
// exponent would fill the memory once it is written out.
func IsHugeNumber(text string) bool {
	for i, c := range []byte(text) {
		switch {
		case isDigit(c), c == '.', c == '+', c == '-':
		case c == 'e', c == 'E':
			if isHugeExponent([]byte(text[i+1:])) {
				return strings.ContainsAny(text[:i], "0123456789") // else it is a word: e4910
			}
		default:
			return false
		}
	}
	return len(text) > maxDigits || len(text) > exactDigits && losesDigits(text)
}

func losesDigits(text string) bool {
	digits := significant(text)
	if len(digits) <= exactDigits || len(digits) > someDigits {
		return len(digits) > exactDigits
	}
	n, _, err := big.ParseFloat(text, 10, 512, big.ToNearestEven)
	return err == nil && significant(n.Text('e', -1)) != digits
}

// significant are the digits of a number without the zeros around them.
func significant(text string) string {
	mantissa, _, _ := strings.Cut(strings.ToLower(text), "e")
	return strings.Trim(strings.Replace(strings.TrimLeft(mantissa, "+-"), ".", "", 1), "0")
}

// isHugeExponent reports whether what follows the e of a number is an exponent of more
// than three digits. 1e600000000 is a short number that fills all memory once it is
// written out.
func isHugeExponent(text []byte) bool {
	text = bytes.TrimLeft(bytes.TrimLeft(text, "+-"), "0")
	return len(text) > 3 && isDigit(text[0]) && isDigit(text[1]) && isDigit(text[2]) && isDigit(text[3])
}

func tooDeep(where hcl.Range) hcl.Diagnostics {
	return Problem("Too deeply nested", where,
		"More than %d brackets or templates are nested here, or more than %d operators follow one another. Split the "+
			"expression up with locals.", MaxNesting, maxChain)
}
