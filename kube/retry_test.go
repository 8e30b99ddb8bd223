package kube

import (
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"
)

// TestBusyServer adds up for how long a server that has too much to do is asked
// again.
func TestBusyServer(t *testing.T) {
	for _, test := range []struct {
		retryAfter  string
		least, most time.Duration
	}{
		{"", 40 * time.Second, 70 * time.Second},
		{"soon", 40 * time.Second, 70 * time.Second}, // garbage
		{"0", 40 * time.Second, 70 * time.Second},
		{"1", 40 * time.Second, 70 * time.Second},
		{"12", 90 * time.Second, 100 * time.Second},
		{strconv.Itoa(1 << 40), 4 * time.Minute, 4 * time.Minute},
	} {
		ans := &answer{status: http.StatusTooManyRequests, header: http.Header{"Retry-After": {test.retryAfter}}}
		e := &Error{Reason: Unavailable, Status: ans.status}
		var sum time.Duration
		for attempts := (attempts{}); ; {
			wait, again := attempts.next(&client{}, &request{}, e, ans)
			if !again {
				break
			}
			sum += wait
		}
		if sum < test.least || sum > test.most {
			t.Errorf("Retry-After %q: %s in all, want %s to %s", test.retryAfter, sum, test.least, test.most)
		}
	}
}

// TestRestartingServer adds up for how long a server is waited for that takes no
// connection, as one that restarts does.
func TestRestartingServer(t *testing.T) {
	var sum time.Duration
	for attempts := (attempts{}); ; {
		wait, again := attempts.next(&client{}, &request{}, &Error{Reason: Unreachable}, &answer{})
		if !again {
			break
		}
		sum += wait
	}
	if sum < 25*time.Second || sum > 45*time.Second {
		t.Errorf("it is waited for %s in all", sum)
	}
}

// TestUnreachableNotice: whoever waits for a server that is gone is notified.
func TestUnreachableNotice(t *testing.T) {
	var notices []string
	c := &client{timeout: timeout(time.Minute), base: &url.URL{Scheme: "https", Host: "a"},
		notice: func(text string) { notices = append(notices, text) }}
	e := &Error{Reason: Unreachable, Message: "nothing listens at https://a: connection refused"}
	c.noticeRetry(time.Now(), time.Second, e)
	if len(notices) > 0 {
		t.Errorf("notified too early: %q", notices)
	}
	c.noticeRetry(time.Now().Add(-time.Minute), time.Second, e)
	want := "The API server can't be reached for now: nothing listens at https://a: connection refused. Trying again in 1s."
	if len(notices) != 1 || notices[0] != want {
		t.Errorf("notices %q, want %q", notices, want)
	}
}
