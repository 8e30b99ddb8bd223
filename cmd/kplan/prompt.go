package main

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

// question is what kplan asks on a terminal.
type question struct {
	title  string
	text   string // lines below the title
	hidden bool   // the answer is not shown
}

var (
	errNoAnswer = errors.New("no answer was given")
	errNotAsked = errors.New("nobody may be asked, with -input=false")
)

// answer asks and waits for a line, or for the end of ctx.
func (s *session) answer(ctx context.Context, q question) (string, error) {
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	fmt.Fprintf(s.stdout, "%s\n", s.bold(q.title))
	for line := range strings.Lines(q.text) {
		fmt.Fprintf(s.stdout, "  %s\n", render.Clean(strings.TrimRight(line, "\r\n")))
	}
	fmt.Fprintf(s.stdout, "\n  %s ", s.bold("Enter a value:"))
	type reply struct {
		line string
		err  error
	}
	replies := make(chan reply, 1)
	restore := keepTerminal(s.stdin, q.hidden)
	go func() {
		line, err := readLine(s.stdin, q.hidden)
		replies <- reply{line, err}
	}()
	select {
	case r := <-replies:
		if q.hidden || !s.terminal || r.err != nil {
			fmt.Fprintln(s.stdout) // no echo of the answer has ended the line
		}
		return r.line, r.err
	case <-ctx.Done():
		restore()
		fmt.Fprintln(s.stdout)
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

// approve asks for yes, and takes nothing else. Unlike the values of variables
// it may come through a pipe.
func (s *session) approve(ctx context.Context, q question) (bool, error) {
	if !s.input {
		return false, errNotAsked
	}
	fmt.Fprintln(s.stdout)
	text, err := s.answer(ctx, q)
	return text == "yes", err
}

// approval is a question that only a yes leads on from.
type approval struct {
	question
	unchanged string // what is so without a yes
	notDryRun string // how to go on where nobody can be asked
	cancelled string // what a no comes to
}

// wantYes asks, and says why it does not go on where there is no yes.
func (s *session) wantYes(ctx context.Context, q approval) exitCode {
	approved, err := s.approve(ctx, q.question)
	switch {
	case ctx.Err() != nil:
		return exitFailure
	case err != nil:
		s.fail("Approval needed", "%s: %v. %s", q.unchanged, err, q.notDryRun)
		return exitFailure
	case !approved:
		fmt.Fprintf(s.stdout, "\n%s\n", q.cancelled)
		return exitFailure
	}
	fmt.Fprintln(s.stdout)
	return exitOK
}

func (s *session) bold(text string) string { return s.paint("1", text) }

// paint wraps text in an ANSI style, if standard output shows it.
func (s *session) paint(style, text string) string {
	if !s.colour || s.noColor {
		return text
	}
	return "\x1b[" + style + "m" + text + "\x1b[0m"
}
