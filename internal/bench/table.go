package main

import (
	"fmt"
	"os"
	"text/tabwriter"
	"time"
)

// results are all samples of a run.
type results map[scenario]*scenarioResults

// scenarioResults has a row for each command, in the order they were first run.
type scenarioResults struct {
	rows []row
	of   map[row]series
}

type row struct{ tool, label string }

func (r row) String() string {
	if r.label == "" {
		return r.tool
	}
	return r.tool + ": " + r.label
}

func (r results) add(s scenario, tool, label string, took sample) {
	if r[s] == nil {
		r[s] = &scenarioResults{of: map[row]series{}}
	}
	at := row{tool, label}
	if r[s].of[at] == nil {
		r[s].rows = append(r[s].rows, at)
	}
	r[s].of[at] = append(r[s].of[at], took)
}

// print writes a table for each scenario. The columns with a cross are ratios
// to the row of one tool.
func (r results) print(title, reference string) {
	fmt.Printf("# %s\n", title)
	for _, s := range scenarios {
		if r[s] != nil {
			r[s].print(s, reference)
		}
	}
}

func (r *scenarioResults) print(s scenario, reference string) {
	base, hasBase := r.of[row{tool: reference}]
	fmt.Printf("\n## %s\n\n", s)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\truns\twall\t×\tmin–max\tCPU\t×\tpeak memory\trequests\tbytes\t")
	for _, at := range r.rows {
		m := r.of[at].median()
		var wall, cpu string
		if hasBase {
			wall, cpu = ratio(m.wall, base.median().wall), ratio(m.cpu, base.median().cpu)
		}
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", at, len(r.of[at]), seconds(m.wall), wall, r.of[at].spread(),
			seconds(m.cpu), cpu, size(m.memory), count(m.requests), size(m.bytes))
	}
	w.Flush()
}

func (s series) spread() string {
	low, high := s[0].wall, s[0].wall
	for _, one := range s {
		low, high = min(low, one.wall), max(high, one.wall)
	}
	return fmt.Sprintf("%.2f–%.2f", low.Seconds(), high.Seconds())
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

func ratio(a, b time.Duration) string {
	if b == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f", float64(a)/float64(b))
}

func size(n int64) string {
	switch {
	case n < 0:
		return ""
	case n < 1_000_000:
		return fmt.Sprintf("%d kB", n/1000)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}

func count(n int) string {
	if n < 0 {
		return ""
	}
	return fmt.Sprint(n)
}
