package apply

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// rememberFor is how long an answer about an object that others need is good
// enough: many may need the same one, and it changes rarely.
const rememberFor = 5 * time.Second

// remembered are objects that were asked for, by name. The zero value has none.
type remembered struct {
	mu      sync.Mutex
	answers map[string]answer
}

type answer struct {
	object *unstructured.Unstructured
	err    error
	at     time.Time
}

// get returns what ask says, or said a moment ago.
func (r *remembered) get(name string, ask func() (*unstructured.Unstructured, error)) (*unstructured.Unstructured, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a, known := r.answers[name]
	if !known || time.Since(a.at) > rememberFor {
		a.object, a.err = ask()
		a.at = time.Now()
		if r.answers == nil {
			r.answers = map[string]answer{}
		}
		r.answers[name] = a
	}
	return a.object, a.err
}
