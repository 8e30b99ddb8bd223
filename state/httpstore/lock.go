package httpstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"time"

	"kplan.dev/kplan/state"
)

// lockInfo is a lock as Terraform sends it. GitLab refuses one in which a field is missing.
type lockInfo struct {
	ID        string
	Operation string
	Info      string
	Who       string
	Version   string
	Created   time.Time
	Path      string
}

// encodeLock is a lock as it is sent. Servers keep these fields alone, so the process goes into Info. So does the ID: GitLab
// answers who asks with what they said themselves.
func encodeLock(i state.LockInfo) []byte {
	info := fmt.Sprintf("process %d, lock %s", i.PID, i.ID)
	if i.Info != "" {
		info += "; " + i.Info
	}
	text, err := json.Marshal(lockInfo{i.ID, i.Operation, info, i.Who, i.Version, i.Created, i.Path})
	if err != nil {
		panic(fmt.Sprintf("httpstore: lock info without JSON form: %v", err)) // a year beyond 9999
	}
	return text
}

var process = regexp.MustCompile(`^(?s)process (\d+), lock (\S+?)(?:; (.*))?$`)

// decodeLock reads a lock that any server may have written, any field of it in any form, or left out.
func decodeLock(text []byte) state.LockInfo {
	var fields map[string]any
	if lenient(text, &fields) != nil {
		return state.LockInfo{}
	}
	word := func(name string) string {
		w, _ := fields[name].(string)
		return w
	}
	i := state.LockInfo{ID: word("ID"), Operation: word("Operation"), Info: word("Info"), Who: word("Who"), Version: word("Version"),
		Path: word("Path")}
	i.Created, _ = time.Parse(time.RFC3339, word("Created"))
	parts := process.FindStringSubmatch(i.Info)
	switch {
	case parts == nil:
	case parts[2] != i.ID: // it is about another one: of this one no more is known than what GitLab keeps
		return state.LockInfo{ID: i.ID, Who: i.Who, Created: i.Created}
	default:
		i.PID, _ = strconv.Atoi(parts[1])
		i.Info = parts[3]
	}
	return i
}

func lenient(text []byte, into any) error { return json.Unmarshal(text, into) }

// take asks for the lock. If it was not granted, holder is who has it, as far as the server tells.
func (s *Store) take(ctx context.Context, info state.LockInfo, patience time.Duration) (granted bool, holder state.LockInfo, err error) {
	body, maybe := encodeLock(info), false
	a, err := s.client.retry(ctx, patience, func() (answer, error) {
		a, err := s.client.send(ctx, s.lock, body, s.client.timing.Lock)
		if silent := new(noAnswerError); errors.As(err, &silent) {
			maybe = maybe || silent.sent
			silent.sent = maybe // of any of the tries
		}
		return a, err
	})
	if err != nil {
		return false, holder, fmt.Errorf("%s: %w", s.lockName(), err)
	}
	switch a.status {
	case http.StatusOK, http.StatusCreated, http.StatusNoContent:
		if a.isPage() {
			return false, holder, s.refusal(s.lock, a)
		}
		// A server may answer with the lock that is held now.
		if got := decodeLock(a.body); got.ID != "" && got.ID != info.ID {
			return false, got, nil
		}
		return true, holder, nil
	case http.StatusConflict, http.StatusLocked:
		holder = decodeLock(a.body)
		// An earlier request for it was carried out, though it got no answer.
		return holder.ID == info.ID, holder, nil
	}
	return false, holder, s.refusal(s.lock, a)
}

// release gives the lock back, and reports whether it was this one that was held.
func (s *Store) release(ctx context.Context, info state.LockInfo, patience time.Duration) (released bool, err error) {
	body, tries := encodeLock(info), 0
	to := s.unlock.withID(info.ID)
	a, err := s.client.retry(ctx, patience, func() (answer, error) {
		tries++
		return s.client.send(ctx, to, body, s.client.timing.Lock)
	})
	if err != nil {
		return false, fmt.Errorf("%s %s: %w", s.unlock.method, nameOf(s.unlock.url), err)
	}
	switch a.status {
	case http.StatusOK, http.StatusCreated, http.StatusNoContent:
		if a.isPage() {
			return false, s.refusal(s.unlock, a)
		}
		return true, nil
	case http.StatusConflict, http.StatusLocked:
		return tries > 1, nil // or an earlier request was carried out, though it got no answer
	}
	return false, s.refusal(s.unlock, a)
}

// withID has the lock's ID in the query: of a write that is the protocol. Of an unlock it is in the body, which proxies may
// drop, and GitLab takes an unlock without an ID for one by force.
func (e endpoint) withID(id string) endpoint {
	u := *e.url
	query := url.Values{"ID": {id}}.Encode()
	if u.RawQuery != "" {
		query = u.RawQuery + "&" + query
	}
	u.RawQuery = query
	return endpoint{e.method, &u}
}
