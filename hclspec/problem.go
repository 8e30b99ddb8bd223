package hclspec

import (
	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
)

// problem is one error in the user's text.
func problem(summary string, subject hcl.Range, detail string) hcl.Diagnostics {
	return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: &subject}}
}

// didYouMean is a sentence that offers the name a misspelled one stands for,
// with a space before it, or "".
func didYouMean(given string, names []string) string {
	name := guess(func() string { return addrs.Nearest(given, names) })
	if name == "" || len(given) < 2 {
		return ""
	}
	return ` Did you mean "` + name + `"?`
}

// guess is what f returns, "" when it panics: agext/levenshtein v1.2.1, which
// is behind addrs.Nearest, reads past the end of some words ("nopething").
func guess(f func() string) (name string) {
	defer func() {
		if recover() != nil {
			name = ""
		}
	}()
	return f()
}
