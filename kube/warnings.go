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

// HandleWarningHeaderWithContext is called by client-go for each Warning header.
func (w *warnings) HandleWarningHeaderWithContext(ctx context.Context, code int, _, text string) {
	ans := answerIn(ctx)
	if w.warn == nil || code != 299 || text == "" || ans == nil {
		return
	}
	if ans.of.rename != nil {
		text = ans.of.rename.Replace(text)
	}
	if w.isNew(text) {
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
