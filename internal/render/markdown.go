package render

import (
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strings"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/plan"
)

// MarkdownOptions says how to write a plan as the comment of a pull request.
type MarkdownOptions struct {
	// Stack distinguishes the plans of several stacks. "" is left out.
	Stack string
	// Limit is the size in bytes that must not be exceeded; 0 is 60,000, which
	// GitHub and GitLab take.
	Limit int
	// Link is an https address where the whole plan can be read.
	Link string
}

// markdownMarker begins every comment, so that the one of the last plan can be
// found and replaced.
const markdownMarker = "<!-- kplan plan"

// Markdown writes a plan as the comment of a pull request. Its counts come from
// the plan itself, and external text is in blocks of code.
// When it gets too long, what is destroyed comes first and the rest is counted.
func Markdown(w io.Writer, pl *plan.Plan, opts MarkdownOptions) {
	var b strings.Builder
	b.WriteString(markdownMarker + marker(opts.Stack) + " -->\n")
	b.WriteString("### kplan: " + strings.TrimPrefix(headline(pl), "Plan: ") + "\n\n")
	if opts.Stack != "" {
		b.WriteString("Stack " + code(opts.Stack) + "\n\n")
	}
	for _, warning := range markdownWarnings(pl) {
		b.WriteString("> " + warning + "\n")
	}
	entries := entriesOf(pl)
	if problems := problemsText(pl); problems != "" {
		b.WriteString("\n" + fenced(clipLines(problems, limitOf(opts)/4)) + "\n")
	}
	if losses := lossesText(entries, pl.Mode); losses != "" {
		b.WriteString("\n" + fenced(clipLines(losses, limitOf(opts)/4)) + "\n")
	}
	if unmanaged := unmanagedText(pl); unmanaged != "" {
		b.WriteString("\n" + fenced(clipLines(unmanaged, limitOf(opts)/4)) + "\n")
	}
	footer := link(opts.Link)
	body := markdownBody(pl, entries, limitOf(opts)-b.Len()-len(footer)-200)
	_, _ = io.WriteString(w, b.String()+body+footer)
}

func limitOf(opts MarkdownOptions) int {
	if opts.Limit <= 0 {
		return 60_000
	}
	return opts.Limit
}

var notInMarker = regexp.MustCompile(`[^A-Za-z0-9_./-]+`)

// marker is the stack's name as it is allowed in an HTML comment.
func marker(stack string) string {
	name := notInMarker.ReplaceAllString(stack, "_")
	name = strings.ReplaceAll(name, "--", "-_")
	if name == "" {
		return ""
	}
	return " " + strings.TrimRight(clipBytes(name, 200), "-")
}

func headline(pl *plan.Plan) string {
	switch {
	case pl.Incomplete:
		return "planning failed"
	case pl.IsEmpty() && len(entriesOf(pl)) == 0:
		return "no changes"
	case pl.Mode == plan.RefreshOnly:
		return "objects have changed outside of kplan"
	case pl.Counts() == plan.Counts{}:
		return "only outputs change"
	}
	return summary(pl)
}

func markdownWarnings(pl *plan.Plan) []string {
	var all []string
	if pl.Incomplete {
		all = append(all, "**This plan is incomplete and can't be applied:** an error occurred while it was made.")
	}
	if pl.Offline() {
		all = append(all, "**This plan was made without a cluster:** all of it is predicted, and it can't be applied.")
	}
	if pl.Mode == plan.Destroy {
		all = append(all, "**This plan destroys everything in the stack.**")
	}
	predicted := 0
	for _, c := range pl.Changes {
		if c.Certainty == plan.Predicted && c.Action != plan.NoOp {
			predicted++
		}
	}
	if predicted > 0 && !pl.Offline() {
		all = append(all, fmt.Sprintf("%s %s predicted by kplan; all others come from a dry-run by the server.", words.Count(predicted, "result"),
			words.Plural(predicted, "is", "are")))
	}
	return all
}

// problemsText are the errors and warnings of a plan, and the instances that could not
// be planned, as people read them.
func problemsText(pl *plan.Plan) string {
	p := newPage(Options{EachWarning: true})
	for _, d := range pl.Diagnostics {
		title := "Error: "
		if d.Severity == plan.SeverityWarning {
			title = "Warning: "
		}
		p.line(title, Clean(d.Summary), where(d))
		for line := range strings.Lines(d.Detail) {
			p.line("    ", Clean(strings.TrimRight(line, "\n")))
		}
	}
	writeWarnings(p, pl)
	p.skipped(pl)
	return strings.Trim(p.text.String(), "\n")
}

