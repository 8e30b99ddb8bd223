package source

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
)

// Format formats source in the one style of all configurations: two spaces, equals signs of
// neighbouring lines below one another. It also rewrites old spellings: "${expr}" as expr, resource
// Pod web as resource "Pod" "web", type = "string" as type = string. It moves nothing and changes
// no meaning. Source with a syntax error comes back as it was, with the error.
func Format(src []byte, filename string) ([]byte, hcl.Diagnostics) {
	if diags := checkSyntax(src, filename); diags.HasErrors() {
		return src, diags
	}
	file, diags := hclwrite.ParseConfig(src, filename, hcl.InitialPos)
	if diags.HasErrors() {
		return src, diags
	}
	respell(file.Body(), nil)
	formatted := settled(file.Bytes())
	if checkSyntax(formatted, filename).HasErrors() {
		return settled(src), nil // an old spelling is better than a broken one
	}
	return formatted, nil
}

func checkSyntax(src []byte, filename string) hcl.Diagnostics {
	_, diags := parseNative(src, filename)
	return diags
}

// settled formats until nothing changes any more: what one pass does to the
// spaces around a comment can move the alignment of the next one.
func settled(src []byte) []byte {
	for range 8 {
		next := hclwrite.Format(src)
		if bytes.Equal(next, src) {
			break
		}
		src = next
	}
	return src
}

// respell rewrites old spellings in a body, which is inside of these blocks.
func respell(body *hclwrite.Body, inside []string) {
	for name, attr := range body.Attributes() {
		tokens := attr.Expr().BuildTokens(nil)
		spell := unwrap
		if slices.Equal(inside, []string{"variable"}) && name == "type" {
			spell = unquoteType
		}
		if spelled := spell(tokens); !bytes.Equal(spelled.Bytes(), tokens.Bytes()) {
			body.SetAttributeRaw(name, spelled)
		}
	}
	for _, block := range body.Blocks() {
		if len(block.Labels()) > 0 {
			block.SetLabels(block.Labels())
		}
		respell(block.Body(), append(inside, block.Type()))
	}
}

// unwrap turns a template that is nothing but one interpolation into the
// expression in it: "${a}" into a.
func unwrap(tokens hclwrite.Tokens) hclwrite.Tokens {
	for {
		inside := unwrapOnce(tokens)
		if len(inside) == len(tokens) {
			return tokens
		}
		tokens = inside
	}
}

func unwrapOnce(tokens hclwrite.Tokens) hclwrite.Tokens {
	last := len(tokens) - 1
	if last < 4 || tokens[0].Type != hclsyntax.TokenOQuote || tokens[1].Type != hclsyntax.TokenTemplateInterp ||
		tokens[last-1].Type != hclsyntax.TokenTemplateSeqEnd || tokens[last].Type != hclsyntax.TokenCQuote {
		return tokens
	}
	inside := trimNewlines(tokens[2 : last-1])
	depth, lines := 0, false
	for _, token := range inside {
		switch token.Type {
		case hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			depth++
		case hclsyntax.TokenTemplateSeqEnd:
			if depth--; depth < 0 {
				return tokens // "${a}${b}": two interpolations
			}
		case hclsyntax.TokenNewline:
			lines = true
		case hclsyntax.TokenComment:
			return tokens // one to the end of the line would swallow what follows
		case hclsyntax.TokenOHeredoc:
			return tokens
		}
	}
	if !lines {
		return inside
	}
	open := &hclwrite.Token{Type: hclsyntax.TokenOParen, Bytes: []byte("(")}
	closing := &hclwrite.Token{Type: hclsyntax.TokenCParen, Bytes: []byte(")")}
	return append(append(hclwrite.Tokens{open}, inside...), closing)
}

func trimNewlines(tokens hclwrite.Tokens) hclwrite.Tokens {
	for len(tokens) > 0 && tokens[0].Type == hclsyntax.TokenNewline {
		tokens = tokens[1:]
	}
	for len(tokens) > 0 && tokens[len(tokens)-1].Type == hclsyntax.TokenNewline {
		tokens = tokens[:len(tokens)-1]
	}
	return tokens
}

// oldTypes are types as they were once written, without what they hold.
var oldTypes = map[string]string{
	`"string"`: "string", `"number"`: "number", `"bool"`: "bool", `"any"`: "any",
	`"list"`: "list(string)", `"map"`: "map(string)", `"set"`: "set(string)",
	"list": "list(any)", "map": "map(any)", "set": "set(any)",
}

func unquoteType(tokens hclwrite.Tokens) hclwrite.Tokens {
	name, ok := oldTypes[string(bytes.TrimSpace(tokens.Bytes()))]
	if !ok {
		return tokens
	}
	return hclwrite.Tokens{{Type: hclsyntax.TokenIdent, Bytes: []byte(name)}}
}

// formattable are the endings of the files that Format is for. Files in JSON
// are left alone: programs write them.
var formattable = []string{".kplan.hcl", ".kpvars.hcl"}

// FilesToFormat lists the files at path that Format is for: path itself, or
// those in it when it is a directory, and with recursive those in the
// directories below. Hidden files and directories are left out.
func FilesToFormat(path string, recursive bool) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		if !isFormattable(path) {
			what := "is not named like a file of kplan's language"
			if strings.HasSuffix(path, ".json") {
				what = "is in JSON"
			}
			return nil, fmt.Errorf("the file %s %s: only files named *%s are formatted", path, what, strings.Join(formattable, ", *"))
		}
		return []string{path}, nil
	}
	var files []string
	err = filepath.WalkDir(path, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name == path:
			return nil
		case entry.IsDir() && (!recursive || isIgnored(entry.Name())):
			return fs.SkipDir
		case entry.Type().IsRegular() && isFormattable(name) && !isIgnored(entry.Name()):
			files = append(files, name)
		}
		return nil
	})
	return files, err
}

func isFormattable(name string) bool {
	return slices.ContainsFunc(formattable, func(ending string) bool { return strings.HasSuffix(name, ending) })
}
