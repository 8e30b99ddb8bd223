package remote

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"kplan.dev/kplan/state"
)

// headFormat is the version of the head's format.
const headFormat = 1

// head is what one swap changes.
type head struct {
	Format int `json:"kplan_state_head"`
	// Swap is random and new with each swap: by it a run knows its own one, whose answer was lost.
	Swap    string   `json:"swap"`
	Current *version `json:"current,omitempty"`
	// Earlier are the versions that earlier runs have found, newest first.
	Earlier []version `json:"earlier,omitempty"`
	Lock    *lock     `json:"lock,omitempty"`
	// Untidy means that the last holder of the lock did not release it, and may have left parts that no version has.
	Untidy bool `json:"untidy,omitempty"`
}

// version is a stored state.
type version struct {
	Lineage string    `json:"lineage"`
	Serial  uint64    `json:"serial"`
	Written time.Time `json:"written"`
	By      string    `json:"by"` // user@host
	// SHA256 is that of the state's text, and Size its length in bytes, before it was compressed.
	SHA256 string   `json:"sha256"`
	Size   int      `json:"size"`
	Parts  []string `json:"parts"`
}

// lock is a lock that is held.
type lock struct {
	state.LockInfo
	// Renewals grow as long as the holder lives. Only that they grow counts: no clock is compared with another.
	Renewals uint64    `json:"renewals"`
	Renewed  time.Time `json:"renewed"` // by the holder's clock, to be shown
}

// keptVersions is how many earlier versions are kept.
const keptVersions = 10

// decodeHead reads a head that anybody may have written.
func decodeHead(text []byte, place fmt.Stringer) (head, error) {
	var h head
	if err := json.Unmarshal(text, &h); err != nil {
		return head{}, &state.DecodeError{Path: "in " + place.String(), Problem: "can't be found, since that is damaged: " + err.Error(),
			Advice: "put what it was before back, or remove it, and then store a copy of the state with kplan state push, or recreate " +
				"the state from the cluster: kplan state rebuild"}
	}
	switch {
	case h.Format == headFormat:
		return h, nil
	case h.Format > headFormat:
		return head{}, fmt.Errorf("%s was written by a newer kplan (format %d; this kplan knows %d); upgrade kplan", place, h.Format, headFormat)
	}
	return head{}, fmt.Errorf("%s holds %s; give the state of kplan another name, or remove what is there", place, whatElse(text))
}

// whatElse is what a text is that is no head.
func whatElse(text []byte) string {
	var other struct {
		Terraform string `json:"terraform_version"`
	}
	if json.Unmarshal(text, &other) == nil && other.Terraform != "" {
		return "a state of Terraform"
	}
	return "something that is no state of kplan"
}

func (h head) encode() []byte {
	text, err := json.Marshal(h)
	if err != nil {
		panic(fmt.Sprintf("remote: a head without JSON form: %v", err)) // a year beyond 9999
	}
	return text
}

// isHeldBy reports whether the lock is that of an id.
func (h head) isHeldBy(id string) bool { return h.Lock != nil && h.Lock.ID == id }

// following is the head with another current version. The one before is kept if the run found it: those that a
// run writes itself are steps of one change.
func (h head) following(next version, found *version) head {
	h.Current = &next
	if found != nil {
		h.Earlier = slices.Insert(slices.Clone(h.Earlier), 0, *found)
		h.Earlier = h.Earlier[:min(len(h.Earlier), keptVersions)]
	}
	return h
}

// parts are the names of all parts that a version has.
func (h head) parts() []string {
	var names []string
	if h.Current != nil {
		names = append(names, h.Current.Parts...)
	}
	for _, v := range h.Earlier {
		names = append(names, v.Parts...)
	}
	return names
}

// readHead returns the head of a place, an empty one where there is none.
func readHead(ctx context.Context, place Place) (h head, at string, err error) {
	text, at, err := place.Head(ctx)
	if isNone(err) {
		return head{Format: headFormat}, "", nil
	}
	if err != nil {
		return head{}, "", fmt.Errorf("reading %s: %w", place, err)
	}
	h, err = decodeHead(text, place)
	return h, at, err
}
