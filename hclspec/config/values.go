package config

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/budget"
	"kplan.dev/kplan/hclspec/funcs"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/internal/option"
)

// Values are the values of a configuration's variables, converted to their types and checked by
// their validations. Sensitive ones are marked.
type Values struct {
	values map[string]cty.Value
	files  map[string]string
}

// Files are the contents of the files that were read without being named, by name.
func (v Values) Files() map[string]string { return v.files }

// Names are the variables' names, sorted.
func (v Values) Names() []string { return slices.Sorted(maps.Keys(v.values)) }

// Value is the value of a variable. That of one that is not declared, or that
// has no value yet, is unknown.
func (v Values) Value(name string) cty.Value {
	if value, ok := v.values[name]; ok {
		return value
	}
	return cty.DynamicVal
}

// object is the value of var in an expression.
func (v Values) object() cty.Value { return cty.ObjectVal(v.values) }

// VariableValue is a variable's value in JSON. That of a sensitive variable is in clear too: it is
// for computing a digest, never for a file.
type VariableValue struct {
	Value     json.RawMessage // nil while unknown
	Type      json.RawMessage // cty's JSON spelling: "string", ["list","string"]
	Sensitive bool
}

// JSON is every value in JSON form.
func (v Values) JSON() map[string]VariableValue {
	out := make(map[string]VariableValue, len(v.values))
	for name, value := range v.values {
		plain, _ := value.UnmarkDeep()
		entry := VariableValue{Sensitive: funcs.IsSensitive(value)}
		if plain.IsWhollyKnown() {
			entry.Value = mustJSON(ctyjson.Marshal(plain, plain.Type()))
			entry.Type = mustJSON(ctyjson.MarshalType(plain.Type()))
		}
		out[name] = entry
	}
	return out
}

func mustJSON(text []byte, err error) json.RawMessage {
	if err != nil {
		panic("hclspec: a variable's value has no JSON form: " + err.Error())
	}
	return text
}

// Inputs are the sources of variables' values, besides the files that are always read:
// default.kpvars.hcl, default.kpvars.json and *.auto.kpvars.hcl and .json in the configuration's
// directory.
type Inputs struct {
	// Env is the process's environment as os.Environ gives it; KPLAN_VAR_name
	// sets a variable and is overridden by everything else.
	Env []string
	// Saved are values in JSON, by variable, that a saved plan recorded. They
	// override the environment and the files that are always read.
	Saved map[string]json.RawMessage
	// Args are the -var and -var-file options in the order of the command line;
	// they override everything else.
	Args []VarArg
	// Open opens a file that one of Args names, which may lie anywhere and be a
	// pipe; nil: os.Open.
	Open func(path string) (io.ReadCloser, error)
	// Prompt asks the user for a variable that has no value; nil: don't ask.
	Prompt func(*Variable) (string, error)
	// Partial leaves variables without a value unknown instead of reporting
	// them.
	Partial bool
	// WithoutSecrets leaves sensitive variables without a value unknown, and does not ask for them.
	WithoutSecrets bool
}

// canDoWithout reports whether a variable may be without a value.
func (in Inputs) canDoWithout(v *Variable) bool {
	return in.Partial || in.WithoutSecrets && v.Sensitive
}

// VarArg is one option of the command line; one of its fields is set.
type VarArg struct {
	Set  string // -var: "name=value"
	File string // -var-file: a path, relative to the working directory
}

// ReadVariables gives the variables their values, and reports everything that
// is wrong with what was given. Files of variables never enter Config.Files:
// a snippet of one could show a secret.
func (c *Config) ReadVariables(in Inputs) (Values, hcl.Diagnostics) {
	values := Values{make(map[string]cty.Value, len(c.Variables)), map[string]string{}}
	var diags hcl.Diagnostics
	tooMuch := c.Budget.Within(func() { diags = c.readVariables(values, in) })
	return values, source.FirstProblems(append(diags, tooMuch...))
}

func (c *Config) readVariables(values Values, in Inputs) hcl.Diagnostics {
	g := &givenValues{config: c, values: map[string]given{}, declared: map[string]*Variable{}, files: values.files}
	for _, v := range c.Variables {
		g.declared[v.Name] = v
	}
	g.environment(in.Env)
	g.automaticFiles()
	g.saved(in.Saved)
	g.arguments(in)
	sound := map[string]bool{}
	for _, v := range c.Variables {
		values.values[v.Name], sound[v.Name] = g.finish(v, in)
	}
	g.ignored(in)
	var scope *hcl.EvalContext // made once: it holds all values
	for _, v := range c.Variables {
		if !sound[v.Name] || len(v.Validations) == 0 {
			continue
		}
		if scope == nil {
			scope = &hcl.EvalContext{
				Variables: map[string]cty.Value{"var": values.object()},
				Functions: funcs.Table(c.Dir, c.Budget),
			}
		}
		g.report(c.validate(v, scope, g.values[v.Name]))
	}
	return g.diags
}

