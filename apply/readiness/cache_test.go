package readiness

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c cache
		fetches := 0
		get := func() {
			if _, err := c.get(t.Context(), "a", func() (*unstructured.Unstructured, error) { fetches++; return nil, nil }); err != nil {
				t.Fatal(err)
			}
		}
		get()
		get()
		time.Sleep(cacheFor + time.Second)
		get()
		if fetches != 2 {
			t.Errorf("fetched %d times", fetches)
		}
	})
}

// TestCacheEnds: who waits for another's answer stops with its own context, and an
// answer that was cut off is no answer for others.
func TestCacheEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c cache
		slow, cancelSlow := context.WithCancel(t.Context())
		go c.get(slow, "a", func() (*unstructured.Unstructured, error) {
			<-slow.Done()
			return nil, slow.Err()
		})
		synctest.Wait()
		brief, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begun := time.Now()
		if _, err := c.get(brief, "a", nil); !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != time.Second {
			t.Errorf("got %v after %v", err, time.Since(begun))
		}
		cancelSlow()
		synctest.Wait()
		found := &unstructured.Unstructured{}
		if got, err := c.get(t.Context(), "a", func() (*unstructured.Unstructured, error) { return found, nil }); got != found || err != nil {
			t.Errorf("got %v, %v", got, err)
		}
	})
}
