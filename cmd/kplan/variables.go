package main

import (
	"context"
	"strings"

	"github.com/urfave/cli/v2"

	"kplan.dev/kplan/hclspec/config"
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
		value("var", varFlag{&o.args, func(text string) config.VarArg { return config.VarArg{Set: text} }},
			"Set a variable: `'NAME=VALUE'`. May be repeated; of two that set the same variable the later one wins, be it -var or -var-file."),
		value("var-file", varFlag{&o.args, func(path string) config.VarArg { return config.VarArg{File: path} }},
			"Take the values of variables from `FILE`. May be repeated."),
		off("input", &o.input, "Don't ask for missing values, fail instead."),
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

func (f varFlag) String() string { return "" }

// prompt asks for the values of variables, nil where nobody is there to answer.
func (s *session) prompt(ctx context.Context) func(*config.Variable) (string, error) {
	if !s.input || !s.terminal {
		return nil
	}
	return func(v *config.Variable) (string, error) {
		return s.answer(ctx, question{title: "var." + v.Name, text: strings.TrimSpace(v.Description), hidden: v.Sensitive})
	}
}
