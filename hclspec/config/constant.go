package config

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/gocty"

	"kplan.dev/kplan/hclspec/budget"
	"kplan.dev/kplan/hclspec/source"
)

// parser reads blocks and their arguments, and gathers what is wrong with them.
type parser struct {
	files  map[string]*hcl.File // by name
	budget *budget.Budget
	diags  hcl.Diagnostics
}

// report adds problems. About an argument or a block that only Terraform has there, they say what
// kplan has instead.
func (p *parser) report(diags hcl.Diagnostics) {
	explain(diags, func(name string) string { return cmp.Or(unsupportedArguments[name], source.Instead[name]) })
	p.diags = append(p.diags, diags...)
}

// explain adds what to write instead of an argument or a block that does not belong where it is.
func explain(diags hcl.Diagnostics, instead func(name string) string) {
	for _, d := range diags {
		if m := notExpected.FindStringSubmatch(d.Detail); m != nil {
			if hint := instead(m[1] + m[2] + m[3]); hint != "" {
				d.Detail = m[0] + " " + hint
			}
		}
	}
}

// notExpected is how package hcl reports an argument or a block that does not belong there.
var notExpected = regexp.MustCompile(`^(?:An argument named "(\w+)" is not expected here\.|` +
	`Blocks of type "(\w+)" are not expected here\.|No argument or block type is named "(\w+)"\.)`)

func (p *parser) problem(summary string, subject hcl.Range, format string, args ...any) {
	p.report(source.Problem(summary, subject, format, args...))
}

// checkName refuses a name that could not be written in a reference.
func (p *parser) checkName(what, name string, at hcl.Range) bool {
	if hclsyntax.ValidIdentifier(name) && cty.NormalizeString(name) == name {
		return true
	}
	hint := ""
	if fixed := toIdentifier(name); fixed != "" {
		hint = fmt.Sprintf(" For example %q.", fixed)
	}
	p.problem("Invalid name", at, "The name of %s starts with a letter or an underscore and holds only letters, digits, "+
		"underscores and dashes.%s", what, hint)
	return false
}

// toIdentifier is the nearest valid name, "" when there is none.
func toIdentifier(name string) string {
	fixed := strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, name)
	if fixed != "" && (fixed[0] == '-' || fixed[0] >= '0' && fixed[0] <= '9') {
		fixed = "_" + fixed
	}
	if strings.Trim(fixed, "_") == "" || !hclsyntax.ValidIdentifier(fixed) {
		return ""
	}
	return fixed
}

// constant evaluates an argument that may not depend on anything and stores it
// in target, a pointer to a Go value. It reports whether there was a value.
func (p *parser) constant(attr *hcl.Attribute, target any) bool {
	if attr == nil {
		return false
	}
	value, ok := p.constantValue(attr.Name, attr.Expr)
	if !ok {
		return false
	}
	want, err := gocty.ImpliedType(target)
	if err != nil {
		panic("hclspec: an argument decoded into a Go type that cty has no type for: " + err.Error())
	}
	if value.IsNull() {
		p.problem("Invalid value", attr.Expr.Range(), "%s must not be null. Leave the argument out instead.", attr.Name)
		return false
	}
	converted, err := convert.Convert(value, want)
	if err == nil {
		err = gocty.FromCtyValue(converted, target)
	}
	if err != nil {
		p.problem("Invalid value", attr.Expr.Range(), "%s must be %s.", attr.Name, typeArticle(want))
		return false
	}
	return true
}

// constantValue evaluates an expression that may not depend on anything.
func (p *parser) constantValue(name string, expr hcl.Expression) (cty.Value, bool) {
	if refs := expr.Variables(); len(refs) > 0 {
		p.problem("Constant value required", refs[0].SourceRange(),
			"%s is read before anything is evaluated, so its value must be written out: it can't refer to %s.", name,
			source.DescribeReference(refs[0]))
		return cty.NilVal, false
	}
	if at, calls := source.FunctionCall(expr); calls {
		p.problem("Constant value required", at,
			"%s is read before anything is evaluated, so its value must be written out: it can't call functions.", name)
		return cty.NilVal, false
	}
	value, diags := expr.Value(nil)
	if diags.HasErrors() {
		p.report(diags)
		return cty.NilVal, false
	}
	return value, true
}

// typeArticle names a type in a sentence, with an article.
func typeArticle(ty cty.Type) string {
	switch name := ty.FriendlyNameForConstraint(); {
	case ty == cty.Bool:
		return "true or false"
	case ty.Equals(cty.List(cty.String)), ty.Equals(cty.Map(cty.String)):
		return "a " + name + "s"
	case strings.HasPrefix(name, "object"), strings.HasPrefix(name, "any"):
		return "an " + name
	default:
		return "a " + name
	}
}

// unsupportedBlocks are blocks that users of Terraform or of a later kplan would
// expect, with what to do instead.
var unsupportedBlocks = map[string]string{
	"terraform": "The block for kplan's own settings is called kplan.",
	"provider":  "kplan has no providers. The cluster block inside the kplan block configures the cluster.",
	"ephemeral": "kplan has no ephemeral resources. Secrets never enter its plans or its state.",
	"backend":   "The backend block belongs inside the kplan block.",
	"cluster":   "The cluster block belongs inside the kplan block.",
	"dynamic":   "Only the blocks of an object can be dynamic, inside of its resource. A resource is repeated by for_each.",
	"local":     "Local values are declared in a block called locals.",
}

// unsupportedArguments are arguments and blocks that users of Terraform would expect in a block, with
// what to do instead.
var unsupportedArguments = map[string]string{
	"create_before_destroy": "Two objects can't have one name, so the old one is always deleted first. " +
		"To have both for a while, declare the new one under another name, and remove the old one later.",
	"required_providers": "kplan has no providers.",
	"dynamic":            "Only the blocks of an object can be dynamic, inside of its resource. This one is written out.",
	"for_each":           "Only resources, data blocks, modules and imports are repeated.",
	"count":              "Only resources, data blocks and modules are repeated.",
	"ephemeral":          "Secrets never enter kplan's plans or its state. To hide a value, set sensitive = true.",
}
