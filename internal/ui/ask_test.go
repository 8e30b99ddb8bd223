package ui

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestAnswer(t *testing.T) {
	for name, test := range map[string]struct {
		input, want string
		err         error
	}{
		"a line":          {"yes\nrest\n", "yes", nil},
		"Windows":         {"yes\r\n", "yes", nil},
		"no line break":   {"yes", "yes", nil},
		"an empty line":   {"\n", "", nil},
		"nothing":         {"", "", errNoAnswer},
		"only yes is yes": {" yes\n", " yes", nil},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			s := &Streams{In: strings.NewReader(test.input), Out: &out}
			got, err := s.Ask(context.Background(), Question{Title: "Title", Text: "text"})
			if got != test.want || !errors.Is(err, test.err) {
				t.Errorf("answer %q, %v", got, err)
			}
		})
	}
}

// Two questions read two lines of one input.
func TestAnswersInTurn(t *testing.T) {
	var out bytes.Buffer
	s := &Streams{In: strings.NewReader("one\ntwo\n"), Out: &out}
	for _, want := range []string{"one", "two"} {
		if got, err := s.Ask(context.Background(), Question{Title: want}); got != want || err != nil {
			t.Errorf("answer %q, %v", got, err)
		}
	}
}

// The description of a variable is someone else's text.
func TestQuestionIsClean(t *testing.T) {
	var out bytes.Buffer
	s := &Streams{In: strings.NewReader("x\n"), Out: &out}
	if _, err := s.Ask(context.Background(), Question{Title: "var.x", Text: "a\x1b[31m\r##[group]\u202eb"}); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(out.String(), "\x1b\r\u202e") || strings.Contains(out.String(), "##[") {
		t.Errorf("%q", &out)
	}
}

// An interrupt ends the question although nobody has answered.
func TestAnswerInterrupted(t *testing.T) {
	var out bytes.Buffer
	never, stop := context.WithCancel(context.Background())
	reader, writer := io.Pipe()
	defer writer.Close()
	s := &Streams{In: reader, Out: &out}
	stop()
	if _, err := s.Ask(never, Question{Title: "Title"}); !errors.Is(err, context.Canceled) || out.Len() > 0 {
		t.Errorf("%v, and asked %q", err, &out)
	}
}
