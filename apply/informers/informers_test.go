package informers

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kube"
)

var (
	configMaps = &kinds.Kind{Version: "v1", Name: "ConfigMap", Plural: "configmaps", Namespaced: true}
	configMap  = addrs.Object{Version: "v1", Kind: "ConfigMap", Namespace: "n", Name: "a"}
)

// watched is a set whose one watch the test plays itself.
func watched() (*Set, *Informer) {
	s := New(context.Background(), nil, Options{Keep: func(*unstructured.Unstructured) bool { return true }})
	i := newInformer(s.options.Keep)
	s.informers[configMaps.Object("", "")] = i
	return s, i
}

func event(gone bool) kube.WatchEvent {
	u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap"}}
	u.SetNamespace(configMap.Namespace)
	u.SetName(configMap.Name)
	return kube.WatchEvent{Object: u, Gone: gone}
}

func TestUntil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, i := watched()
		begun := time.Now()
		at := func(seconds float64) { time.Sleep(time.Duration(seconds*float64(time.Second)) - time.Since(begun)) }
		go func() {
			at(0.1)
			i.observe(configMaps, event(false))
			at(0.2)
			i.observe(configMaps, event(true))
			at(0.3)
			i.observe(configMaps, kube.WatchEvent{Complete: true})
		}()
		var seen []View
		err := s.Until(t.Context(), configMaps, configMap, func(v View) (bool, error) {
			seen = append(seen, v)
			return v.Live == nil, nil
		})
		if err != nil || len(seen) != 2 || seen[0].Live == nil || seen[1].Live != nil || seen[1].Deleted == nil {
			t.Errorf("saw %v, %v", seen, err)
		}
		if took := time.Since(begun); took != 300*time.Millisecond {
			t.Errorf("took %v: what was not reported is known not to exist only when the watch is in sync", took)
		}
	})
}

// TestUntilEnds: a wait ends with its context, with the watch, and with the panic
// of the watch.
func TestUntilEnds(t *testing.T) {
	cause := errors.New("interrupted")
	failed := errors.New("forbidden")
	for name, c := range map[string]struct {
		end  func(i *Informer, cancel context.CancelCauseFunc)
		want error
	}{
		"context": {func(_ *Informer, cancel context.CancelCauseFunc) { cancel(cause) }, cause},
		"watch":   {func(i *Informer, _ context.CancelCauseFunc) { i.end(failed) }, failed},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, i := watched()
				i.observe(configMaps, event(false))
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				begun := time.Now()
				time.AfterFunc(time.Minute, func() { c.end(i, cancel) })
				err := s.Until(ctx, configMaps, configMap, func(View) (bool, error) { return false, nil })
				if !errors.Is(err, c.want) || time.Since(begun) != time.Minute {
					t.Errorf("got %v after %v", err, time.Since(begun))
				}
			})
		})
	}
}

// TestWaitForSyncEnds: so does waiting for all objects to be reported.
func TestWaitForSyncEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, i := watched()
		begun := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		i.WaitForSync(ctx)
		if time.Since(begun) != time.Second {
			t.Errorf("waited for %v", time.Since(begun))
		}
	})
}
