package funcs

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"

	"kplan.dev/kplan/hclspec/budget"
	"kplan.dev/kplan/hclspec/source"
)

// maxTemplateDepth bounds templates that call templates.
const maxTemplateDepth = 32

// templates renders templates of one directory. They can call all functions,
// templatefile and templatestring too.
type templates struct {
	dir    source.Directory
	budget *budget.Budget
	others map[string]function.Function
	tables sync.Map // int → map[string]function.Function: all functions, by depth
	names  []string // of all functions, sorted
}

// withFunctions are all functions for a template at that depth; at depth 0 for
// the configuration itself.
func (t *templates) withFunctions(depth int) map[string]function.Function {
	if known, ok := t.tables.Load(depth); ok {
		return known.(map[string]function.Function)
	}
	table := maps.Clone(t.others)
	table["templatefile"] = discreet(t.function(depth, "Renders a file as a template.", "path", t.source), t.budget, "templatefile")
	table["templatestring"] = discreet(t.function(depth, "Renders a string as a template.", "template",
		func(text string) (string, string, error) {
			return text, "<templatestring>", nil
		}), t.budget, "templatestring")
	t.tables.Store(depth, table)
	return table
}

func (t *templates) source(name string) (text, filename string, err error) {
	src, err := t.dir.ReadPublic(name)
	if err != nil {
		return "", "", fileError(name, err)
	}
	if text, err = asWritten(src); err != nil {
		return "", "", fileError(name, err)
	}
	t.budget.File(name, len(src))
	return text, name, nil
}

func (t *templates) function(depth int, description, param string,
	source func(string) (text, filename string, err error)) function.Function {
	return function.New(&function.Spec{
		Description: description,
		Params: []function.Parameter{
			{Name: param, Type: cty.String},
			{Name: "vars", Type: cty.DynamicPseudoType, AllowMarked: true, AllowUnknown: true},
		},
		Type: function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if depth >= maxTemplateDepth {
				return cty.NilVal, fmt.Errorf("templates call one another more than %d deep", maxTemplateDepth)
			}
			text, filename, err := source(args[0].AsString())
			if err != nil {
				return cty.NilVal, err
			}
			return t.render(text, filename, args[1], depth)
		},
	})
}

// render evaluates a template with the attributes of vars as its variables.
func (t *templates) render(text, filename string, vars cty.Value, depth int) (cty.Value, error) {
	vars, marks := vars.Unmark()
	if !vars.IsKnown() {
		return cty.UnknownVal(cty.String).WithMarks(marks), nil
	}
	if vars.IsNull() || !vars.Type().IsObjectType() && !vars.Type().IsMapType() {
		return cty.NilVal, function.NewArgErrorf(1, "the template's variables must be a map or an object")
	}
	ctx := &hcl.EvalContext{Variables: map[string]cty.Value{}, Functions: t.withFunctions(depth + 1)}
	for name, value := range vars.AsValueMap() {
		if !hclsyntax.ValidIdentifier(name) {
			return cty.NilVal, function.NewArgErrorf(1, "%q can't be the name of a variable", name)
		}
		ctx.Variables[name] = value
	}
	if !source.IsTemplate([]byte(text)) {
		return cty.StringVal(text).WithMarks(marks), nil
	}
	if diags := source.CheckTemplate([]byte(text), filename); diags.HasErrors() {
		return cty.NilVal, templateError(diags)
	}
	expr, diags := hclsyntax.ParseTemplate([]byte(text), filename, hcl.InitialPos)
	if diags.HasErrors() {
		return cty.NilVal, templateError(diags)
	}
	if diags := source.ReadTypes(expr); diags.HasErrors() {
		return cty.NilVal, templateError(diags)
	}
	if diags := UnknownCalls(expr, t.names); diags.HasErrors() {
		return cty.NilVal, templateError(diags)
	}
	value, diags := t.budget.Expr(expr).Value(ctx)
	if diags.HasErrors() {
		return cty.NilVal, templateError(diags)
	}
	return templateResult(value.WithMarks(marks))
}

func templateResult(value cty.Value) (cty.Value, error) {
	value, err := convert.Convert(value, cty.String)
	if err != nil || value.IsNull() {
		return cty.NilVal, fmt.Errorf("the result of the template is not a string")
	}
	plain, _ := value.Unmark()
	if plain.IsKnown() && len(plain.AsString()) > maxText {
		return cty.NilVal, errTooMuchText
	}
	return value, nil
}

// templateError is the first problem of a template, with its range there.
func templateError(diags hcl.Diagnostics) error {
	first := diags.Errs()[0].(*hcl.Diagnostic)
	detail := strings.TrimSuffix(first.Detail, ".") // the caller adds its own
	if first.Subject == nil {
		return errors.New(detail)
	}
	return fmt.Errorf("at %s: %s", first.Subject, detail)
}
