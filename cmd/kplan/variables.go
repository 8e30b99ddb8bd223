package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/internal/ui"
	"kplan.dev/kplan/plan"
)

// variableOptions are -var and -var-file, whose order among each other counts,
// and whether missing values may be asked for.
type variableOptions struct {
	args  []config.VarArg
	input bool
	// from is the saved plan whose values are taken where nothing else is given.
	from *plan.Plan
}

func (o *variableOptions) flags() []cli.Flag {
	return []cli.Flag{
		cli.Value("var", varFlag{&o.args, func(text string) config.VarArg { return config.VarArg{Set: text} }},
			"Set a variable: `'NAME=VALUE'`. May be repeated. Of several -var and -var-file that set the same variable the last one wins."),
		cli.Value("var-file", varFlag{&o.args, func(path string) config.VarArg { return config.VarArg{File: path} }},
			"Read the values of variables from `FILE`. May be repeated."),
		cli.Off("input", &o.input, "Don't ask for missing values; fail instead."),
	}
}

// varFlag adds to the one list of both flags.
type varFlag struct {
	list *[]config.VarArg
	make func(string) config.VarArg
}

func (f varFlag) Set(text string) error {
	*f.list = append(*f.list, f.make(text))
	return nil
}

func (f varFlag) String() string {
	var all cli.List
	if f.list != nil {
		for _, arg := range *f.list {
			all = append(all, cmp.Or(arg.Set, arg.File))
		}
	}
	return all.String()
}

// askVariable asks for the value of a variable; nil where nobody is there to
// answer.
func (s *session) askVariable(ctx context.Context) func(*config.Variable) (string, error) {
	if !s.ui.Input || !s.ui.Terminal {
		return nil
	}
	return func(v *config.Variable) (string, error) {
		return s.ui.Ask(ctx, ui.Question{Title: "var." + v.Name, Text: strings.TrimSpace(v.Description), Hidden: v.Sensitive})
	}
}

// savedVariables are the values of variables that a saved plan has, as if they
// were given on the command line. It has none of sensitive variables, which must
// be given again. That all values are those of the plan is verified later.
func savedVariables(p *plan.Plan, c *config.Config) []config.VarArg {
	declared := map[string]*config.Variable{}
	for _, v := range c.Variables {
		declared[v.Name] = v
	}
	var args []config.VarArg
	for _, name := range slices.Sorted(maps.Keys(p.Variables)) {
		saved, v := p.Variables[name], declared[name]
		if v == nil || saved.Sensitive || len(saved.Value) == 0 {
			continue
		}
		if text, ok := asArgument(saved.Value, v); ok {
			args = append(args, config.VarArg{Set: name + "=" + text})
		}
	}
	return args
}

// explainMissing adds to the error of each sensitive variable without a value
// that the saved plan had one.
func explainMissing(diags hcl.Diagnostics, p *plan.Plan, c *config.Config) {
	for _, v := range c.Variables {
		for _, d := range diags {
			if p.Variables[v.Name].Sensitive && d.Subject != nil && *d.Subject == v.Range {
				d.Detail += " A saved plan does not contain the values of sensitive variables. Give the value again that the plan was made with."
			}
		}
	}
}

// asArgument spells a value in JSON as -var takes it: as it stands for a
// variable of a primitive type or of none, as an expression for any other.
// There is no spelling of a list or an object for a variable without a type.
func asArgument(saved json.RawMessage, v *config.Variable) (text string, ok bool) {
	dec := json.NewDecoder(bytes.NewReader(saved))
	dec.UseNumber()
	var value any
	if err := dec.Decode(&value); err != nil || value == nil {
		return "", false
	}
	untyped := v.Type.FriendlyName() == "dynamic"
	s, isString := value.(string)
	switch {
	case isString && (untyped || v.Type.IsPrimitiveType()):
		return s, true
	case untyped:
		return "", false
	}
	return expression(value), true
}

// expression spells a value in JSON form in the configuration language.
func expression(value any) string {
	switch value := value.(type) {
	case map[string]any:
		var parts []string
		for _, key := range slices.Sorted(maps.Keys(value)) {
			parts = append(parts, expression(key)+" = "+expression(value[key]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case []any:
		parts := make([]string, len(value))
		for i, element := range value {
			parts[i] = expression(element)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	text, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("a value of a saved plan has no JSON form: %v", err))
	}
	// JSON's strings are the language's, but for the marks of a template. What
	// JSON writes for <, > and & is the same character in both.
	return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(string(text))
}
