package render

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/plan"
)

// serverWarning is one text of the API server, and the addresses that it is about.
type serverWarning struct {
	text  string
	about []string
}

// serverWarnings are the warnings of a plan, each text once.
func serverWarnings(pl *plan.Plan) []*serverWarning {
	var all []*serverWarning
	byText := map[string]*serverWarning{}
	for _, w := range pl.Warnings {
		s := byText[w.Text]
		if s == nil {
			s = &serverWarning{text: w.Text}
			byText[w.Text], all = s, append(all, s)
		}
		switch {
		case w.Addr != (addrs.Instance{}):
			s.about = append(s.about, w.Addr.String())
		case w.Object.Name != "":
			s.about = append(s.about, w.Object.String())
		}
	}
	return all
}

// String is the warning in one line, which begins with what it is about.
func (s *serverWarning) String() string {
	switch n := len(s.about); n {
	case 0:
		return s.text
	case 1:
		return s.about[0] + ": " + s.text
	default:
		return fmt.Sprintf("%s and %s: %s", s.about[0], words.Count(n-1, "more object"), s.text)
	}
}

// writeWarnings lists what the API server said beside its answers.
func writeWarnings(p *page, pl *plan.Plan) {
	all := serverWarnings(pl)
	if len(all) == 0 {
		return
	}
	p.line()
	p.line(p.paint(bold, "Warnings from the API server:"))
	for i, w := range all {
		if i == longestTable {
			p.line("      … ", words.Count(len(all)-i, "more warning"))
			break
		}
		p.line("  ", p.paint(yellow, "!"), " ", Clean(w.String()))
	}
}

// diagnosticsOf are the warnings and diagnostics that a plan keeps, as they were
// reported.
func diagnosticsOf(pl *plan.Plan) hcl.Diagnostics {
	var all hcl.Diagnostics
	for _, w := range pl.Warnings {
		all = append(all, w.HCL())
	}
	for _, d := range pl.Diagnostics {
		all = append(all, d.HCL())
	}
	return all
}
