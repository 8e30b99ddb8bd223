package remotetest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"kplan.dev/kplan/state"
	"kplan.dev/kplan/state/remote"
	"kplan.dev/kplan/state/storetest"
)

// TestLinearizable: the test finds that a place compares and then swaps instead of both at once.
func TestLinearizable(t *testing.T) {
	Linearizable(t, func(*testing.T) (remote.Place, remote.Place) { p := newMemory(0); return p, p })

	broken := newMemory(2 * time.Millisecond)
	history, err := storetest.ApplyAtOnce(t.Context(), func(int) state.Store { return remote.Open(broken) }, 16, 5)
	if porcupine.CheckOperations(storetest.LockedRegister, history) {
		t.Error("a place that compares and then swaps passes as one that does both at once")
	}
	t.Logf("a place that compares and then swaps: %d operations, %v", len(history), err)
}

// memory is a place in this process, of which the test is tested with. It sleeps between comparing and swapping.
type memory struct {
	gap time.Duration

	mu      sync.Mutex
	head    []byte
	version int
	parts   map[string][]byte
}

func newMemory(gap time.Duration) *memory { return &memory{gap: gap, parts: map[string][]byte{}} }

func (*memory) String() string { return "memory" }
func (*memory) MaxPart() int   { return 1 << 20 }

func (m *memory) Head(context.Context) ([]byte, string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.version == 0 {
		return nil, "", state.ErrNotExist
	}
	return m.head, fmt.Sprint(m.version), nil
}

func (m *memory) Swap(_ context.Context, head []byte, version string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if version != fmt.Sprint(m.version) && (version != "" || m.version != 0) {
		return "", remote.ErrChanged
	}
	if m.gap > 0 {
		m.mu.Unlock()
		time.Sleep(m.gap)
		m.mu.Lock()
	}
	m.head = head
	m.version++
	return fmt.Sprint(m.version), nil
}

func (m *memory) Put(_ context.Context, name string, part []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.parts[name] = part
	return nil
}

func (m *memory) Get(_ context.Context, name string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	part, ok := m.parts[name]
	if !ok {
		return nil, state.ErrNotExist
	}
	return part, nil
}

func (m *memory) List(context.Context) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Keys(m.parts)), nil
}

func (m *memory) Delete(_ context.Context, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.parts, name)
	return nil
}
