package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/gocty"

	"kplan.dev/kplan/hclspec/funcs"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/internal/words"
)

// settingsEval evaluates arguments of the kplan block, which is read before
// any object is known: they can refer to variables, to local values made of
// variables, and to functions.
type settingsEval struct {
	config  *Config
	block   string // "kplan", or another that is read as early
	values  Values
	attrs   hcl.Attributes
	present hcl.Attributes       // those that have a value other than null
	unknown []string             // those whose value depends on a variable that has none
	texts   map[string]string    // those that can be written as text
	locals  map[string]cty.Value // those evaluated; NilVal while one is in progress
	diags   hcl.Diagnostics
}

func newSettingsEval(c *Config, v Values, attrs hcl.Attributes) *settingsEval {
	return &settingsEval{config: c, block: "kplan", values: v, attrs: attrs, present: hcl.Attributes{}, texts: map[string]string{},
		locals: map[string]cty.Value{}}
}

// set evaluates the argument of that name, if there is one, and stores it in
// target, a pointer to a Go value.
func (e *settingsEval) set(name string, target any) {
	attr := e.attrs[name]
	if attr == nil {
		return
	}
	value, ok := e.value(attr.Expr, nil)
	if !ok {
		return
	}
	want, err := gocty.ImpliedType(target)
	if err != nil {
		panic("hclspec: an argument decoded into a Go type that cty has no type for: " + err.Error())
	}
	value, _ = value.UnmarkDeep() // the cluster needs the real token
	converted, err := convert.Convert(value, want)
	switch {
	case err != nil:
		e.diags = append(e.diags, source.Problem("Invalid value", attr.Expr.Range(), "%s must be %s.", name, typeArticle(want))...)
	case converted.IsNull():
	case !converted.IsWhollyKnown():
		e.present[name] = attr
		e.unknown = append(e.unknown, name)
	default:
		e.present[name] = attr
		if text, err := convert.Convert(converted, cty.String); err == nil {
			e.texts[name] = text.AsString()
		}
		if err := gocty.FromCtyValue(converted, target); err != nil {
			e.diags = append(e.diags, source.Problem("Invalid value", attr.Expr.Range(),
				"%s must be %s without null in it.", name, typeArticle(want))...)
		}
	}
}

// known is set, and reports whether the argument has a value, which is then in target.
func (e *settingsEval) known(name string, target any) bool {
	before := len(e.diags)
	e.set(name, target)
	return e.present[name] != nil && !slices.Contains(e.unknown, name) && len(e.diags) == before
}

func (e *settingsEval) invalid(name, format string, args ...any) {
	e.diags = append(e.diags, source.Problem("Invalid value", e.attrs[name].Expr.Range(), format, args...)...)
}

// duration is set for a length of time.
func (e *settingsEval) duration(name string) time.Duration {
	var text string
	e.set(name, &text)
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		e.diags = append(e.diags, source.Problem("Invalid duration", e.attrs[name].Expr.Range(),
			"%s is a length of time such as \"30s\" or \"5m\".", name)...)
	}
	return max(d, 0)
}

// value evaluates an expression; path are the local values that lead to it.
func (e *settingsEval) value(expr hcl.Expression, path []string) (cty.Value, bool) {
	locals := map[string]cty.Value{}
	for _, ref := range expr.Variables() {
		if name, ok := source.RootAttr(ref, "local"); ok {
			value, ok := e.local(name, ref, path)
			if !ok {
				return cty.NilVal, false
			}
			locals[name] = value
		} else if !e.allowed(ref, path) {
			return cty.NilVal, false
		}
	}
	scope := &hcl.EvalContext{
		Variables: map[string]cty.Value{"var": e.values.object(), "local": cty.ObjectVal(locals), "path": PathValue},
		Functions: funcs.Table(e.config.Dir, e.config.Budget),
	}
	var value cty.Value
	var diags hcl.Diagnostics
	tooMuch := e.config.Budget.Within(func() { value, diags = funcs.Evaluate(expr, scope) })
	e.diags = append(append(e.diags, diags...), tooMuch...)
	return value, !diags.HasErrors() && !tooMuch.HasErrors()
}

// allowed reports whether an expression of the kplan block can refer to ref.
func (e *settingsEval) allowed(ref hcl.Traversal, path []string) bool {
	name, isVar := source.RootAttr(ref, "var")
	_, declared := e.values.values[name]
	switch {
	case isVar && declared, ref.RootName() == "path":
		return true
	case isVar:
		e.diags = append(e.diags, source.Problem("Reference to undeclared variable", ref.SourceRange(),
			"There is no variable %q.%s", name, words.Suggest(name, e.values.Names()))...)
	default:
		through := ""
		if len(path) > 0 {
			through = fmt.Sprintf(" The %s block needs it through local.%s.", e.block, strings.Join(path, ", local."))
		}
		e.diags = append(e.diags, source.Problem("Invalid reference in "+e.block+" block", ref.SourceRange(),
			"The %s block is read before any object is known, so it can refer to variables, and to local values made of "+
				"variables, but not to %s.%s", e.block, source.DescribeReference(ref), through)...)
	}
	return false
}

func (e *settingsEval) local(name string, ref hcl.Traversal, path []string) (cty.Value, bool) {
	if value, done := e.locals[name]; done {
		if value == cty.NilVal {
			e.diags = append(e.diags, source.Problem("Cycle of local values", ref.SourceRange(),
				"local.%s refers to itself through %s.", name, strings.Join(path, ", "))...)
		}
		return value, value != cty.NilVal
	}
	for _, l := range e.config.Locals {
		if l.Name != name {
			continue
		}
		e.locals[name] = cty.NilVal
		value, ok := e.value(l.Expr, append(path, name))
		if ok {
			e.locals[name] = value
		}
		return value, ok
	}
	var names []string
	for _, l := range e.config.Locals {
		names = append(names, l.Name)
	}
	e.diags = append(e.diags, source.Problem("Reference to undeclared local value", ref.SourceRange(),
		"There is no local value %q.%s", name, words.Suggest(name, names))...)
	return cty.NilVal, false
}

// PathValue is the value of path. Everything that a configuration reads is in its own directory,
// so all three are that, wherever kplan was started.
var PathValue = cty.ObjectVal(map[string]cty.Value{
	"module": cty.StringVal("."), "root": cty.StringVal("."), "cwd": cty.StringVal("."),
})
