package render

import (
	"fmt"
	"io"
	"strings"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/option"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/plan"
	"kplan.dev/kplan/plan/diff"
)

// Plan writes a plan for people.
func Plan(w io.Writer, pl *plan.Plan, opts Options) {
	p := newPage(opts)
	entries := entriesOf(pl)
	switch {
	case len(entries) == 0 && !changesOutputs(pl) && pl.Incomplete:
		p.line()
		p.line(p.paint(bold, "Planning failed."), " kplan encountered an error while generating this plan.")
	case len(entries) == 0 && !changesOutputs(pl):
		p.nothing(pl)
		writeAllUnmanaged(p, pl)
		writeWarnings(p, pl)
	default:
		p.plan(pl, entries)
	}
	p.skipped(pl)
	p.writeTo(w)
}

// plan writes a plan that has something in it.
func (p *page) plan(pl *plan.Plan, entries []entry) {
	if len(entries) > 0 {
		p.line()
		p.intro(pl, entries)
		p.line()
		p.line(actionsTitle(pl))
		for _, e := range entries {
			p.line()
			p.entry(e, pl.Mode)
		}
		p.line()
		p.conclusion(pl, entries)
	}
	p.outputChanges(pl)
	writeAllUnmanaged(p, pl)
	writeWarnings(p, pl)
	p.footer(pl, entries)
}

// conclusion is the line that says how much would change.
func (p *page) conclusion(pl *plan.Plan, entries []entry) {
	if pl.Mode == plan.RefreshOnly {
		p.prose("This is a refresh-only plan, so kplan will not take any actions to undo these. If you were expecting these changes " +
			"then you can apply this plan to record them in the kplan state without changing any object in the cluster.")
		return
	}
	p.losses(entries, pl.Mode)
	p.line(p.paint(bold, "Plan:"), strings.TrimPrefix(summary(pl), "Plan:"))
}

func (p *page) intro(pl *plan.Plan, entries []entry) {
	text := "kplan compared the configuration with the cluster and generated the following execution plan."
	symbols := " Resource actions are indicated with the following symbols:"
	switch {
	case pl.Mode == plan.RefreshOnly:
		text = "kplan compared the state with the cluster and found objects that changed outside of kplan."
		symbols = " Such changes are indicated with the following symbols:"
	case pl.Offline():
		text = "kplan compared the configuration with the state, without reading the cluster, and generated the following execution plan."
	}
	meanings := p.legend(entries, pl.Mode)
	if len(meanings) == 0 {
		symbols = ""
	}
	p.prose(text + symbols)
	for _, line := range meanings {
		p.line(line)
	}
}

func actionsTitle(pl *plan.Plan) string {
	switch {
	case pl.Incomplete:
		return "kplan planned the following actions, but then encountered a problem:"
	case pl.Mode == plan.RefreshOnly:
		return "Note: Objects have changed outside of kplan"
	}
	return "kplan will perform the following actions:"
}

// legend explains the symbols that are in use.
func (p *page) legend(entries []entry, mode plan.Mode) (lines []string) {
	used := map[symbol]bool{}
	for _, e := range entries {
		used[e.symbol] = true
	}
	legend := meanings
	if mode == plan.RefreshOnly {
		legend = meaningsOutside
	}
	for _, l := range legend {
		if used[l.symbol] {
			lines = append(lines, p.symbol(l.symbol)+" "+l.meaning)
		}
	}
	return lines
}

type meaning struct {
	symbol  symbol
	meaning string
}

// What the symbols stand for in a plan, and in one that only looks.
var (
	meanings = []meaning{
		{create, "create"},
		{update, "update in-place (current -> planned)"},
		{destroy, "destroy"},
		{replace, "destroy and then create replacement"},
		{replaceAfter, "create replacement and then destroy"},
		{forget, "forget (only drop it from the state)"},
	}
	meaningsOutside = []meaning{
		{update, "changed (as last applied -> now)"},
		{forget, "deleted"},
	}
)

