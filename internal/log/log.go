// Package log makes the log of what kplan does and decides, for whoever looks for the cause of a problem:
// see KPLAN_LOG. Whoever logs is given a *slog.Logger, and asks it before it puts anything together that
// takes time. No secret that is known by then is written.
package log

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"kplan.dev/kplan/internal/redact"
)

// Trace is the level of headers and bodies of requests. Everything else is at slog.LevelDebug.
const Trace = slog.LevelDebug - 4

// Levels are the words for levels. Off is none.
var Levels = []string{"debug", "trace", Off}

// Off is the word for no log.
const Off = "off"

// Level is the level that a word stands for, in upper or lower case.
func Level(word string) (level slog.Level, ok bool) {
	switch strings.ToLower(word) {
	case "debug":
		return slog.LevelDebug, true
	case "trace":
		return Trace, true
	}
	return 0, false
}

// Or is the logger, and one that logs nothing for nil.
func Or(l *slog.Logger) *slog.Logger {
	if l == nil {
		return slog.New(slog.DiscardHandler)
	}
	return l
}

// New returns a logger that writes a line for each entry, without what is secret by then.
func New(w io.Writer, level slog.Level, secrets *redact.Secrets) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		return discreet(a, secrets)
	}}))
}

// discreet is an attribute without secrets. They are hidden before the text is put into quotes, which would
// spell them in another way.
func discreet(a slog.Attr, secrets *redact.Secrets) slog.Attr {
	switch a.Value.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(secrets.Hide(a.Value.String()))
	case slog.KindAny:
		if level, ok := a.Value.Any().(slog.Level); ok && level == Trace {
			return slog.String(slog.LevelKey, "TRACE")
		} else if ok {
			return a
		}
		if a.Value.Any() == nil { // no error
			return slog.Attr{}
		}
		a.Value = slog.StringValue(secrets.Hide(fmt.Sprint(a.Value.Any())))
	}
	return a
}

// Debugs reports whether a logger writes anything.
func Debugs(l *slog.Logger) bool { return l.Enabled(context.Background(), slog.LevelDebug) }

// Traces reports whether a logger writes headers and bodies.
func Traces(l *slog.Logger) bool { return l.Enabled(context.Background(), Trace) }
