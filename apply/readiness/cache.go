package readiness

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// cacheFor is how long an answer about an object that others need is used: many
// may need the same one, and it changes rarely.
const cacheFor = 5 * time.Second

// cache holds objects that were asked for, by name. The zero value is empty.
type cache struct {
	mu      sync.Mutex
	entries map[string]*entry
}

// entry is the answer to one request, complete once done is closed.
type entry struct {
	done   chan struct{}
	object *unstructured.Unstructured
	err    error
	at     time.Time
}

// get returns what fetch returns, or returned within the last seconds. Whoever
// waits for another's fetch stops when its own ctx ends.
func (c *cache) get(ctx context.Context, name string, fetch func() (*unstructured.Unstructured, error)) (
	*unstructured.Unstructured, error,
) {
	e, mine := c.entry(name)
	if mine {
		defer close(e.done)
		if e.object, e.err = fetch(); ctx.Err() == nil { // else the next one fetches it again
			e.at = time.Now()
		}
		return e.object, e.err
	}
	select {
	case <-e.done:
		return e.object, e.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// entry returns the current entry, and whether the caller is to complete it.
func (c *cache) entry(name string) (e *entry, mine bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e = c.entries[name]; e != nil {
		select {
		case <-e.done:
			if time.Since(e.at) <= cacheFor {
				return e, false
			}
		default:
			return e, false // somebody else is fetching it
		}
	}
	if c.entries == nil {
		c.entries = map[string]*entry{}
	}
	e = &entry{done: make(chan struct{})}
	c.entries[name] = e
	return e, true
}
