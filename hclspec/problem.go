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
	if name := addrs.Nearest(given, names); name != "" {
		return ` Did you mean "` + name + `"?`
	}
	return ""
}
