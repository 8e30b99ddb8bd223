package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/plan"
)

// recorded are the values of variables that a saved plan holds, as if they were
// given on the command line. It holds none of sensitive variables, which are
// given again; that all values are those of the plan is verified later.
func recorded(p *plan.Plan, c *config.Config) []config.VarArg {
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

// explainMissing says of each sensitive variable without a value that the saved
// plan had one.
func explainMissing(diags hcl.Diagnostics, p *plan.Plan, c *config.Config) {
	for _, v := range c.Variables {
		for _, d := range diags {
			if p.Variables[v.Name].Sensitive && d.Subject != nil && *d.Subject == v.Range {
				d.Detail += " A saved plan does not hold the values of sensitive variables: give the one again that it was made with."
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
