package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"kplan.dev/kplan/hclspec/funcs"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/internal/option"
	"kplan.dev/kplan/internal/words"
)

// given is a value as it was given, before it is converted. Its value is
// NilVal when it could not be read.
type given struct {
	value  cty.Value
	source string         // "-var", "KPLAN_VAR_app", "prod.kpvars.hcl:3"
	at     *hcl.Range     // nil for a value that is not in a file
	expr   hcl.Expression // nil for a value that is not in a file
}

func (g given) problem(format string, args ...any) hcl.Diagnostics {
	diags := source.WithoutRange("Invalid value for variable", format, args...)
	diags[0].Subject = g.at
	return diags
}

// givenValues gathers values by rising precedence.
type givenValues struct {
	config   *Config
	declared map[string]*Variable
	values   map[string]given
	files    map[string]string // see Values.Files
	diags    hcl.Diagnostics
	// incomplete is that a file could not be read: a value that is missing may be in it, and is no second mistake.
	incomplete bool
	hinted     string // the file of Terraform that an error has named
}

func (g *givenValues) report(diags hcl.Diagnostics) { g.diags = append(g.diags, diags...) }

const envPrefix = "KPLAN_VAR_"

// environment reads KPLAN_VAR_name. Names that are not declared are ignored: one environment serves
// many configurations.
func (g *givenValues) environment(env []string) {
	for _, entry := range env {
		key, text, _ := strings.Cut(entry, "=")
		name, ok := strings.CutPrefix(key, envPrefix)
		if v := g.declared[name]; ok && v != nil {
			g.values[name] = g.fromText(v, text, key)
		}
	}
}

// ignored warns of values that Terraform would use, where a variable has its default instead.
func (g *givenValues) ignored(in Inputs) {
	warn := func(format string, args ...any) {
		diags := source.WithoutRange("Values that are not used", format, args...)
		diags[0].Severity = hcl.DiagWarning
		g.report(diags)
	}
	var names []string
	for _, v := range g.config.Variables {
		if _, given := g.values[v.Name]; !given && v.Default != cty.NilVal && isSet(in.Env, "TF_VAR_"+v.Name) {
			names = append(names, "TF_VAR_"+v.Name)
		}
	}
	if len(names) > 0 {
		warn("kplan does not read %s: variables are set by %sNAME.", words.And(names), envPrefix)
	}
	files, err := source.FilesWithSuffix(g.config.Dir, ".tfvars", ".tfvars.json")
	if err != nil {
		return // Load reported it
	}
	for _, name := range files {
		isNamed := slices.ContainsFunc(in.Args, func(arg VarArg) bool { return filepath.Base(arg.File) == name })
		isAutomatic := name == "terraform.tfvars" || name == "terraform.tfvars.json" || strings.Contains(name, ".auto.tfvars")
		if isAutomatic && !isNamed && name != g.hinted {
			warn("kplan does not read %s by itself: name it default.kpvars.hcl, or pass %s=%s.", name, option.VarFile, name)
		}
	}
}

func isSet(env []string, name string) bool {
	return slices.ContainsFunc(env, func(entry string) bool { return strings.HasPrefix(entry, name+"=") })
}

// terraformHint points out a value that Terraform would use, "" for none.
func (g *givenValues) terraformHint(v *Variable, env []string) string {
	if name := "TF_VAR_" + v.Name; isSet(env, name) {
		return " " + name + " is set, which kplan does not read."
	}
	if names, err := source.FilesWithSuffix(g.config.Dir, ".tfvars", ".tfvars.json"); err == nil && len(names) > 0 {
		g.hinted = names[0]
		return fmt.Sprintf(" There is %s: kplan reads it with %s=%s.", names[0], option.VarFile, names[0])
	}
	return ""
}

// automaticFiles reads the files of variables in the configuration's directory.
func (g *givenValues) automaticFiles() {
	names, err := source.FilesWithSuffix(g.config.Dir, ".kpvars.hcl", ".kpvars.json")
	if err != nil {
		return // Load reported it
	}
	for _, first := range []string{"default.kpvars.hcl", "default.kpvars.json"} {
		if slices.Contains(names, first) {
			g.automaticFile(first)
		}
	}
	for _, name := range names {
		if strings.HasSuffix(name, ".auto.kpvars.hcl") || strings.HasSuffix(name, ".auto.kpvars.json") {
			g.automaticFile(name)
		}
	}
}

func (g *givenValues) automaticFile(name string) {
	filename := filepath.Join(g.config.Dir, name)
	src, err := source.Directory(g.config.Dir).Read(name)
	if err != nil {
		g.unreadable(filename, err)
		return
	}
	g.files[name] = string(src)
	g.file(src, filename)
}

func (g *givenValues) unreadable(filename string, err error) {
	g.incomplete = true
	g.report(source.WithoutRange("Can't read file of variables", "%s can't be read: %v.", filename, err))
}