// entry writes what happens to one object.
func (p *page) entry(e entry, mode plan.Mode) {
	head := "  # " + Clean(e.Addr.String())
	verb := e.verb(mode)
	if e.destroys() {
		verb = p.paint(red, verb)
	}
	line := p.paint(bold, head) + " " + verb
	if name := e.objectName(); name != "" {
		line += "  " + p.paint(dim, "("+name+")")
	}
	p.line(line)
	for _, why := range e.notes() {
		p.line("  # (", why, ")")
	}
	if e.Action == plan.Forget {
		body{p, 0}.row(forget, e.head(), " {}")
		return
	}
	differences := e.Diff()
	if mode == plan.RefreshOnly && differences.Op == diff.NoOp {
		return // what it was before the change is not known
	}
	body{p, 0}.row(e.symbol, e.head(), " {")
	p.object(differences)
	if n := differences.Hidden.Defaults; n > 0 {
		body{p, 1}.note(words.Count(n, "server default") + " hidden")
	}
	body{p, 0}.row(unchanged, "}", gone(differences))
}

// object writes an object, beginning with its metadata as manifests do.
func (p *page) object(d *diff.Difference) {
	rest := *d
	rest.Children = nil
	for _, c := range d.Children {
		if c.Name == "metadata" && c.IsBlock() {
			body{p, 1}.block(c, c.Name)
			continue
		}
		rest.Children = append(rest.Children, c)
	}
	body{p, 1}.fields(&rest)
}

// losses lists what would be destroyed, since it is what a reader must not
// overlook. When all is destroyed the list would say nothing new.
func (p *page) losses(entries []entry, mode plan.Mode) {
	if mode == plan.Destroy {
		return
	}
	var lost []entry
	width := 0
	for _, e := range entries {
		if e.destroys() {
			lost = append(lost, e)
			width = max(width, len(Clean(e.Addr.String())))
		}
	}
	if len(lost) == 0 {
		return
	}
	p.line(p.paint(bold, "Objects to be destroyed or replaced:"))
	for i, e := range lost {
		if i == longestTable {
			p.line("      … ", words.Count(len(lost)-i, "more object"))
			break
		}
		p.line(p.symbol(e.symbol), " ", pad(Clean(e.Addr.String()), width), "  ", Clean(e.lostObject().String()), e.replacedBecause())
		for _, c := range e.Consequences {
			if c.IsLoss() {
				p.line("        ", p.paint(red, consequence(c)))
			}
		}
	}
	p.line()
}

// longestTable is how many objects the table of losses lists.
const longestTable = 200

// summary is the line that people and programs look for.
func summary(pl *plan.Plan) string {
	n := pl.Counts()
	text := fmt.Sprintf("Plan: %d to add, %d to change, %d to destroy", n.Add, n.Change, n.Destroy)
	for _, more := range []struct {
		n    int
		what string
	}{{n.Adopt, "adopt"}, {n.Forget, "forget"}, {n.Move, "move"}} {
		if more.n > 0 {
			text += fmt.Sprintf(", %d to %s", more.n, more.what)
		}
	}
	return text + "."
}

// nothing writes a plan without any change.
func (p *page) nothing(pl *plan.Plan) {
	head, detail := "Your infrastructure matches the configuration.",
		"kplan has compared the cluster with your configuration and found no differences, so no changes are needed."
	switch {
	case pl.Mode == plan.Destroy:
		head, detail = "No objects need to be destroyed.",
			"Either you have not created any objects yet, or the existing objects were already deleted outside of kplan, "+
				"or their state is in another place."
	case pl.Mode == plan.RefreshOnly:
		head, detail = "Your infrastructure still matches the configuration.",
			"kplan has compared the objects in the cluster with those last applied, and found no differences."
	case pl.Offline():
		head, detail = "The configuration was not changed since the last apply.",
			"kplan has compared the state with your configuration and found no differences. The cluster was not read."
	}
	if fields, _ := pl.Unmanaged(); fields > 0 && pl.Mode != plan.Destroy {
		head, detail = "The objects have what the configuration sets.", "What others have set beside it stays as it is."
	}
	p.line()
	p.line(p.paint(green, p.paint(bold, "No changes.")), " ", p.paint(bold, head))
	if !p.opts.Concise {
		p.line()
		p.prose(detail)
	}
}

