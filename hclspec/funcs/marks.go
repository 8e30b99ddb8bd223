package funcs

import "github.com/zclconf/go-cty/cty"

// A mark stays on a value, and on everything made of it, through evaluation.
type mark string

// Sensitive marks values that are never shown: those of sensitive variables,
// secret fields of objects, and what sensitive() returns.
const Sensitive = mark("sensitive")

// IsSensitive reports whether v or anything inside it must not be shown.
func IsSensitive(v cty.Value) bool {
	_, marks := v.UnmarkDeep()
	_, ok := marks[Sensitive]
	return ok
}
