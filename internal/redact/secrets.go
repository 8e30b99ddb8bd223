package redact

import (
	"sync"
)

// Secrets are the secret values that a run knows so far, whoever told it: variables, the
// configuration, the cluster, a kubeconfig. Nothing is said that has not passed through
// Hide. The zero Secrets knows none, and so does nil; any goroutine may use it.
type Secrets struct {
	mu     sync.Mutex
	known  map[string]bool // false: not secret, whoever says so
	masker *Masker         // nil: not made since the last change
}

// commonplace are values that everybody guesses. To hide them would hide innocent words.
var commonplace = map[string]bool{
	"true": true, "false": true, "null": true, "none": true, "yes": true, "off": true, "default": true, "localhost": true, "127.0.0.1": true,
}

// Add makes values known as secret.
func (s *Secrets) Add(values ...string) { s.learn(values, true) }

// Show makes it known that these texts are shown in any case, though they may be secret
// elsewhere: a password that is the name of an object would otherwise hide that name.
func (s *Secrets) Show(names ...string) { s.learn(names, false) }

func (s *Secrets) learn(values []string, secret bool) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, value := range values {
		was, known := s.known[value]
		if len(value) < shortest || commonplace[value] || known && (was == secret || !was) {
			continue
		}
		if s.known == nil {
			s.known = map[string]bool{}
		}
		s.known[value], s.masker = secret, nil
	}
}

// Hide returns the text with Mask in the place of each secret that is known by now.
func (s *Secrets) Hide(text string) string {
	if s == nil || text == "" {
		return text
	}
	return s.current().Hide(text)
}

// HideExcerpt is Hide for a text that is cut out of a longer one.
func (s *Secrets) HideExcerpt(text string) string {
	if s == nil || text == "" {
		return text
	}
	return s.current().HideExcerpt(text)
}

// Find returns where the text has secrets that are known by now.
func (s *Secrets) Find(text string) []Span {
	if s == nil || text == "" {
		return nil
	}
	return s.current().Find(text)
}

func (s *Secrets) current() Masker {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.masker == nil {
		var values []string
		for value, secret := range s.known {
			if secret {
				values = append(values, value)
			}
		}
		made := New(values...)
		s.masker = &made
	}
	return *s.masker
}
