package main

import (
	"cmp"
	"context"
	"encoding/json"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/internal/redact"
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
	// withoutSecrets leaves sensitive variables without a value unknown.
	withoutSecrets bool
}

func (o *variableOptions) flags() []cli.Flag {
	return append(o.valueFlags(), cli.Off("input", &o.input, "Don't ask for missing values; fail instead."))
}

func (o *variableOptions) valueFlags() []cli.Flag {
	return []cli.Flag{
		cli.Value("var", varFlag{&o.args, func(text string) config.VarArg { return config.VarArg{Set: text} }},
			"Set a variable: `'NAME=VALUE'`. May be repeated. Of several -var and -var-file that set the same variable the last one wins."),
		cli.Value("var-file", varFlag{&o.args, func(path string) config.VarArg { return config.VarArg{File: path} }},
			"Read the values of variables from `FILE`. May be repeated."),
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

// secretsIn are the texts that the sensitive variables hold.
func secretsIn(values config.Values) []string {
	var secrets []string
	for _, v := range values.JSON() {
		var value any
		if v.Sensitive && json.Unmarshal(v.Value, &value) == nil {
			secrets = append(secrets, redact.Texts(value)...)
		}
	}
	return secrets
}

// savedVariables are the values of variables in JSON that a saved plan has. It has
// none of sensitive variables, which must be given again. That all values are those
// of the plan is verified later.
func savedVariables(p *plan.Plan) map[string]json.RawMessage {
	saved := map[string]json.RawMessage{}
	for name, v := range p.Variables {
		if !v.Sensitive && len(v.Value) > 0 {
			saved[name] = v.Value
		}
	}
	return saved
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
