package kube

import (
	"net/http"
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
		ans := answer{status: http.StatusTooManyRequests, header: http.Header{"Retry-After": {test.retryAfter}}}
		e := &Error{Kind: Unavailable, Status: ans.status}
		var sum time.Duration
		for tries := (tries{}); ; {
			wait, again := tries.next(&Cluster{}, &request{}, e, ans)
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
