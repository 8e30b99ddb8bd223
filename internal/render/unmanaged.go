package render

import (
	"encoding/json"
	"fmt"

	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/plan"
)

// writeAllUnmanaged writes what others have set in objects of the stack: in a refresh-only plan
// each field, with its value and who set it, in any other how many there are.
func writeAllUnmanaged(p *page, pl *plan.Plan) {
	fields, objects := pl.Unmanaged()
	if fields == 0 || pl.Mode == plan.Destroy {
		return
	}
	p.line()
	if pl.Mode != plan.RefreshOnly {
		p.prose(unmanagedCount(fields, objects))
		return
	}
	p.line(p.paint(bold, "Set by others, and not by the configuration:"))
	for _, c := range pl.Changes {
		if len(c.Unmanaged) > 0 {
			writeUnmanaged(p, c)
		}
	}
}

func unmanagedCount(fields, objects int) string {
	return fmt.Sprintf("Others have set %s in %s that the configuration does not set. "+
		"They stay as they are; a refresh-only plan lists them.", words.Count(fields, "field"),
		words.Count(objects, "object"))
}

func writeUnmanaged(p *page, c *plan.Change) {
	p.line("  # ", Clean(c.Addr.String()), "  ", p.paint(dim, "("+Clean(c.Object.String())+")"))
	values := c.UnmanagedValues()
	for i, u := range c.Unmanaged {
		p.line("      ", clip(Clean(u.Path.String()), 200), " = ", oneLine(values[i]), "  by ", quote(u.Manager), on(u.Time))
	}
}

// readNotes are what a value holds that others have set in objects that it refers to, a note
// for each object and manager.
func readNotes(reads []plan.UnmanagedRead) []string {
	var notes []string
	for i := 0; i < len(reads); {
		first, last := reads[i], i
		for last < len(reads) && reads[last].Addr == first.Addr {
			last++
		}
		var fields []plan.Drift
		for _, read := range reads[i:last] {
			fields = append(fields, read.Drift)
		}
		for paths, by := range byManager(fields) {
			notes = append(notes, "reads from "+Clean(first.Addr.String())+" what "+quote(by.Manager)+" has set there"+on(by.Time)+": "+paths)
		}
		i = last
	}
	return notes
}

// oneLine is a value in one line, cut where it is long.
func oneLine(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return "?"
	}
	return clip(Clean(string(text)), 120)
}
