package kube

import (
	"sync"

	utilnet "k8s.io/apimachinery/pkg/util/net"

	"kplan.dev/kplan/addrs"
)

// warnings hands each text of the API server's Warning headers on, once.
type warnings struct {
	warn func(about addrs.Object, text string)

	mu   sync.Mutex
	seen map[string]bool
}

func (w *warnings) report(about addrs.Object, headers []string) {
	if w.warn == nil || len(headers) == 0 {
		return
	}
	parsed, _ := utilnet.ParseWarningHeaders(headers)
	for _, h := range parsed {
		if h.Code == 299 && h.Text != "" && w.isNew(h.Text) {
			w.warn(about, h.Text)
		}
	}
}

// isNew says whether a text was not handed on before.
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