// finish is the final value of a variable, and whether it is a sound one. It prompts for a missing
// value; a variable that still has none, or an invalid one, is unknown.
func (g *givenValues) finish(v *Variable, in Inputs) (cty.Value, bool) {
	from, ok := g.values[v.Name]
	if !ok && v.Default == cty.NilVal && in.Prompt != nil && !in.canDoWithout(v) && !g.incomplete {
		from, ok = g.ask(v, in.Prompt), true
	}
	value := v.Default
	switch {
	case ok && from.value == cty.NilVal: // reported when it was read
		return v.marked(v.unknown()), false
	case ok:
		value, ok = g.fit(v, from)
		if !ok {
			return v.marked(v.unknown()), false
		}
	case value == cty.NilVal && (g.incomplete || in.canDoWithout(v)):
		return v.marked(v.unknown()), false
	case value == cty.NilVal:
		g.report(source.Problem("No value for required variable", v.Range,
			"var.%s has no default, and nothing gives it a value. Set it with %s, in a file named with %s, in default.kpvars.hcl, "+
				"or in the environment as KPLAN_VAR_%s.%s",
			v.Name, option.Var.With(v.Name+"=…"), option.VarFile, v.Name, g.terraformHint(v, in.Env)))
		return v.marked(v.unknown()), false
	}
	return v.marked(value), true
}

// fit converts a value to the variable's type.
func (g *givenValues) fit(v *Variable, from given) (cty.Value, bool) {
	value := from.value
	u := unused{of: fmt.Sprintf("var.%s from %s", v.Name, from.source), at: from.at, isSecret: v.Sensitive}
	u.find(value, v.Type, from.expr, addrs.Path{})
	source.SortDiagnostics(u.diags)
	g.report(u.diags)
	if budget.HoldsHugeNumber(value, v.Type) {
		g.report(from.problem("The value of var.%s from %s has a number with too many digits.", v.Name, from.source))
		return cty.NilVal, false
	}
	at := v.Range
	if from.at != nil {
		at = *from.at
	}
	converted, err := v.convert(value, at, g.config.Budget)
	if err != nil {
		g.report(from.problem("The value of var.%s from %s does not fit: its type is %s, and the value is %s.%s", v.Name,
			from.source, typeName(v.Type), typeArticle(from.value.Type()), whyNot(v, err)))
		return cty.NilVal, false
	}
	if !converted.IsNull() || v.Nullable {
		return converted, true
	}
	if v.Default != cty.NilVal {
		return v.Default, true // null asks for the default where it is no value
	}
	g.report(from.problem("The value of var.%s from %s is null, which nullable = false rules out.", v.Name, from.source))
	return cty.NilVal, false
}

// convert converts a value that is at a place in the source to the variable's type.
func (v *Variable) convert(value cty.Value, at hcl.Range, b *budget.Budget) (cty.Value, error) {
	budget.PayConversionAt(b, value, v.Type, at)
	if v.Optional != nil {
		value = v.Optional.Apply(value)
	}
	converted, err := budget.Convert(value, v.Type)
	if err == nil {
		err = funcs.CheckNumbers(converted)
	}
	return converted, err
}

// whyNot is a sentence about a failed conversion. That of a sensitive value
// could name its keys.
func whyNot(v *Variable, err error) string {
	if v.Sensitive {
		return ""
	}
	return " The reason: " + conversionError(err) + "."
}

func (v *Variable) unknown() cty.Value {
	// No value is of a type with optional attributes: conversion fills them in.
	value := cty.UnknownVal(v.Type.WithoutOptionalAttributesDeep())
	if !v.Nullable && v.Type != cty.DynamicPseudoType {
		value = value.RefineNotNull()
	}
	return value
}

func (v *Variable) marked(value cty.Value) cty.Value {
	if v.Sensitive {
		return value.Mark(funcs.Sensitive)
	}
	return value
}

// validate checks a value by the variable's validation blocks.
func (c *Config) validate(v *Variable, ctx *hcl.EvalContext, from given) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, check := range v.Validations {
		passed, _, checkDiags := check.Passes(ctx)
		diags = append(diags, checkDiags...)
		if !passed {
			diags = append(diags, c.invalid(v, check, ctx, from)...)
		}
	}
	return diags
}

func (c *Config) invalid(v *Variable, check *Check, ctx *hcl.EvalContext, from given) hcl.Diagnostics {
	message, diags := check.Message(ctx)
	source := "its default"
	if from.source != "" {
		source = from.source
	}
	problems := from.problem("%s The value of var.%s from %s breaks the rule at %s.", message, v.Name, source, check.Range)
	if problems[0].Subject == nil {
		problems[0].Subject = &v.Range
	}
	problems[0].Expression, problems[0].EvalContext = check.Condition, ctx
	return append(diags, problems...)
}