// where is what a diagnostic is about, in parentheses, "" where it does not say.
func where(d plan.Diagnostic) string {
	var parts []string
	if d.Addr != (addrs.Instance{}) {
		parts = append(parts, Clean(d.Addr.String()))
	}
	if d.Range != nil {
		parts = append(parts, fmt.Sprintf("%s line %d", Clean(d.Range.Filename), d.Range.Start.Line))
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

func unmanagedText(pl *plan.Plan) string {
	p := newPage(Options{})
	writeAllUnmanaged(p, pl)
	return strings.Trim(p.text.String(), "\n")
}

func lossesText(entries []entry, mode plan.Mode) string {
	p := newPage(Options{})
	p.losses(entries, mode)
	return strings.TrimRight(p.text.String(), "\n")
}

// shortTexts is how many lines of a text are shown where room is short.
const shortTexts = 50

// markdownBody is the plan itself in at most so many bytes: the texts in it in
// full if there is room.
func markdownBody(pl *plan.Plan, entries []entry, limit int) string {
	outputs := newPage(Options{})
	outputs.outputChanges(pl)
	var texts []string
	for _, opts := range []Options{{}, {MaxLines: shortTexts}} {
		texts = entryTexts(entries, pl.Mode, opts)
		if all := strings.Join(texts, "\n") + outputs.text.String(); len(all) <= limit {
			return details("Show the plan", all)
		}
	}
	return markdownPart(texts, destructionsFirst(entries), limit)
}

func entryTexts(entries []entry, mode plan.Mode, opts Options) []string {
	texts := make([]string, len(entries))
	for i, e := range entries {
		p := newPage(opts)
		p.entry(e, mode)
		texts[i] = p.text.String()
	}
	return texts
}

// destructionsFirst are the positions of the entries, those that destroy
// something before all others.
func destructionsFirst(entries []entry) []int {
	var first, rest []int
	for i, e := range entries {
		if e.destroys() {
			first = append(first, i)
		} else {
			rest = append(rest, i)
		}
	}
	return append(first, rest...)
}

// markdownPart is as much of the plan as there is room for.
func markdownPart(texts []string, order []int, limit int) string {
	var b strings.Builder
	shown := 0
	for _, i := range order {
		if b.Len()+len(texts[i])+1 > limit {
			continue
		}
		b.WriteString(texts[i] + "\n")
		shown++
	}
	rest := words.Count(len(texts)-shown, "object")
	return details("Show a part of the plan", b.String()) + "\n**" + rest + " of the plan did not fit in this comment.**\n"
}

func details(title, text string) string {
	if text == "" {
		return ""
	}
	return "\n<details><summary>" + title + "</summary>\n\n" + fenced(text) + "\n</details>\n"
}

// fenced is a text in a block of code that it can't end, coloured as a diff.
func fenced(text string) string {
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	lines := strings.Split(strings.Trim(text, "\n"), "\n")
	for i, line := range lines {
		lines[i] = diffLine(line)
	}
	return fence + "diff\n" + strings.Join(lines, "\n") + "\n" + fence + "\n"
}

var symbolInLine = regexp.MustCompile(`^( +)([-+~]) `)

// diffLine puts the symbol of a line where a diff has it.
func diffLine(line string) string {
	m := symbolInLine.FindStringSubmatch(line)
	if m == nil {
		return line
	}
	symbol := strings.Replace(m[2], "~", "!", 1)
	return symbol + m[1] + line[len(m[0])-1:]
}

// code is a text in a span of code that it can't end.
func code(text string) string {
	text = Clean(text)
	fence := "`"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	return fence + " " + text + " " + fence
}

// IsLink reports whether an address is allowed in a comment: one that can't be
// anything else.
func IsLink(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "https" && u.Host != "" && !strings.ContainsAny(address, "<> \t\r\n\"'`()[]\\") &&
		Clean(address) == address
}

// link is a line with the address, if there is one.
func link(address string) string {
	if !IsLink(address) {
		return ""
	}
	return "\n[The whole plan](" + address + ")\n"
}

// clipLines are the first lines of a text that fit into so many bytes.
func clipLines(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	cut := strings.LastIndexByte(text[:limit], '\n')
	if cut < 0 {
		return "…"
	}
	return text[:cut] + "\n… " + words.Count(strings.Count(text[cut:], "\n"), "more line")
}

func clipBytes(text string, limit int) string { return text[:min(len(text), limit)] }
