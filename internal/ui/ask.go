package ui

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"kplan.dev/kplan/internal/render"
)

// Question is what kplan asks on a terminal.
type Question struct {
	Title  string
	Text   string // lines below the title
	Hidden bool   // the answer is not shown
}

var (
	errNoAnswer = errors.New("no answer was given")
	errNotAsked = errors.New("input is disabled")
)

// Ask asks and waits for a line, or for the end of ctx.
func (s *Streams) Ask(ctx context.Context, q Question) (string, error) {
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	fmt.Fprintf(s.Out, "%s\n", s.Bold(q.Title))
	for line := range strings.Lines(q.Text) {
		fmt.Fprintf(s.Out, "  %s\n", render.Clean(strings.TrimRight(line, "\r\n")))
	}
	fmt.Fprintf(s.Out, "\n  %s ", s.Bold("Enter a value:"))
	type reply struct {
		line string
		err  error
	}
	replies := make(chan reply, 1)
	restore := keepTerminal(s.In, q.Hidden)
	go func() {
		line, err := readLine(s.In, q.Hidden)
		replies <- reply{line, err}
	}()
	select {
	case r := <-replies:
		if q.Hidden || !s.Terminal || r.err != nil {
			fmt.Fprintln(s.Out) // no echo of the answer has ended the line
		}
		return r.line, r.err
	case <-ctx.Done():
		restore()
		fmt.Fprintln(s.Out)
		return "", context.Cause(ctx)
	}
}

// keepTerminal notes the terminal's state before a hidden answer, for an
// interrupt would leave it without echo.
func keepTerminal(r io.Reader, hidden bool) (restore func()) {
	file, ok := r.(*os.File)
	if !ok || !hidden {
		return func() {}
	}
	state, err := term.GetState(int(file.Fd()))
	if err != nil {
		return func() {}
	}
	return func() { _ = term.Restore(int(file.Fd()), state) }
}

func readLine(r io.Reader, hidden bool) (string, error) {
	if file, ok := r.(*os.File); ok && hidden && term.IsTerminal(int(file.Fd())) {
		return readHidden(file)
	}
	line, err := bufio.NewReader(oneByte{r}).ReadString('\n')
	if err == io.EOF && line != "" {
		err = nil
	}
	if err == io.EOF {
		err = errNoAnswer
	}
	return strings.TrimRight(line, "\r\n"), err
}

// oneByte keeps a buffered reader from taking more than the line: the rest
// answers the next question.
type oneByte struct{ r io.Reader }

func (o oneByte) Read(p []byte) (int, error) { return o.r.Read(p[:min(1, len(p))]) }

// Approve asks for yes, and takes nothing else. Unlike the values of variables it
// may come through a pipe.
func (s *Streams) Approve(ctx context.Context, q Question) (bool, error) {
	if !s.Input {
		return false, errNotAsked
	}
	fmt.Fprintln(s.Out)
	text, err := s.Ask(ctx, q)
	return text == "yes", err
}