func changesOutputs(pl *plan.Plan) bool {
	for _, o := range pl.Outputs {
		if o.Action != plan.NoOp {
			return true
		}
	}
	return false
}

func (p *page) outputChanges(pl *plan.Plan) {
	if !changesOutputs(pl) {
		return
	}
	p.line()
	p.line("Changes to Outputs:")
	all := &diff.Difference{Shape: diff.Fields}
	for _, o := range pl.Outputs {
		if o.Action != plan.NoOp {
			all.Children = append(all.Children, o.Diff())
		}
	}
	body{p, 0}.fields(all)
	for _, o := range pl.Outputs {
		for _, note := range readNotes(o.UnmanagedReads) {
			p.line("  # (", Clean(o.Name), " ", note, ")")
		}
	}
	if pl.Counts() == (plan.Counts{}) && !pl.Incomplete {
		p.line()
		p.prose("You can apply this plan to save these new output values to the kplan state, without changing any object in the cluster.")
	}
}

// heldBack lists what could not be planned.
func (p *page) skipped(pl *plan.Plan) {
	if len(pl.Skipped) == 0 {
		return
	}
	p.line()
	p.line(p.paint(bold, "Not planned, because a dependency failed:"))
	for _, h := range pl.Skipped {
		line := "    " + Clean(h.Addr.String())
		if h.By != (addrs.Instance{}) {
			line += " (needs " + Clean(h.By.String()) + ")"
		}
		p.line(line)
	}
}

// footer says how sure the plan is of itself and what to do with it.
func (p *page) footer(pl *plan.Plan, entries []entry) {
	if p.opts.Concise {
		return
	}
	if note := certaintyNote(entries); note != "" && pl.Mode != plan.RefreshOnly {
		p.line()
		p.prose(note)
	}
	switch {
	case p.opts.SavedAs != "":
		p.rule()
		p.line("Saved the plan to: ", Clean(p.opts.SavedAs))
		p.howToApply(pl)
	case pl.Incomplete:
	case p.opts.Unsaved && !pl.Offline():
		p.rule()
		p.prose("Note: You didn't use the " + string(option.Out) + " option to save this plan, so kplan can't guarantee to take " +
			"exactly these actions if you run " + applyCommand(pl.Mode) + " now.")
	}
}

// howToApply says how to apply a saved plan, or that it can't be.
func (p *page) howToApply(pl *plan.Plan) {
	switch {
	case pl.Incomplete:
		p.line()
		p.prose("It is incomplete: it can be shown, but not applied.")
	case pl.Offline():
		p.line()
		p.prose("It was made offline: it can be shown, but not applied.")
	case p.opts.ApplyLine != "":
		p.line()
		p.line("To perform exactly these actions, run the following command to apply:")
		p.line("    ", Clean(p.opts.ApplyLine))
	}
}

// applyCommand is what makes and applies a plan of that mode in one go.
func applyCommand(mode plan.Mode) string {
	switch mode {
	case plan.Destroy:
		return `"kplan destroy"`
	case plan.RefreshOnly:
		return `"kplan apply ` + string(option.RefreshOnly) + `"`
	}
	return `"kplan apply"`
}

func certaintyNote(entries []entry) string {
	computed, predicted, marked := 0, 0, false
	for _, e := range entries {
		marked = marked || e.Certainty == plan.Predicted
		switch {
		case e.Blocked: // the errors say who refused what
		case e.Certainty == plan.Computed:
			computed++
		case e.Certainty == plan.Predicted:
			predicted++
		}
	}
	switch {
	case computed > 0 && marked:
		return "Results marked as predicted were computed by kplan; all others come from a dry-run by the server."
	case computed > 0:
		return "All results come from a dry-run by the server."
	case predicted > 0:
		return "All results were predicted by kplan, without a dry-run."
	}
	return ""
}

func (p *page) rule() {
	p.line()
	p.line(p.paint(dim, strings.Repeat("─", p.opts.width())))
	p.line()
}