// saved reads the values that a saved plan recorded. It skips a variable that is no longer
// declared: the comparison with the saved plan reports it.
func (g *givenValues) saved(values map[string]json.RawMessage) {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		v := g.declared[name]
		if v == nil {
			continue
		}
		from := given{source: "the saved plan"}
		value, err := funcs.ParseJSON(string(values[name]))
		if err != nil {
			g.report(from.problem("The value of var.%s in the saved plan can't be read.", name))
		}
		from.value = value
		g.values[name] = from
	}
}

// arguments reads -var and -var-file in their order.
func (g *givenValues) arguments(in Inputs) {
	for _, arg := range in.Args {
		if arg.File != "" {
			g.namedFile(arg.File, in.Open)
		} else {
			g.assignment(arg.Set)
		}
	}
}

// namedFile reads a file that the user named.
func (g *givenValues) namedFile(path string, open func(string) (io.ReadCloser, error)) {
	if open == nil {
		open = func(path string) (io.ReadCloser, error) { return os.Open(path) }
	}
	file, err := open(path)
	if err != nil {
		g.unreadable(path, source.ReadError(err))
		return
	}
	defer file.Close()
	src, err := source.ReadLimited(file)
	if err != nil {
		g.unreadable(path, source.ReadError(err))
		return
	}
	g.file(src, path)
}

// assignment reads one -var 'name=value'.
func (g *givenValues) assignment(text string) {
	name, value, ok := strings.Cut(text, "=")
	bad := func(format string, args ...any) {
		g.report(source.WithoutRange("Invalid "+string(option.Var)+" option", format, args...))
	}
	trimmed := strings.TrimSpace(name)
	switch v := g.declared[name]; {
	case !ok && g.declared[text] != nil:
		bad("%s names the variable %q but gives no value: it is written %s.", option.Var, text, option.Var.With(text+"=value"))
		g.isMeant(text)
	case !ok:
		bad("%s needs the name of a variable and its value: it is written %s.", option.Var, option.Var.With("name=value"))
	case name == "":
		bad("%s needs the name of a variable before the equals sign: it is written %s.", option.Var, option.Var.With("name=value"))
	case trimmed != name && hclsyntax.ValidIdentifier(trimmed):
		bad("%s has a space beside the variable's name: write %s, without spaces around the equals sign.",
			option.Var, option.Var.With(trimmed+"=value"))
		g.isMeant(trimmed)
	case v == nil && !hclsyntax.ValidIdentifier(name):
		bad("%q is not the name of a variable: it is written %s.", name, option.Var.With("name=value"))
	case v == nil:
		g.report(source.WithoutRange("Value for undeclared variable",
			"%s sets %q, but the configuration declares no such variable.%s", option.Var, name, words.Suggest(name, g.names())))
		g.isMeant(words.Nearest(name, g.names()))
	default:
		g.values[name] = g.fromText(v, value, string(option.Var))
	}
}

// isMeant notes that a mistake that was reported is why a variable has no value, which is then no second mistake.
func (g *givenValues) isMeant(name string) {
	if _, set := g.values[name]; !set && g.declared[name] != nil {
		g.values[name] = given{}
	}
}

func (g *givenValues) names() []string { return slices.Sorted(maps.Keys(g.declared)) }

// ask reads the answer of the user.
func (g *givenValues) ask(v *Variable, prompt func(*Variable) (string, error)) given {
	text, err := prompt(v)
	if err != nil {
		g.report(source.Problem("No value for required variable", v.Range,
			"var.%s was asked for, and there was no answer: %v. To set it without being asked: %s", v.Name, err, option.Var.With(v.Name+"=…")))
		return given{}
	}
	from := g.fromText(v, text, "the prompt")
	g.values[v.Name] = from
	return from
}

// checkNormal warns of a text that becomes another as a value.
func (g *givenValues) checkNormal(v *Variable, text, from string) {
	if source.IsNormal(text) {
		return
	}
	diags := source.WithoutRange("Text is changed", "The value of var.%s from %s is not in Unicode's normal form C, in which every value "+
		"is: it becomes other bytes that look the same. Where the bytes count, as in a password, give it in base64.", v.Name, from)
	diags[0].Severity = hcl.DiagWarning
	g.report(diags)
}

// fromText reads a value that is not in a file: as plain text for a primitive type, as an
// expression for any other.
func (g *givenValues) fromText(v *Variable, text, source string) given {
	from := given{source: source}
	if !utf8.ValidString(text) {
		g.report(from.problem("The value of var.%s from %s is not text in UTF-8. Give other bytes in base64.", v.Name, source))
		return from
	}
	g.checkNormal(v, text, source)
	if v.literal {
		from.value = cty.StringVal(text)
		return from
	}
	if why := g.expression(&from, text); why != "" {
		if v.Sensitive {
			why = "The reason is not shown since the variable is sensitive."
		}
		why += written(v.Type)
		g.report(from.problem("The value of var.%s from %s is not an expression for its type, %s. %s", v.Name, source, typeName(v.Type), why))
	}
	return from
}

