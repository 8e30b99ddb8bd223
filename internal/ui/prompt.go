package ui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"github.com/clipperhouse/displaywidth"
	"golang.org/x/term"

	"kplan.dev/kplan/internal/files"
	"kplan.dev/kplan/internal/render"
)

// Prompt reads lines at the terminal, which can be edited, completed and called back with the
// arrow keys. Between two lines the terminal is as it was before.
type Prompt struct {
	terminal *term.Terminal
	from, to *os.File
	keys     *keys
}

// ErrCleared means that the line was given up by Ctrl-C.
var ErrCleared = errors.New("the line was cleared")

// ErrLineTooLong means that a line is longer than can be typed: the rest was not read.
var ErrLineTooLong = errors.New("the line is too long")

// longestTyped is how many characters a Terminal keeps of a line.
const longestTyped = 4096

// Complete is given a line up to the cursor. It returns the word that this ends with, and what it may
// become.
type Complete func(before string) (word string, candidates []string)

// NewPrompt returns a prompt, nil where nobody sits at a terminal. It ends with ctx.
func (s *Streams) NewPrompt(ctx context.Context, complete Complete) *Prompt {
	from, ok := s.In.(*os.File)
	if !ok || !s.Terminal {
		return nil
	}
	to := os.Stdout
	if !isTerminal(to) {
		to = os.Stderr
	}
	p := &Prompt{from: from, to: to, keys: &keys{from: files.Reader(ctx, from)}}
	p.terminal = term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{p.keys, to}, "")
	p.terminal.History = &history{}
	p.terminal.AutoCompleteCallback = func(line string, pos int, key rune) (string, int, bool) {
		if key != '\t' {
			return "", 0, false
		}
		word, candidates := complete(line[:pos])
		insert := strings.TrimPrefix(common(candidates), word)
		if insert == "" && len(candidates) > 1 {
			fmt.Fprint(p.terminal, p.columns(candidates))
		}
		return line[:pos] + insert + line[pos:], pos + len(insert), true
	}
	return p
}

// common is what all texts begin with.
func common(texts []string) string {
	if len(texts) == 0 {
		return ""
	}
	first, last := slices.Min(texts), slices.Max(texts)
	n := 0
	for n < min(len(first), len(last)) && first[n] == last[n] {
		n++
	}
	return strings.ToValidUTF8(first[:n], "")
}

// most is how many candidates are shown.
const most = 200

// columns are lines with as many candidates side by side as the terminal has room for.
func (p *Prompt) columns(candidates []string) string {
	width, _, err := term.GetSize(int(p.to.Fd()))
	if err != nil || width <= 0 {
		width = 80
	}
	more := ""
	if len(candidates) > most {
		more = fmt.Sprintf("… %d more\n", len(candidates)-most)
		candidates = candidates[:most]
	}
	widest := 0
	for _, c := range candidates {
		widest = max(widest, displaywidth.String(render.Clean(c))+2)
	}
	perLine := max(1, width/widest)
	var text strings.Builder
	for i, c := range candidates {
		c = render.Clean(c)
		text.WriteString(c)
		if i == len(candidates)-1 || (i+1)%perLine == 0 {
			text.WriteString("\n")
		} else {
			text.WriteString(strings.Repeat(" ", widest-displaywidth.String(c)))
		}
	}
	return text.String() + more
}

// history are the lines that were typed, without those that are blank or as the one before.
type history struct{ lines []string }

func (h *history) Add(line string) {
	if strings.TrimSpace(line) != "" && (len(h.lines) == 0 || h.lines[len(h.lines)-1] != line) {
		h.lines = append(h.lines, line)
	}
}

func (h *history) Len() int { return len(h.lines) }

// At is the line of that age, 0 for the latest.
func (h *history) At(age int) string { return h.lines[len(h.lines)-1-age] }

// Line reads a line. It returns io.EOF at the end of the input, ErrCleared after Ctrl-C, and the
// error of the prompt's ctx once that ends.
func (p *Prompt) Line(prompt string) (string, error) {
	before, err := term.MakeRaw(int(p.from.Fd()))
	if err != nil {
		return "", err
	}
	defer func() { _ = term.Restore(int(p.from.Fd()), before) }()
	if width, height, err := term.GetSize(int(p.to.Fd())); err == nil && width > 0 {
		_ = p.terminal.SetSize(width, height)
	}
	p.terminal.SetBracketedPasteMode(true)
	defer p.terminal.SetBracketedPasteMode(false)
	p.terminal.SetPrompt(prompt)
	line, err := p.terminal.ReadLine()
	switch {
	case p.keys.cleared.Swap(false):
		return "", ErrCleared
	case err != nil && !errors.Is(err, term.ErrPasteIndicator):
		return "", err
	case len([]rune(line)) >= longestTyped:
		return "", ErrLineTooLong
	}
	return line, nil
}

// keys are the characters that are typed. Ctrl-C, with which a Terminal ends, clears the line; bytes that
// are no character, after which it would wait for more, are left out.
type keys struct {
	from    io.Reader
	partial []byte // of a character
	rest    []byte
	cleared atomic.Bool
}

const ctrlC, ctrlE, ctrlU = 3, 5, 21

func (k *keys) Read(p []byte) (int, error) {
	for len(k.rest) == 0 {
		typed := make([]byte, 256)
		n, err := k.from.Read(typed)
		if n == 0 && err != nil {
			return 0, err
		}
		k.rest, k.partial = characters(append(k.partial, typed[:n]...))
	}
	if k.rest[0] == ctrlC {
		k.cleared.Store(true)
		k.rest = append([]byte{ctrlE, ctrlU, '\r'}, k.rest[1:]...)
	}
	n := 0
	for n < len(p) && n < len(k.rest) && k.rest[n] != ctrlC {
		p[n] = k.rest[n]
		n++
	}
	k.rest = k.rest[n:]
	return n, nil
}

// characters are those that a text begins with, without what is none, and what may be the beginning of
// one more.
func characters(text []byte) (whole, partial []byte) {
	for len(text) > 0 && utf8.FullRune(text) {
		r, size := utf8.DecodeRune(text)
		if r != utf8.RuneError {
			whole = append(whole, text[:size]...)
		}
		text = text[size:]
	}
	return whole, text
}
