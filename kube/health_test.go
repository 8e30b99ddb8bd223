package kube_test

import (
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/kube/auth"
)

// notices collects the notices to the user.
type notices struct {
	mu    sync.Mutex
	texts []string
}

func (h *notices) add(text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.texts = append(h.texts, text)
}

func (h *notices) has(words string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Contains(strings.Join(h.texts, "\n"), words)
}

// TestSilentServer has a server stop answering: a read is given up after the
// request timeout, having been tried more than once, with a notice; what is asked
// next does not wait for the same silence again. Then the server is back.
func TestSilentServer(t *testing.T) {
	t.Parallel()
	var silent atomic.Bool
	var asked atomic.Int32
	silent.Store(true)
	notified := &notices{}
	const timeout = 1200 * time.Millisecond
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if silent.Load() {
			<-r.Context().Done()
			return
		}
		says(200, theConfigMap)(w, r)
	}, func(o *kube.Options) { o.RequestTimeout, o.Notice = timeout, notified.add })
	start := time.Now()
	_, err := c.Get(t.Context(), configMap(t), "n", "a")
	e := wantReason(t, err, kube.Timeout)
	if took := time.Since(start); took < timeout*3/4 || took > 5*timeout {
		t.Errorf("given up after %s, with a timeout of %s", took, timeout)
	}
	if !strings.Contains(e.Message, "did not answer within") {
		t.Error(e)
	}
	tried := asked.Load()
	if tried < 2 {
		t.Errorf("it was tried %d times", tried)
	}
	if !notified.has("has not answered for") {
		t.Errorf("the notices were %q", notified.texts)
	}
	_, err = c.Create(t.Context(), configMap(t), map[string]any{"metadata": map[string]any{"name": "a", "namespace": "n"}})
	if wantReason(t, err, kube.Timeout); kube.OutageOf(err) == nil { // and not OutcomeUnknown: it was not sent
		t.Error("it does not say that the server is gone")
	}
	if n := asked.Load(); n != tried {
		t.Errorf("a server that was just given up was asked %d times more", n-tried)
	}
	silent.Store(false)
	eventually(t, func() error {
		_, err := c.Get(t.Context(), configMap(t), "n", "a")
		return err
	})
}

// TestSlowRequest has one request wait while others are answered: that is no
// reason to give the server up, nor to report that it does not answer.
func TestSlowRequest(t *testing.T) {
	t.Parallel()
	notified := &notices{}
	release := make(chan struct{})
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch {
			<-release
		}
		says(200, theConfigMap)(w, r)
	}, func(o *kube.Options) { o.RequestTimeout, o.Notice = 20*time.Second, notified.add })
	done := make(chan error)
	go func() {
		_, err := c.Apply(t.Context(), configMap(t), map[string]any{"metadata": map[string]any{"name": "a", "namespace": "n"}},
			kube.ApplyOptions{UID: "u"})
		done <- err
	}()
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if _, err := c.Get(t.Context(), configMap(t), "n", "a"); err != nil {
			t.Fatal(err)
		}
	}
	close(release)
	if err := <-done; err != nil || len(notified.texts) > 0 {
		t.Errorf("%v, and the notices were %q", err, notified.texts)
	}
}

// TestSilenceFromTheBeginning connects to what takes connections and says
// nothing, before TLS and after.
func TestSilenceFromTheBeginning(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() // it never accepts: the system does
	for _, host := range []string{"http://" + l.Addr().String(), "https://" + l.Addr().String()} {
		const timeout = 4 * time.Second
		start := time.Now()
		_, err := kube.Connect(t.Context(), kube.Options{Auth: auth.Options{Host: host}, RequestTimeout: timeout})
		wantReason(t, err, kube.Timeout)
		if took := time.Since(start); took > timeout/2 {
			t.Errorf("%s: given up after %s", host, took)
		}
	}
}

// TestCancel has the user leave while requests wait: for an answer, and to be
// tried again.
func TestCancel(t *testing.T) {
	t.Parallel()
	notified := &notices{}
	release := make(chan struct{})
	defer close(release)
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPatch {
			<-release
			return
		}
		status(429, "TooManyRequests", "wait", "Retry-After", "30")(w, r)
	}, func(o *kube.Options) { o.Notice = notified.add })
	errs := make(chan error, 2)
	go func() {
		_, err := c.Get(t.Context(), configMap(t), "n", "a")
		errs <- err
	}()
	eventually(t, func() error {
		if !notified.has("refuses requests for now (HTTP 429). Trying again in ") {
			return errors.New("there was no notice")
		}
		return nil
	})
	start := time.Now()
	c.Cancel()
	wantReason(t, <-errs, kube.Unavailable)
	_, err := c.Apply(t.Context(), configMap(t), map[string]any{"metadata": map[string]any{"name": "a", "namespace": "n"}},
		kube.ApplyOptions{UID: "u"})
	wantReason(t, err, kube.OutcomeUnknown)
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("leaving took %s", took)
	}
}
