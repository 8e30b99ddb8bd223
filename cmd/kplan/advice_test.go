package main

import (
	"regexp"
	"slices"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/internal/advice"
	"kplan.dev/kplan/internal/cli"
)

func TestAdvice(t *testing.T) {
	d := &hcl.Diagnostic{Detail: "It exists."}
	advice.Add(d, advice.Adopt, "Pod.a", `Pod.b["x"]`)
	advice.Add(d, advice.Replace, "Pod.c")
	want := "It exists. To adopt without an import block, add some of these:" +
		"\n    -adopt='Pod.a'\n    -adopt='Pod.b[\"x\"]' To replace it, add -replace='Pod.c'."
	if got := withAdvice(hcl.Diagnostics{d})[0].Detail; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if d.Detail != "It exists." {
		t.Errorf("the diagnostic itself was changed: %s", d.Detail)
	}
}

// Every option that helps is a flag of some command.
func TestAdviceNamesFlags(t *testing.T) {
	name := regexp.MustCompile(`^-([a-z-]+)`)
	for option, r := range remedies {
		flag := name.FindStringSubmatch(r.flag)[1]
		if !slices.ContainsFunc(runnable(), func(c *cli.Command) bool { return c.Flag(flag) != nil }) {
			t.Errorf("%s: no command has the flag %s", option, r.flag)
		}
	}
}