// written shows how a value of a collection type is written.
func written(typ cty.Type) string {
	switch {
	case typ.IsListType(), typ.IsSetType(), typ.IsTupleType():
		return ` A list is written ["a", "b"].`
	case typ.IsMapType(), typ.IsObjectType():
		return ` A map is written { name = "a" }.`
	}
	return ""
}

// expression evaluates text into from.value, or reports why it can't.
func (g *givenValues) expression(from *given, text string) (why string) {
	const filename = "<value>"
	switch unfit := source.Check([]byte(text), filename); {
	case unfit.HasErrors() && source.IsHugeNumber(strings.TrimSpace(text)):
		return unfit[0].Detail
	case unfit.HasErrors():
		return "It is nested too deeply."
	}
	expr, diags := hclsyntax.ParseExpression([]byte(text), filename, hcl.InitialPos)
	if diags.HasErrors() {
		return diags[0].Detail
	}
	if repeated := source.DuplicateKeys(expr); len(repeated) > 0 {
		return repeated[0].Detail
	}
	if refs := expr.Variables(); len(refs) > 0 {
		return fmt.Sprintf("It refers to %s, but a value can't refer to anything; a string needs quotes.", source.DescribeReference(refs[0]))
	}
	value, diags := g.config.Budget.Expr(expr).Value(nil)
	if diags.HasErrors() {
		return diags[0].Detail
	}
	from.value = value
	return ""
}

// file reads the values of one file of variables.
func (g *givenValues) file(src []byte, filename string) {
	var file *hcl.File
	var diags hcl.Diagnostics
	g.config.Budget.Abandonable(func() { file, diags = parseVariables(src, filename) })
	g.report(diags)
	g.incomplete = g.incomplete || diags.HasErrors()
	if file == nil || file.Body == nil {
		return
	}
	if native, ok := file.Body.(*hclsyntax.Body); ok {
		for _, block := range native.Blocks {
			g.report(blockAmongVariables(block))
		}
		native.Blocks = nil
	}
	g.config.Budget.File(filename, len(src))
	attrs, diags := g.config.Budget.Body(file).JustAttributes()
	g.report(diags)
	for _, attr := range source.SortedAttributes(attrs) {
		g.attribute(attr)
	}
}

// parseVariables parses a file of variables. Where the name does not show the syntax, a file that
// begins like JSON is JSON.
func parseVariables(src []byte, filename string) (*hcl.File, hcl.Diagnostics) {
	if !strings.HasSuffix(filename, ".hcl") && bytes.HasPrefix(bytes.TrimLeft(src, "\ufeff \t\r\n"), []byte("{")) {
		return source.ParseJSON(src, filename)
	}
	return source.Parse(src, filename)
}

func blockAmongVariables(block *hclsyntax.Block) hcl.Diagnostics {
	if block.Type == "variable" && len(block.Labels) > 0 {
		return source.Problem("Variable declaration in file of variables", block.TypeRange,
			"A file of variables gives values, it declares nothing: write %s = … here, and put the variable block into a file "+
				"named *.kplan.hcl.", block.Labels[0])
	}
	return source.Problem("Unexpected block in file of variables", block.TypeRange,
		"A file of variables holds lines such as name = value and no blocks. If %s is a variable, write %s = { … }.",
		block.Type, block.Type)
}

func (g *givenValues) attribute(attr *hcl.Attribute) {
	v := g.declared[attr.Name]
	if v == nil && len(g.diags) > source.MaxProblems {
		return
	}
	if v == nil {
		g.report(hcl.Diagnostics{{
			Severity: hcl.DiagWarning,
			Summary:  "Value for undeclared variable",
			Detail: fmt.Sprintf("The configuration declares no variable %q, so this value is not used.%s", attr.Name,
				words.Suggest(attr.Name, g.names())),
			Subject: &attr.NameRange,
		}})
		return
	}
	at := attr.Expr.Range()
	from := given{at: &at, expr: attr.Expr, source: fmt.Sprintf("%s:%d", at.Filename, at.Start.Line)}
	if native, ok := attr.Expr.(hclsyntax.Expression); ok {
		g.report(source.DuplicateKeys(native))
	}
	call, calls := source.FunctionCall(attr.Expr)
	if refs := attr.Expr.Variables(); len(refs) > 0 {
		name := source.DescribeReference(refs[0])
		if v.Sensitive { // it may well be the value, without its quotes
			name = "anything"
		}
		g.report(source.Problem("Constant value required", refs[0].SourceRange(),
			"A file of variables holds constant values, so var.%s can't refer to %s here. A string needs quotes.", attr.Name, name))
	} else if calls {
		g.report(source.Problem("Constant value required", call,
			"A file of variables holds constant values, so that of var.%s can't call functions.", attr.Name))
	} else {
		value, diags := attr.Expr.Value(nil)
		g.report(diags)
		if !diags.HasErrors() {
			from.value = value
		}
	}
	g.values[attr.Name] = from
}
