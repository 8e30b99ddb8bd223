package render

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/clipperhouse/displaywidth"

	"kplan.dev/kplan/graph"
)

// Region is the lower end of a terminal, where the steps in progress are shown and
// drawn again as they go on. What has ended scrolls away above it.
//
// It hides no cursor and changes no mode of the terminal: a program that is
// killed leaves nothing to be put right. Before and after each drawing the cursor
// is at the beginning of the line below the region.
type Region struct {
	terminal io.Writer
	size     func() (width, height int)
	now      func() time.Time

	mu      sync.Mutex
	opts    Options
	on      bool
	rows    []*row
	tally   Tally
	above   bytes.Buffer // lines that are to be printed above, with the next drawing
	partial bool         // the line above has no end yet: nothing can be drawn below
	drawn   []int        // how wide the lines on the screen are
	last    string       // what is on the screen

	stop, stopped chan struct{}
	trap          graph.Trap // of drawing
	broken        bool       // drawing has met a bug, and is left be
}

// row is a step in progress.
type row struct {
	step  Step
	since time.Time
}

// NewRegion is a region of a terminal. It shows nothing before it is started.
func NewRegion(terminal io.Writer, size func() (width, height int)) *Region {
	return &Region{terminal: terminal, size: size, now: time.Now}
}

// redrawEvery is how often the steps in progress are drawn.
const redrawEvery = 200 * time.Millisecond

// Start has the region show the steps that it is given, until Stop.
func (r *Region) Start(opts Options) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.on {
		return
	}
	r.on, r.opts = true, opts
	r.stop, r.stopped = make(chan struct{}), make(chan struct{})
	go r.trap.Run(r.giveUp, func() { r.redraw(r.stop, r.stopped) })
}

// Stop takes the region off the screen. What was to be printed is.
func (r *Region) Stop() {
	if stopped := r.end(); stopped != nil {
		<-stopped
	}
}

// Rethrow panics with what drawing met, if it met a bug. Until then all goes on
// without a region: nothing is lost by that but the sight.
func (r *Region) Rethrow() { r.trap.Rethrow() }

func (r *Region) end() (stopped chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.on {
		return nil
	}
	r.on, r.rows = false, nil
	close(r.stop)
	r.erase()
	return r.stopped
}

// giveUp has no rows drawn any more.
func (r *Region) giveUp() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.broken = true
}

func (r *Region) redraw(stop, stopped chan struct{}) {
	defer close(stopped)
	ticker := time.NewTicker(redrawEvery)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
			r.draw()
		}
	}
}

// Step shows a step: as a row while it is in progress, as a line above once it has
// ended.
func (r *Region) Step(s Step) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tally, s.Tally = s.Tally, lineTally(s)
	at := slices.IndexFunc(r.rows, func(row *row) bool { return row.step.Addr == s.Addr && row.step.Object == s.Object })
	if s.Phase.inProgress() {
		if at < 0 {
			r.rows = append(r.rows, &row{since: r.now().Add(-s.Elapsed)})
			at = len(r.rows) - 1
		}
		r.rows[at].step = s
		return
	}
	if at >= 0 {
		r.rows = slices.Delete(r.rows, at, at+1)
	}
	r.above.WriteString(ProgressLine(s, r.opts) + "\n")
	if r.broken && !r.partial {
		r.erase()
	}
}

// Writer is w, which shows on the same terminal: what is written to it appears
// above the region.
func (r *Region) Writer(w io.Writer) io.Writer { return aboveRegion{r, w} }

type aboveRegion struct {
	region *Region
	w      io.Writer
}

func (a aboveRegion) Write(text []byte) (int, error) {
	a.region.mu.Lock()
	defer a.region.mu.Unlock()
	if a.region.on {
		a.region.erase()
		a.region.partial = len(text) > 0 && text[len(text)-1] != '\n'
	}
	return a.w.Write(text)
}

// erase takes the rows off the screen and prints what was to be printed above.
func (r *Region) erase() {
	r.print("")
	r.drawn, r.last = nil, ""
}

