package render

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/plan"
)

// screen is a terminal as far as a region needs one. A line that is too wide
// takes several, and lines that scroll out at the top can't be reached again.
type screen struct {
	width, height int
	lines         []string // all there ever were; the last height of them are shown
	at            int      // the cursor's line
	column        int
}

func (s *screen) Write(text []byte) (int, error) {
	for rest := string(text); rest != ""; {
		rest = rest[s.take(rest):]
	}
	return len(text), nil
}

func (s *screen) take(text string) int {
	for len(s.lines) <= s.at {
		s.lines = append(s.lines, "")
	}
	switch {
	case text[0] == '\n':
		s.at, s.column = s.at+1, 0
		if s.at == len(s.lines) {
			s.lines = append(s.lines, "")
		}
		return 1
	case text[0] == '\r':
		s.column = 0
		return 1
	case text[0] == 0x1b:
		end := strings.IndexFunc(text, func(r rune) bool { return r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' })
		s.control(text[1:end], text[end])
		return end + 1
	}
	r, size := utf8.DecodeRuneInString(text)
	char := string(r)
	if s.column+screenWidth(char) > s.width {
		s.take("\n")
	}
	s.lines[s.at], s.column = s.lines[s.at]+char, s.column+screenWidth(char)
	return size
}

func (s *screen) control(arguments string, verb byte) {
	switch verb {
	case 'A':
		var n int
		fmt.Sscanf(arguments, "[%d", &n)
		s.at = max(s.at-n, len(s.lines)-s.height, 0)
	case 'J':
		s.lines = append(s.lines[:s.at:s.at], "")
	case 'm':
	default:
		panic("the region uses a control that this screen does not know: " + string(verb))
	}
}

func (s *screen) String() string { return strings.Join(s.lines, "\n") }

func step(name string, phase Phase, detail string) Step {
	return Step{Addr: addrs.Resource{Type: "Pod", Name: name}.Instance(addrs.Key{}), Action: plan.Create, Phase: phase, Detail: detail}
}

// onScreen is a region of such a terminal that is drawn when the test says so.
func onScreen(width, height int) (*screen, *Region, func(time.Duration)) {
	s := &screen{width: width, height: height}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r := NewRegion(s, func() (int, int) { return s.width, s.height })
	r.now = func() time.Time { return now }
	r.on, r.stop, r.stopped = true, make(chan struct{}), make(chan struct{})
	close(r.stopped)
	return s, r, func(d time.Duration) { now = now.Add(d) }
}

// TestRowsOfLongAddresses: the time and the reason are seen whatever the address is.
func TestRowsOfLongAddresses(t *testing.T) {
	long := addrs.Resource{Type: "ReplicationController", Name: "frontend"}.Instance(addrs.StringKey("tenant-of-a-long-name/eu-west-1"))
	for _, test := range []struct {
		width        int
		reason, want string
	}{
		{100, "", `ReplicationController.frontend["tenant-of-a-long-name/eu-west-1"]: Still waiting... [5s elapsed]`},
		{80, "", `ReplicationController.fr…-a-long-name/eu-west-1"]: Still waiting... [5s elapsed]`},
		{80, "0 of 3 pods ready", ""},
		{80, strings.Repeat("reason ", 20), ""},
		{60, "0 of 3", ""},
	} {
		r := row{step: Step{Addr: long, Phase: Waiting, Detail: test.reason}, since: time.Unix(0, 0)}
		got := r.text(time.Unix(5, 0), test.width)
		if test.want != "" && got != test.want {
			t.Errorf("at %d columns: %s, want %s", test.width, got, test.want)
		}
		if !strings.Contains(fitted(got, test.width), "[5s elapsed]") {
			t.Errorf("at %d columns the time is not seen: %s", test.width, fitted(got, test.width))
		}
	}
}

func TestRegion(t *testing.T) {
	s, r, pass := onScreen(42, 6)
	shows := func(want ...string) {
		t.Helper()
		r.draw()
		if diff := cmp.Diff(strings.Join(want, "\n")+"\n", s.String()); diff != "" {
			t.Errorf("on the screen (-want +got):\n%s", diff)
		}
		if s.column != 0 {
			t.Errorf("the cursor is in column %d", s.column)
		}
	}
	r.Step(step("a", Started, ""))
	shows("Pod.a: Still creating... [0s elapsed]")
	pass(2 * time.Second)
	r.Step(step("b", Started, ""))
	shows("Pod.a: Still creating... [2s elapsed]", "Pod.b: Still creating... [0s elapsed]")
	r.Step(step("a", Done, ""))
	shows("Pod.a: Creation complete after 0s", "Pod.b: Still creating... [0s elapsed]")
	r.Step(step("a", Waiting, "日本語日本語日本語"))
	shows("Pod.a: Creation complete after 0s", "Pod.b: Still creating... [0s elapsed]", "Pod.a: Still waiting... [0s elapsed] 日…")
	r.Step(step("a", Waiting, "red\x1b[31m\nnext"))
	shows("Pod.a: Creation complete after 0s", "Pod.b: Still creating... [0s elapsed]", `Pod.a: Still waiting... [0s elapsed] red…`)

	// What others print stands above, also while it has no end yet.
	other := r.Writer(s)
	fmt.Fprint(other, "a war")
	r.draw()
	if got := s.String(); got != "Pod.a: Creation complete after 0s\na war" {
		t.Errorf("with half a line: %q", got)
	}
	fmt.Fprint(other, "ning\n")
	shows("Pod.a: Creation complete after 0s", "a warning", "Pod.b: Still creating... [0s elapsed]", `Pod.a: Still waiting... [0s elapsed] red…`)

	// More rows than there is room for.
	for _, name := range []string{"c", "d", "e", "f"} {
		r.Step(step(name, Started, ""))
	}
	shows("Pod.a: Creation complete after 0s", "a warning", "Pod.b: Still creating... [0s elapsed]",
		`Pod.a: Still waiting... [0s elapsed] red…`, "Pod.c: Still creating... [0s elapsed]", "... and 3 more")

	// A key that was pressed moves the cursor aside.
	fmt.Fprint(s, "^C")
	r.Step(step("b", Failed, ""))
	r.Step(step("a", NotReady, ""))
	r.Stop()
	r.Stop()
	fmt.Fprintln(other, "the end")
	want := "Pod.a: Creation complete after 0s\na warning\nPod.b: Creation failed after 0s\nPod.a: Not ready after 0s\nthe end\n"
	if diff := cmp.Diff(want, s.String()); diff != "" {
		t.Errorf("in the end (-want +got):\n%s", diff)
	}
}

// TestRegionBroken: a bug in the drawing ends the drawing. What is reported from then
// on is printed all the same, and the bug is reported at the end.
func TestRegionBroken(t *testing.T) {
	s := &screen{width: 42, height: 6}
	var broken atomic.Bool
	met := make(chan struct{}, 100)
	r := NewRegion(s, func() (int, int) {
		if broken.Load() {
			met <- struct{}{}
			panic("no such size")
		}
		return 42, 6
	})
	r.Start(Options{})
	r.Step(step("a", Started, ""))
	broken.Store(true)
	select {
	case <-met:
	case <-time.After(10 * time.Second):
		t.Fatal("nothing is drawn")
	}
	broken.Store(false)
	eventually := time.Now().Add(10 * time.Second)
	for isBroken := false; !isBroken && time.Now().Before(eventually); time.Sleep(time.Millisecond) {
		r.mu.Lock()
		isBroken = r.broken
		r.mu.Unlock()
	}
	r.Step(step("a", Done, ""))
	fmt.Fprintln(r.Writer(s), "other")
	r.Step(step("b", Done, ""))
	r.Stop()
	want := "Pod.a: Creation complete after 0s\nother\nPod.b: Creation complete after 0s\n"
	if diff := cmp.Diff(want, s.String()); diff != "" {
		t.Errorf("on the screen (-want +got):\n%s", diff)
	}
	defer func() {
		if recover() == nil {
			t.Error("the bug is not reported")
		}
	}()
	r.Rethrow()
}

// A window that becomes narrower breaks the lines that are shown in two.
func TestRegionResized(t *testing.T) {
	s, r, _ := onScreen(60, 10)
	fmt.Fprintln(s, "before")
	r.Step(step("a", Waiting, "twenty characters more"))
	r.Step(step("b", Waiting, "twenty characters more"))
	r.draw()
	s.width = 30
	shown := s.String()
	*s = screen{width: 30, height: 10}
	fmt.Fprint(s, shown)
	r.draw()
	if diff := cmp.Diff("before\nPod.a: Still waiting... [0s …\nPod.b: Still waiting... [0s …\n", s.String()); diff != "" {
		t.Errorf("on the screen (-want +got):\n%s", diff)
	}
}

// TestRegionLosesNothing: whatever happens in whatever order, in the end the
// screen has every line that was printed, whole, in order, and no row.
func TestRegionLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, r, pass := onScreen(rapid.IntRange(3, 60).Draw(t, "width"), rapid.IntRange(2, 12).Draw(t, "height"))
		other := r.Writer(s)
		want := &screen{width: s.width, height: s.height}
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			name := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "g", "h"}).Draw(t, "name")
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			case 0:
				r.Step(step(name, Waiting, rapid.String().Draw(t, "detail")))
			case 1:
				end := step(name, rapid.SampledFrom([]Phase{Done, Failed, Ready, NotReady}).Draw(t, "end"), "")
				r.Step(end)
				fmt.Fprintln(want, ProgressLine(end, Options{}))
			case 2:
				line := rapid.StringMatching(`[a-z ]{0,30}\n`).Draw(t, "line")
				fmt.Fprint(other, line)
				fmt.Fprint(want, line)
			case 3:
				pass(time.Second)
			}
			r.draw()
		}
		r.Stop()
		if diff := cmp.Diff(want.String(), s.String()); diff != "" {
			t.Fatalf("on the screen (-want +got):\n%s", diff)
		}
	})
}

func TestFitted(t *testing.T) {
	for _, c := range []struct {
		text  string
		width int
		want  string
	}{
		{"abc", 3, "abc"}, {"abcd", 3, "ab…"}, {"日本", 4, "日本"}, {"日本語", 4, "日…"}, {"日本語", 5, "日本…"},
		{"", 1, ""}, {"ab", 1, "…"}, {"👍👍👍", 5, "👍👍…"}, {"e\u0301e\u0301e\u0301", 2, "e\u0301…"},
		{"👨‍👩‍👧x", 6, "…"}, // some terminals show three people, some one
	} {
		if got := fitted(c.text, c.width); got != c.want {
			t.Errorf("fitted(%q, %d) = %q, not %q", c.text, c.width, got, c.want)
		}
	}
}
