package httpstore

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// refusedError is a definite answer that is no success.
type refusedError struct {
	text      string
	temporary bool // so that the request may have been carried out, too
}

func (e *refusedError) Error() string { return e.text }

// deniedError is a refusal to this user.
type deniedError struct{ refusedError }

// errPage is what is wrong with a page where a state was asked for.
var errPage = errors.New("it answers with a web page, maybe that of a login or of a proxy, and not with what kplan asked for; " +
	"check the address and the credentials")

// refusal explains an answer that is no success.
func (s *Store) refusal(to endpoint, a answer) error {
	said := fmt.Sprintf("%s %s: the server answers %d %s", to.method, nameOf(to.url), a.status, http.StatusText(a.status))
	said = strings.TrimSuffix(said, " ")
	if message := s.client.hide(a.message()); message != "" {
		said += fmt.Sprintf(" (%s)", message)
	}
	advice := s.advice(to, a)
	if a.status == http.StatusUnauthorized || a.status == http.StatusForbidden {
		return &deniedError{refusedError{text: said + advice}}
	}
	return &refusedError{said + advice, a.isTemporary()}
}

func (s *Store) advice(to endpoint, a answer) string {
	switch status := a.status; {
	case status >= 300 && status < 400:
		return s.redirected(to, a)
	case status == http.StatusUnauthorized && s.client.password == "":
		return ". It wants credentials: set username and password in the backend block, or KPLAN_HTTP_USERNAME and KPLAN_HTTP_PASSWORD in " +
			"the environment"
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return ". The user or the token may not do that, or is not valid. To apply, a token needs in GitLab the scope api and the role " +
			"Maintainer, in Gitea the scope write:package"
	case status == http.StatusRequestEntityTooLarge:
		return ". The state is larger than the server, or a proxy before it, accepts: raise that limit"
	case status == http.StatusTooManyRequests:
		if after := a.header.Get("Retry-After"); after != "" {
			return ". It has too many requests, and asks to come back in " + clip(after, 40) + " seconds"
		}
		return ". It has too many requests"
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed, status == http.StatusNotImplemented:
		return fmt.Sprintf(". Check the address and the method: the settings %s of the backend block", s.settingsOf(to))
	case a.isPage():
		return ". " + sentence(errPage)
	case a.isTemporary():
		return ". Try again later"
	}
	return ""
}

// settingsOf names what an endpoint was made of.
func (s *Store) settingsOf(to endpoint) string {
	switch to.url.Path {
	case s.lock.url.Path:
		if to.method == s.unlock.method && s.unlock.url.Path == s.lock.url.Path && s.unlock.method != s.lock.method {
			return "unlock_address and unlock_method"
		}
		if to.url.Path != s.state.url.Path || to.method == s.lock.method {
			return "lock_address and lock_method"
		}
	case s.unlock.url.Path:
		return "unlock_address and unlock_method"
	}
	return "address and update_method"
}

func (s *Store) redirected(to endpoint, a answer) string {
	target, err := url.Parse(a.header.Get("Location"))
	if err != nil {
		return ". kplan follows no redirect of a request that changes something"
	}
	return fmt.Sprintf(". It redirects to %s, and kplan follows no redirect of a request that changes something: if that is the right "+
		"address, put it into the backend block", clip(nameOf(to.url.ResolveReference(target)), 500))
}

func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}

// message is what the server said about a refusal, in one short line.
func (a answer) message() string {
	if a.isPage() || !utf8.Valid(a.body) {
		return ""
	}
	text := string(a.body)
	var fields map[string]any
	if json.Unmarshal(a.body, &fields) == nil {
		text = ""
		for _, name := range []string{"message", "error", "errors"} {
			if value, ok := fields[name]; ok {
				text = fmt.Sprint(value)
				break
			}
		}
	}
	return clip(strings.Join(strings.Fields(text), " "), 200)
}

func clip(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "..."
}

// hide takes the password out of what a server said.
func (c *client) hide(text string) string {
	if len(c.password) < 4 {
		return text
	}
	return strings.ReplaceAll(text, c.password, "(sensitive value)")
}
