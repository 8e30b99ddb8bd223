package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/internal/advice"
)

// remedy is how the command line spells an option that helps.
type remedy struct {
	sentence string // with a %s for the option, its value included
	flag     string // with a %s for the value, if it has one
}

var remedies = map[advice.Option]remedy{
	advice.SetVariable:      {"To give the value on the command line, add %s or -var-file=FILE.", "-var '%s=VALUE'"},
	advice.ReadVariables:    {"To read it, add %s.", "-var-file=%s"},
	advice.ChooseConfig:     {"To choose a kubeconfig for this run, add %s.", "-kubeconfig=FILE"},
	advice.ChooseContext:    {"To choose a context for this run, add %s.", "-context=NAME"},
	advice.AllowExecPlugins: {"If you trust it, add %s.", "-allow-exec-plugins"},
	advice.Adopt:            {"To adopt without an import block, add %s.", "-adopt='%s'"},
	advice.Replace:          {"To replace it, add %s.", "-replace='%s'"},
	advice.ForceConflicts:   {"To take ownership in this run alone, add %s.", "-force-conflicts='%s'"},
	advice.AllowDataLoss:    {"If that is intended, add %s.", "-allow-data-loss='%s'"},
	advice.WaitLonger:       {"To wait longer, add %s.", "-wait-timeout=DURATION"},
	advice.Force:            {"To store it nevertheless, add %s.", "-force"},
}

// withAdvice spells out in the details of diagnostics which options help.
func withAdvice(diags hcl.Diagnostics) hcl.Diagnostics {
	spelled := slices.Clone(diags)
	for i, d := range diags {
		if all := advice.Of(d); len(all) > 0 {
			with := *d
			with.Detail = strings.TrimRight(d.Detail, " ") + spell(all)
			spelled[i] = &with
		}
	}
	return spelled
}

// spell makes a sentence for each option. Values of the same option stand below
// one another.
func spell(all []advice.Advice) string {
	var b strings.Builder
	for len(all) > 0 {
		option := all[0].Option
		n := slices.IndexFunc(all, func(a advice.Advice) bool { return a.Option != option })
		if n < 0 {
			n = len(all)
		}
		r := remedies[option]
		var flags []string
		for _, a := range all[:n] {
			flag := r.flag
			if strings.Contains(flag, "%s") {
				flag = fmt.Sprintf(flag, a.Value)
			}
			flags = append(flags, flag)
		}
		if n == 1 {
			b.WriteString(" " + fmt.Sprintf(r.sentence, flags[0]))
		} else {
			b.WriteString(" " + strings.TrimSuffix(fmt.Sprintf(r.sentence, "some of these"), ".") + ":\n    " + strings.Join(flags, "\n    "))
		}
		all = all[n:]
	}
	return b.String()
}
