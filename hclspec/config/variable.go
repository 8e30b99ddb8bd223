package config

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/budget"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/internal/words"
)

var variableSchema = &hcl.BodySchema{
	Attributes: []hcl.AttributeSchema{{Name: "type"}, {Name: "default"}, {Name: "description"}, {Name: "nullable"}, {Name: "sensitive"}},
	Blocks:     []hcl.BlockHeaderSchema{{Type: "validation"}},
}

// reservedVariables are the arguments of a module call beside its variables.
var reservedVariables = []string{"source", "version", "providers", "count", "for_each", "depends_on", "lifecycle"}

// variable reads a variable block; nil when its name is wrong.
func (p *parser) variable(block *hcl.Block) *Variable {
	v := &Variable{Name: block.Labels[0], Type: cty.DynamicPseudoType, Nullable: true, Range: block.DefRange, literal: true}
	if !p.checkName("a variable", v.Name, block.LabelRanges[0]) {
		return nil
	}
	if slices.Contains(reservedVariables, v.Name) {
		p.problem("Reserved name", block.LabelRanges[0],
			"A variable can't be called %q: where a module is called, that is an argument of the call itself.", v.Name)
	}
	content, diags := block.Body.Content(variableSchema)
	p.report(diags)
	p.constant(content.Attributes["description"], &v.Description)
	p.constant(content.Attributes["nullable"], &v.Nullable)
	p.constant(content.Attributes["sensitive"], &v.Sensitive)
	if attr := content.Attributes["type"]; attr != nil {
		p.variableType(v, attr)
	}
	if attr := content.Attributes["default"]; attr != nil {
		p.variableDefault(v, attr)
	}
	for _, b := range content.Blocks {
		if check := p.check(b); check != nil {
			p.validation(v, check)
			v.Validations = append(v.Validations, check)
		}
	}
	return v
}

// variableType reads the type argument.
func (p *parser) variableType(v *Variable, attr *hcl.Attribute) {
	if name, quoted := source.QuotedWord(attr.Expr); quoted {
		p.problem("Quoted type", attr.Expr.Range(), "A type is written without quotes: type = %s.", unquotedType(name))
		return
	}
	budget.PayDefaults(p.budget, attr.Expr)
	ty, defaults, diags := typeexpr.TypeConstraintWithDefaults(attr.Expr)
	if diags.HasErrors() {
		p.report(withTypeHints(diags, p.files))
		return
	}
	v.Type, v.Optional = ty, defaults
	p.report(unusedInType("an optional attribute of var."+v.Name, attr.Expr))
	v.literal = ty.IsPrimitiveType()
}

// unquotedType is the meaning of a quoted type in old Terraform.
func unquotedType(name string) string {
	switch name {
	case "list", "map", "set":
		return name + "(any)"
	}
	return name
}

var typeNames = []string{"string", "number", "bool", "any", "list", "set", "map", "object", "tuple", "optional"}

// withTypeHints adds the type that a misspelled one most likely means.
func withTypeHints(diags hcl.Diagnostics, files map[string]*hcl.File) hcl.Diagnostics {
	for _, d := range diags {
		file := files[d.Subject.Filename]
		if file == nil || !d.Subject.CanSliceBytes(file.Bytes) {
			continue
		}
		word, _, _ := strings.Cut(strings.Trim(string(d.Subject.SliceBytes(file.Bytes)), `"`), "(")
		if name, ok := typeSynonyms[word]; ok {
			d.Detail += words.DidYouMean(name)
		} else if hclsyntax.ValidIdentifier(word) && !slices.Contains(typeNames, word) {
			d.Detail += words.Suggest(word, typeNames)
		}
	}
	return diags
}

// typeSynonyms are what other languages call the types.
var typeSynonyms = map[string]string{
	"int": "number", "integer": "number", "float": "number", "float64": "number",
	"boolean": "bool", "str": "string", "text": "string", "array": "list", "dict": "map",
}

// variableDefault reads the default argument; it comes after the type.
func (p *parser) variableDefault(v *Variable, attr *hcl.Attribute) {
	v.defaultExpr = attr.Expr
	value, ok := p.constantValue("The default of a variable", attr.Expr)
	v.Default = cty.DynamicVal // a broken default makes no variable required
	if !ok {
		return
	}
	at := attr.Expr.Range()
	u := unused{of: "the default of var." + v.Name, at: &at, isSecret: v.Sensitive}
	u.find(value, v.Type, attr.Expr, addrs.Path{})
	source.SortDiagnostics(u.diags)
	p.report(u.diags)
	if budget.HoldsHugeNumber(value, v.Type) {
		p.problem("Invalid default value", attr.Expr.Range(), "The default of var.%s has a number with too many digits.", v.Name)
		return
	}
	converted, err := v.convert(value, at, p.budget)
	switch {
	case err != nil:
		p.problem("Invalid default value", attr.Expr.Range(),
			"The default of var.%s does not fit its type, %s: %s.", v.Name, typeName(v.Type), conversionError(err))
	case converted.IsNull() && !v.Nullable:
		p.problem("Invalid default value", attr.Expr.Range(), "The default of var.%s is null, which nullable = false rules out.", v.Name)
	default:
		v.Default = converted
	}
}

// validation checks what a variable's validation refers to: variables, and its
// own one among them.
func (p *parser) validation(v *Variable, check *Check) {
	own, others := false, false
	for _, expr := range []hcl.Expression{check.Condition, check.ErrorMessage} {
		for _, ref := range expr.Variables() {
			name, ok := source.RootAttr(ref, "var")
			own = own || ok && name == v.Name && expr == check.Condition
			if !ok {
				others = true
				p.problem("Invalid reference in validation", ref.SourceRange(),
					"Variables are validated before anything else is evaluated, so a validation can refer to variables only, "+
						"not to %s.", source.DescribeReference(ref))
			}
		}
	}
	if !own && !others {
		p.problem("Validation of another value", check.Condition.Range(),
			"The condition never refers to var.%s, so it does not check that variable.", v.Name)
	}
}

// checkValidationNames checks that the variables that validations refer to are
// declared, once all are known.
func checkValidationNames(p *parser, c *Config) {
	var names []string
	for _, v := range c.Variables {
		names = append(names, v.Name)
	}
	for _, v := range c.Variables {
		for _, check := range v.Validations {
			for _, ref := range append(check.Condition.Variables(), check.ErrorMessage.Variables()...) {
				if name, ok := source.RootAttr(ref, "var"); ok && !slices.Contains(names, name) {
					p.problem("Reference to undeclared variable", ref.SourceRange(), "There is no variable %q.%s", name, words.Suggest(name, names))
				}
			}
		}
	}
}

// typeName is a type as a variable block spells it.
func typeName(ty cty.Type) string { return typeexpr.TypeString(ty) }

// conversionError describes why a value does not fit a type, with the path inside the value.
func conversionError(err error) string {
	pathErr, ok := err.(cty.PathError)
	if !ok || len(pathErr.Path) == 0 {
		return err.Error()
	}
	var path addrs.Path
	for _, step := range pathErr.Path {
		switch s := step.(type) {
		case cty.GetAttrStep:
			path = path.Field(s.Name)
		case cty.IndexStep:
			path = source.AppendKey(path, s.Key)
		}
	}
	return "at " + path.String() + ": " + pathErr.Error()
}
