package render

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"kplan.dev/kplan/plan"
)

func TestMarkdown(t *testing.T) {
	for name, p := range plans(t) {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			Markdown(&b, p, MarkdownOptions{Stack: "tenants/acme", Link: "https://ci.example/run/1"})
			golden(t, "markdown_"+name, b.Bytes())
		})
	}
}

// outsideFences is the part of a Markdown text that is in no block of code.
func outsideFences(text string) string {
	var b strings.Builder
	fence := ""
	for line := range strings.SplitSeq(text, "\n") {
		ticks := line[:len(line)-len(strings.TrimLeft(line, "`"))]
		switch {
		case fence == "" && len(ticks) >= 3:
			fence = ticks
		case fence != "" && len(ticks) >= len(fence) && strings.TrimSpace(line) == ticks:
			fence = ""
		case fence == "":
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

func TestMarkdownKeepsTextsInFences(t *testing.T) {
	const canary = "c4n4ry"
	for _, s := range []string{"", "```\n", "`````", "\n```\n</details>\n@everyone\n", "~~~", "-->"} {
		var b bytes.Buffer
		Markdown(&b, hostilePlan(t, s+canary+s), MarkdownOptions{Stack: "s-->`x"})
		if rest := outsideFences(b.String()); strings.Contains(rest, canary) || strings.Contains(rest, "@everyone") {
			t.Errorf("%q leaves its fence:\n%s", s, rest)
		}
	}
}

// A text is cut where room is short, and not before.
func TestMarkdownShowsTexts(t *testing.T) {
	text := func(mark string) string {
		return "metadata: {name: c, namespace: acme}\ndata: {t: '" + strings.Repeat(mark+"\n\n", 150) + "end'}"
	}
	p := planOf(t, changed{addr: "ConfigMap.c", namespace: "acme", name: "c", action: plan.Update, before: text("old"), after: text("new")})
	for limit, lines := range map[int]int{0: 150, 5000: 0} {
		var b bytes.Buffer
		Markdown(&b, p, MarkdownOptions{Limit: limit})
		if got := strings.Count(b.String(), "│ new"); got != lines {
			t.Errorf("%d lines that come are shown with a limit of %d, not %d", got, limit, lines)
		}
	}
}

func TestMarkdownLimit(t *testing.T) {
	var changes []changed
	for i := range 3000 {
		action := plan.Create
		if i%100 == 7 {
			action = plan.Delete
		}
		object := fmt.Sprintf("metadata: {name: n%d}", i)
		c := changed{addr: fmt.Sprintf("Namespace.n[%d]", i), name: fmt.Sprintf("n%d", i), action: action, before: object}
		if action == plan.Create {
			c.before, c.after = "", object
		}
		changes = append(changes, c)
	}
	p := planOf(t, changes...)
	for _, limit := range []int{2000, 10_000, 60_000} {
		var b bytes.Buffer
		Markdown(&b, p, MarkdownOptions{Limit: limit})
		if b.Len() > limit {
			t.Errorf("%d bytes with a limit of %d", b.Len(), limit)
		}
		if !strings.Contains(b.String(), "2970 to add, 0 to change, 30 to destroy") {
			t.Error("the counts are missing")
		}
		if limit == 60_000 && !strings.Contains(b.String(), "Namespace.n[2907] will be destroyed") {
			t.Error("a deletion is left out before the creations")
		}
	}
}
