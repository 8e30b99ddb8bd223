package kube

import (
	"context"
	"sync"

	"kplan.dev/kplan/addrs"
)

// warnings hands each text of the API server's Warning headers on, once.
type warnings struct {
	warn func(about addrs.Object, text string)

	mu   sync.Mutex
	seen map[string]bool
}

// A WarningFilter is given each warning about the requests of its context, with the
// object of the request. It returns the text to report instead, "" for none. It may
// be called from several goroutines at the same time.
type WarningFilter func(about addrs.Object, text string) string

type warningFilterKey struct{}

// FilterWarnings returns a context for requests whose warnings pass through the
// filter, and then through that of ctx, before Options.Warn is given them.
func FilterWarnings(ctx context.Context, filter WarningFilter) context.Context {
	inner := filter
	if outer, ok := ctx.Value(warningFilterKey{}).(WarningFilter); ok {
		inner = func(about addrs.Object, text string) string {
			if text = filter(about, text); text == "" {
				return ""
			}
			return outer(about, text)
		}
	}
	return context.WithValue(ctx, warningFilterKey{}, inner)
}

// HandleWarningHeaderWithContext is called by client-go for each Warning header.
func (w *warnings) HandleWarningHeaderWithContext(ctx context.Context, code int, _, text string) {
	ans := answerIn(ctx)
	if code != 299 || text == "" || ans == nil {
		return
	}
	if ans.of.rename != nil {
		text = ans.of.rename.Replace(text)
	}
	isNew := w.isNew(text)
	if filter, ok := ctx.Value(warningFilterKey{}).(WarningFilter); ok {
		text = filter(ans.of.object, text)
	}
	if isNew && text != "" && w.warn != nil {
		w.warn(ans.of.object, text)
	}
}

// isNew reports whether a text was not handed on before.
func (w *warnings) isNew(text string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen[text] {
		return false
	}
	if w.seen == nil {
		w.seen = map[string]bool{}
	}
	w.seen[text] = true
	return true
}