// up moves the cursor to where the region begins and clears what is below; a key
// that was pressed has moved it aside. A line that was drawn before the terminal
// became narrower takes several now.
func (r *Region) up() string {
	if len(r.drawn) == 0 {
		return ""
	}
	width, height := r.area()
	lines := 0
	for _, w := range r.drawn {
		lines += max(1, (w+width-1)/width)
	}
	return fmt.Sprintf("\r\x1b[%dA\x1b[J", min(lines, height-1))
}

// area is the terminal's size, that of the oldest ones where it is not known.
func (r *Region) area() (width, height int) {
	width, height = r.size()
	if width <= 0 || height <= 0 {
		return 80, 24
	}
	return max(width, 2), max(height, 2)
}

// draw shows the rows as they are now.
func (r *Region) draw() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.on || r.partial {
		return
	}
	lines, widths := r.lines()
	text := strings.Join(lines, "")
	if text == r.last && r.above.Len() == 0 {
		return
	}
	r.print(text)
	r.drawn, r.last = widths, text
}

// print puts lines in the place of the rows on the screen, all in one write so
// that nothing flickers.
func (r *Region) print(rows string) {
	lines := r.above.String() + rows
	r.above.Reset()
	if lines != "" || len(r.drawn) > 0 {
		_, _ = io.WriteString(r.terminal, r.up()+lines)
	}
}

// lines are the rows as they fit on the screen, the oldest first, and how wide
// each is.
func (r *Region) lines() (lines []string, widths []int) {
	width, height := r.area()
	total := r.tally.text()
	if height--; height < 3 || total == "" { // there is no room for it
		height++
		total = ""
	}
	add := func(text string) {
		text = fitted(text, width-1)
		widths = append(widths, screenWidth(text))
		lines = append(lines, text+"\n")
	}
	shown := len(r.rows)
	if most := max(height-2, 1); shown > most {
		shown = max(most-1, 0)
	}
	for _, row := range r.rows[:shown] {
		add(row.text(r.now(), width-1))
	}
	if more := len(r.rows) - shown; more > 0 {
		add(fmt.Sprintf("... and %d more", more))
	}
	if total != "" && len(lines) > 0 {
		add(total)
	}
	return lines, widths
}

// lineTally is the tally of a step that is printed once. A row is not: what counts
// all stands below the rows.
func lineTally(s Step) Tally {
	if s.Phase.inProgress() {
		return Tally{}
	}
	return s.Tally
}

// text is the line below the rows, "" where nothing is counted.
func (t Tally) text() string {
	var parts []string
	for _, phase := range []Phase{Done, Ready} {
		if n, m, what := t.of(phase); m > 0 {
			parts = append(parts, number(n)+" of "+number(m)+" "+what)
		}
	}
	return strings.Join(parts, ", ")
}

// text is the line that reports a step in progress. Where it is too long for the screen, the middle of the
// address gives way, up to a third of the screen: the time and the reason stand at the end.
func (row *row) text(now time.Time, width int) string {
	s := row.step
	s.Elapsed = now.Sub(row.since)
	if s.Phase == Started {
		s.Phase = Progress
	}
	said := ": " + s.text()
	return withoutMiddle(Clean(s.Addr.String()), max(width-screenWidth(said), width/3)) + said
}

// withoutMiddle cuts a text to a width in its middle.
func withoutMiddle(text string, width int) string {
	if screenWidth(text) <= width {
		return text
	}
	tail, used := len(text), 0
	var parts []string
	for g := displaywidth.StringGraphemes(text); g.Next(); {
		parts = append(parts, g.Value())
	}
	for _, part := range slices.Backward(parts) {
		if used += screenWidth(part); used > width/2 {
			break
		}
		tail -= len(part)
	}
	return fitted(text[:tail], width-screenWidth(text[tail:])) + text[tail:]
}

// fitted cuts a text to a width. Terminals differ in how wide they show what is
// made of several characters, such as a family: it counts as the widest.
func fitted(text string, width int) string {
	used, end := 0, 0 // what fits with an ellipsis after it
	for at, g := 0, displaywidth.StringGraphemes(text); g.Next(); {
		runes := 0
		for _, c := range g.Value() {
			runes += displaywidth.Rune(c)
		}
		at, used = at+len(g.Value()), used+max(g.Width(), runes)
		if used > width {
			return text[:end] + "…"
		}
		if used < width {
			end = at
		}
	}
	return text
}
