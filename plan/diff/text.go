package diff

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"github.com/aymanbagabas/go-udiff/lcs"

	"kplan.dev/kplan/kinds"
)

// Line is one line of a Text, or a run of unchanged lines that is not listed.
type Line struct {
	Op      Op
	Text    string // without its newline
	NoEnd   bool   // no newline follows: the string ends here
	Skipped int    // how many unchanged lines this stands for, 0 for a line
}

// contextLines is how many unchanged lines are listed around a change.
const contextLines = 3

// Binary is in Before and After for bytes that are not text.
type Binary struct {
	Size   int
	Digest string // the first bytes of the SHA-256, in hex
}

// leaves compares single values.
func (d *differ) leaves(at position, diff *Difference) {
	diff.Shape = Leaf
	diff.Op = leafOp(at.field, diff.Before, diff.After)
	if diff.Op == NoOp {
		return
	}
	if valueShape(diff.Before) != valueShape(diff.After) {
		diff.Before, diff.After = at.view(diff.Before).Value, at.view(diff.After).Value
	}
	before, beforeIs := text(diff.Before)
	after, afterIs := text(diff.After)
	switch {
	case !beforeIs || !afterIs:
	case at.field != nil && at.field.Type == kinds.Bytes:
		d.bytes(at, diff)
	case d.structured(at, diff, before, after):
	case isMultiline(before) || isMultiline(after):
		diff.Shape, diff.Lines = Text, diffLines(before, after)
	}
}

// text is a string, or the "" that an absent value counts as.
func text(value any) (string, bool) {
	if value == nil {
		return "", true
	}
	s, ok := value.(string)
	return s, ok
}

func isMultiline(s string) bool {
	return strings.Contains(strings.TrimSuffix(s, "\n"), "\n")
}

// bytes compares base64 data: as the text that it is, otherwise by
// size and digest.
func (d *differ) bytes(at position, diff *Difference) {
	before, beforeIs := decoded(diff.Before)
	after, afterIs := decoded(diff.After)
	switch {
	case !beforeIs || !afterIs:
	case utf8.Valid(before) && utf8.Valid(after):
		d.encoded(at, diff, Base64, presentText(diff.Before, before), presentText(diff.After, after))
	default:
		diff.Before, diff.After = binary(diff.Before, before), binary(diff.After, after)
	}
}

func decoded(value any) ([]byte, bool) {
	s, ok := text(value)
	if !ok {
		return nil, false
	}
	raw, err := base64.StdEncoding.DecodeString(s)
	return raw, err == nil
}

// presentText is the decoded text, or nil where there was no value.
func presentText(value any, raw []byte) any {
	if value == nil {
		return nil
	}
	return string(raw)
}

func binary(value any, raw []byte) any {
	if value == nil {
		return nil
	}
	sum := sha256.Sum256(raw)
	return Binary{Size: len(raw), Digest: hex.EncodeToString(sum[:6])}
}

// encoded makes diff a string that holds other values, and compares those.
func (d *differ) encoded(at position, diff *Difference, encoding Encoding, before, after any) {
	d.depth++
	defer func() { d.depth-- }()
	inside := d.values(position{path: at.path, name: at.name, replace: at.replace}, before, after)
	diff.Shape, diff.Encoding, diff.Children = Encoded, encoding, []*Difference{inside}
}

// diffLines lists what changes between two texts, with some lines around it.
func diffLines(before, after string) []Line {
	a, b := splitLines(before), splitLines(after)
	var lines []Line
	passed := 0
	edits := lcs.DiffLines(a, b)
	for i, edit := range edits {
		lines = appendContext(lines, a[passed:edit.Start], i > 0, true)
		lines = appendLines(lines, Removed, a[edit.Start:edit.End])
		lines = appendLines(lines, Added, b[edit.ReplStart:edit.ReplEnd])
		passed = edit.End
	}
	return appendContext(lines, a[passed:], len(edits) > 0, false)
}

// splitLines cuts a text into lines that keep their newlines.
func splitLines(s string) []string {
	if s == "" {
		return nil
	}
	lines := strings.SplitAfter(s, "\n")
	if last := len(lines) - 1; lines[last] == "" {
		lines = lines[:last]
	}
	return lines
}

func appendLines(lines []Line, op Op, texts []string) []Line {
	for _, s := range texts {
		content, ended := strings.CutSuffix(s, "\n")
		lines = append(lines, Line{Op: op, Text: content, NoEnd: !ended})
	}
	return lines
}

// appendContext appends the ends of a run of unchanged lines that are near a
// change, and a count of those between.
func appendContext(lines []Line, run []string, follows, precedes bool) []Line {
	head, tail := contextLines*truth(follows), contextLines*truth(precedes)
	if head+tail+1 >= len(run) {
		return appendLines(lines, NoOp, run)
	}
	lines = appendLines(lines, NoOp, run[:head])
	lines = append(lines, Line{Skipped: len(run) - head - tail})
	return appendLines(lines, NoOp, run[len(run)-tail:])
}
