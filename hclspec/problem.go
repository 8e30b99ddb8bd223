package hclspec

import (
	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
)

// problem is one error in the user's text.
func problem(summary string, subject hcl.Range, detail string) hcl.Diagnostics {
	return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: &subject}}
}

// maxMisspelled is the longest word that a likeness is looked for.
const maxMisspelled = 100

// didYouMean is a sentence that offers the name a misspelled one stands for,
// with a space before it, or "".
func didYouMean(given string, names []string) string {
	if name := nearest(given, names); name != "" {
		return ` Did you mean "` + name + `"?`
	}
	return ""
}

// nearest is the name that a misspelled one stands for, "" for none.
func nearest(given string, names []string) string {
	if len(given) < 2 || len(given) > maxMisspelled {
		return ""
	}
	return addrs.Nearest(given, names)
}
