package config

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty"

	"kplan.dev/kplan/hclspec/funcs"
	"kplan.dev/kplan/hclspec/spectest"
)

// Each source overrides those before it; every test takes one more away.
func TestVariablePrecedence(t *testing.T) {
	files := map[string]string{
		"main.kplan.hcl":           "variable \"a\" { default = \"the default\" }\n",
		"default.kpvars.hcl":       `a = "default.kpvars.hcl"`,
		"default.kpvars.json":      `{"a": "default.kpvars.json"}`,
		"a.auto.kpvars.json":       `{"a": "a.auto.kpvars.json"}`,
		"b.auto.kpvars.hcl":        `a = "b.auto.kpvars.hcl"`,
		"given.kpvars.hcl":         `a = "given.kpvars.hcl"`,
		"given.json":               `{"a": "given.json"}`,
		".hidden.auto.kpvars.hcl":  `a = "hidden"`,
		"b.auto.kpvars.hcl~":       `a = "backup"`,
		"other.kpvars.hcl":         `a = "not read by itself"`,
		"below/default.kpvars.hcl": `a = "below"`,
	}
	steps := []struct {
		want string
		args []VarArg // nil: those of the step before
		env  bool
		drop string // the file that is removed before
	}{
		{want: "last", args: []VarArg{{Set: "a=first"}, {File: "given.kpvars.hcl"}, {Set: "a=last"}}, env: true},
		{want: "given.kpvars.hcl", args: []VarArg{{Set: "a=first"}, {File: "given.json"}, {File: "given.kpvars.hcl"}}, env: true},
		{want: "given.json", args: []VarArg{{Set: "a=first"}, {File: "given.kpvars.hcl"}, {File: "given.json"}}, env: true},
		{want: "b.auto.kpvars.hcl", args: []VarArg{}, env: true},
		{want: "a.auto.kpvars.json", env: true, drop: "b.auto.kpvars.hcl"},
		{want: "default.kpvars.json", env: true, drop: "a.auto.kpvars.json"},
		{want: "default.kpvars.hcl", env: true, drop: "default.kpvars.json"},
		{want: "the environment", env: true, drop: "default.kpvars.hcl"},
		{want: "the default"},
	}
	dir := spectest.WriteFiles(t, files)
	t.Chdir(dir)
	config, diags := Load(context.Background(), ".")
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	var args []VarArg
	for _, step := range steps {
		if step.args != nil {
			args = step.args
		}
		if step.drop != "" {
			if err := os.Remove(step.drop); err != nil {
				t.Fatal(err)
			}
		}
		in := Inputs{Args: args}
		if step.env {
			in.Env = []string{"KPLAN_VAR_a=the environment", "KPLAN_VAR_undeclared=x", "KPLAN_VAR_=x", "a=x"}
		}
		values, diags := config.ReadVariables(in)
		if len(diags) > 0 {
			t.Errorf("%s: %v", step.want, diags)
		}
		if got := values.Value("a"); !got.RawEquals(cty.StringVal(step.want)) {
			t.Errorf("got %#v, want %q", got, step.want)
		}
	}
}

func TestVariableText(t *testing.T) {
	list := cty.ListVal([]cty.Value{cty.StringVal("a"), cty.StringVal("b")})
	tests := []struct {
		typ, text string
		want      cty.Value // NilVal: a problem
		problem   string
	}{
		{"string", "plain", cty.StringVal("plain"), ""},
		{"string", "", cty.StringVal(""), ""},
		{"string", `"quoted"`, cty.StringVal(`"quoted"`), ""},
		{"string", "${not} a=b template", cty.StringVal("${not} a=b template"), ""},
		{"string", "null", cty.StringVal("null"), ""},
		{"string", "5", cty.StringVal("5"), ""},
		{"", "[1]", cty.StringVal("[1]"), ""}, // without a type it is text
		{"number", "5", cty.NumberIntVal(5), ""},
		{"number", "0.5", cty.NumberFloatVal(0.5), ""},
		{"number", "five", cty.NilVal, "Invalid value for variable: The value of var.a from -var does not fit: its type is " +
			"number, and the value is a string. The reason: a number is required."},
		{"bool", "true", cty.True, ""},
		{"bool", "1", cty.True, ""},
		{"bool", "yes", cty.NilVal, "Invalid value for variable: The value of var.a from -var does not fit: its type is " +
			"bool, and the value is a string. The reason: a bool is required."},
		{"list(string)", `["a", "b"]`, list, ""},
		{"list(string)", `[]`, cty.ListValEmpty(cty.String), ""},
		{"list(string)", `null`, cty.NullVal(cty.List(cty.String)), ""},
		{"list(string)", "a,b", cty.NilVal, "Invalid value for variable: The value of var.a from -var is not an expression " +
			"for its type, list(string). An expression was successfully parsed, but extra characters were found after it. " +
			"A list is written [\"a\", \"b\"]."},
		{"list(string)", "[a, b]", cty.NilVal, "Invalid value for variable: The value of var.a from -var is not an " +
			"expression for its type, list(string). It refers to a, but a value can't refer to anything; a string needs quotes. " +
			"A list is written [\"a\", \"b\"]."},
		{"list(string)", `[upper("a")]`, cty.NilVal,
			"Invalid value for variable: The value of var.a from -var is not an expression for its type, list(string). " +
				"Functions may not be called here. A list is written [\"a\", \"b\"]."},
		{"list(string)", "", cty.NilVal, "Invalid value for variable: The value of var.a from -var is not an expression for " +
			"its type, list(string). Expected the start of an expression, but found the end of the file. A list is written [\"a\", \"b\"]."},
		{"map(string)", "a=1", cty.NilVal, "Invalid value for variable: The value of var.a from -var is not an expression for " +
			"its type, map(string). An expression was successfully parsed, but extra characters were found after it. " +
			"A map is written { name = \"a\" }."},
		{"list(number)", `["x"]`, cty.NilVal, "Invalid value for variable: The value of var.a from -var does not fit: its " +
			"type is list(number), and the value is a tuple. The reason: at [0]: a number is required."},
		{"set(string)", `["b", "a", "a"]`, cty.SetVal([]cty.Value{cty.StringVal("a"), cty.StringVal("b")}), ""},
		{"map(number)", `{ a = 1, "b.c" = 2 }`, cty.MapVal(map[string]cty.Value{"a": cty.NumberIntVal(1), "b.c": cty.NumberIntVal(2)}), ""},
		{"any", `{ a = [1] }`, cty.ObjectVal(map[string]cty.Value{"a": cty.TupleVal([]cty.Value{cty.NumberIntVal(1)})}), ""},
		{"any", `"text"`, cty.StringVal("text"), ""},
		{"object({ n = string, s = optional(number, 3) })", `{ n = "x" }`,
			cty.ObjectVal(map[string]cty.Value{"n": cty.StringVal("x"), "s": cty.NumberIntVal(3)}), ""},
		{"object({ n = string })", `{ n = "x", more = 1 }`, cty.ObjectVal(map[string]cty.Value{"n": cty.StringVal("x")}), ""},
		{"object({ n = string })", `{}`, cty.NilVal,
			`Invalid value for variable: The value of var.a from -var does not fit: its type is object({n=string}), and the ` +
				`value is an object. The reason: attribute "n" is required.`},
		{"any", strings.Repeat("[", 100000), cty.NilVal,
			"Invalid value for variable: The value of var.a from -var is not an expression for its type, any. It is nested too deeply."},
	}
	for _, test := range tests {
		text := `variable "a" {}`
		if test.typ != "" {
			text = fmt.Sprintf("variable \"a\" { type = %s }", test.typ)
		}
		config := loadText(t, "main.kplan.hcl", text)
		values, diags := config.ReadVariables(Inputs{Args: []VarArg{{Set: "a=" + test.text}}})
		if test.want != cty.NilVal {
			if diags.HasErrors() || !values.Value("a").RawEquals(test.want) {
				t.Errorf("%s from %q: %#v, %v", test.typ, test.text, values.Value("a"), diags)
			}
			continue
		}
		if diff := cmp.Diff([]string{test.problem}, texts(diags, "")); diff != "" {
			t.Errorf("%s from %q:\n%s", test.typ, test.text, diff)
		}
		if values.Value("a").IsKnown() {
			t.Errorf("%s from %q is known: %#v", test.typ, test.text, values.Value("a"))
		}
	}
}

func TestVariableOptions(t *testing.T) {
	tests := []struct {
		arg  VarArg
		want string
	}{
		{VarArg{Set: "image"}, "Invalid -var option: -var names the variable \"image\" but gives no value: it is written -var 'image=value'."},
		{VarArg{Set: "imag"}, "Invalid -var option: -var needs the name of a variable and its value: it is written -var 'name=value'."},
		{VarArg{Set: ""}, "Invalid -var option: -var needs the name of a variable and its value: it is written -var 'name=value'."},
		{VarArg{Set: "=x"}, "Invalid -var option: -var needs the name of a variable before the equals sign: it is written -var 'name=value'."},
		{VarArg{Set: "image =x"}, "Invalid -var option: -var has a space beside the variable's name: write -var " +
			"'image=value', without spaces around the equals sign."},
		{VarArg{Set: " image=x"}, "Invalid -var option: -var has a space beside the variable's name: write -var " +
			"'image=value', without spaces around the equals sign."},
		{VarArg{Set: "imag=x"}, "Value for undeclared variable: -var sets \"imag\", but the configuration declares no such " +
			"variable. Did you mean \"image\"?"},
		{VarArg{Set: "region=x"}, "Value for undeclared variable: -var sets \"region\", but the configuration declares no such variable."},
		{VarArg{Set: "image.tag=x"}, "Invalid -var option: \"image.tag\" is not the name of a variable: it is written -var 'name=value'."},
		{VarArg{File: "missing.kpvars.hcl"}, "Can't read file of variables: missing.kpvars.hcl can't be read: there is no such file."},
		{VarArg{File: "."}, "Can't read file of variables: . can't be read: is a directory."},
	}
	config := loadText(t, "main.kplan.hcl", `variable "image" { default = "x" }`)
	for _, test := range tests {
		_, diags := config.ReadVariables(Inputs{Args: []VarArg{test.arg}})
		if diff := cmp.Diff([]string{test.want}, texts(diags, "")); diff != "" {
			t.Errorf("%+v:\n%s", test.arg, diff)
		}
	}
}

// TestMisspelledVariable: the variable that was meant is not said to be missing, too.
func TestMisspelledVariable(t *testing.T) {
	for arg, want := range map[string]int{"imag=x": 1, "image =x": 1, "region=x": 2} {
		config := loadText(t, "main.kplan.hcl", `variable "image" {}`)
		if _, diags := config.ReadVariables(Inputs{Args: []VarArg{{Set: arg}}}); len(diags) != want {
			t.Errorf("-var %q: %d errors, not %d:\n%s", arg, len(diags), want, diags)
		}
	}
}

func TestVariableFileSyntax(t *testing.T) {
	tests := []struct {
		name, content string
		want          []string // problems; none: a is "x"
	}{
		{"x.kpvars.hcl", `a = "x"`, nil},
		{"x.json", `{"a": "x"}`, nil},
		{"63", `{"a": "x"}`, nil}, // what a shell's <(command) is called
		{"63", " \n{\"a\": \"x\"}", nil},
		{"63", `a = "x"`, nil},
		{"x.vars", `{"a": "x", "//": "a comment"}`, nil},
		{"x.kpvars.hcl", `{"a": "x"}`, []string{"x.kpvars.hcl:1,1-2: Argument or block definition required: An argument or " +
			"block definition is required here."}},
		{"x.json", `a = "x"`, []string{
			"x.json:1,1-2: Invalid JSON value: This is no value in JSON: a text is in double quotes."}},
		{"x.kpvars.json", "\ufeff{\"a\": \"x\"}", nil},
		{"x.vars", "\ufeff{\"a\": \"x\"}", nil},
		{"x.kpvars.hcl", "\ufeffa = \"x\"", nil},
		{"x.json", `{"a": "${1 + 1}"}`, []string{"${1 + 1}"}}, // no templates in files of variables in JSON
	}
	config := loadText(t, "main.kplan.hcl", `variable "a" { default = "" }`)
	for _, test := range tests {
		t.Chdir(spectest.WriteFiles(t, map[string]string{test.name: test.content}))
		values, diags := config.ReadVariables(Inputs{Args: []VarArg{{File: test.name}}})
		got := values.Value("a")
		switch {
		case len(test.want) == 1 && got.Type() == cty.String && got.IsKnown() && got.AsString() == test.want[0]:
		case test.want == nil && (len(diags) > 0 || !got.RawEquals(cty.StringVal("x"))):
			t.Errorf("%s %q: %#v, %v", test.name, test.content, got, diags)
		case test.want != nil:
			if diff := cmp.Diff(test.want, texts(diags, "")); diff != "" {
				t.Errorf("%s %q:\n%s", test.name, test.content, diff)
			}
		}
	}
}

func TestVariablePrompt(t *testing.T) {
	config := loadText(t, "main.kplan.hcl", `
variable "given" {}
variable "asked" { type = list(number) }
variable "default" { default = 1 }
variable "refused" {}
variable "wrong" { type = number }
`)
	var asked []string
	values, diags := config.ReadVariables(Inputs{
		Args: []VarArg{{Set: "given=x"}},
		Prompt: func(v *Variable) (string, error) {
			asked = append(asked, v.Name)
			switch v.Name {
			case "asked":
				return "[1, 2]", nil
			case "wrong":
				return "many", nil
			}
			return "", errors.New("end of input")
		},
	})
	if diff := cmp.Diff([]string{"asked", "refused", "wrong"}, asked); diff != "" {
		t.Error(diff)
	}
	if got := values.Value("asked"); !got.RawEquals(cty.ListVal([]cty.Value{cty.NumberIntVal(1), cty.NumberIntVal(2)})) {
		t.Errorf("asked is %#v", got)
	}
	want := []string{
		"main.kplan.hcl:5,1-19: No value for required variable: var.refused was asked for, and there was no answer: end of input. " +
			"To set it without being asked: -var 'refused=…'",
		"Invalid value for variable: The value of var.wrong from the prompt does not fit: its type is number, and the value " +
			"is a string. The reason: a number is required.",
	}
	if diff := cmp.Diff(want, texts(diags, config.Dir)); diff != "" {
		t.Error(diff)
	}
}

func TestVariablesPartial(t *testing.T) {
	config := loadText(t, "main.kplan.hcl", `
variable "a" {
  type     = list(string)
  nullable = false
  validation {
    condition     = length(var.a) > 3
    error_message = "Too few."
  }
}
variable "b" { sensitive = true }
variable "c" { type = object({ n = optional(string) }) }
`)
	values, diags := config.ReadVariables(Inputs{Partial: true})
	if len(diags) > 0 {
		t.Error(diags)
	}
	if got := values.Value("a"); got.IsKnown() || !got.Type().Equals(cty.List(cty.String)) || !got.Range().DefinitelyNotNull() {
		t.Errorf("a is %#v", got)
	}
	if got := values.Value("c").Type(); !got.Equals(cty.Object(map[string]cty.Type{"n": cty.String})) {
		t.Errorf("c is %#v", got)
	}
	if got := values.Value("b"); !got.RawEquals(cty.DynamicVal.Mark(funcs.Sensitive)) {
		t.Errorf("b is %#v", got)
	}
}

func TestVariableNull(t *testing.T) {
	tests := []struct {
		declared string
		want     cty.Value // NilVal: a problem
	}{
		{`type = string`, cty.NullVal(cty.String)},
		{`type = string, default = "x"`, cty.NullVal(cty.String)},
		{`type = string, default = "x", nullable = false`, cty.StringVal("x")},
		{`type = string, nullable = false`, cty.NilVal},
		{`type = object({ n = optional(string, "d") }), default = {}`, cty.NullVal(cty.Object(map[string]cty.Type{"n": cty.String}))},
	}
	for _, test := range tests {
		text := "variable \"a\" {\n" + strings.ReplaceAll(test.declared, ", default", "\ndefault") + "\n}"
		text = strings.ReplaceAll(text, ", nullable", "\nnullable")
		dir := spectest.WriteFiles(t, map[string]string{"main.kplan.hcl": text, "default.kpvars.hcl": "a = null"})
		config, diags := Load(context.Background(), dir)
		if len(diags) > 0 {
			t.Fatal(diags)
		}
		values, diags := config.ReadVariables(Inputs{})
		if test.want == cty.NilVal {
			if !diags.HasErrors() {
				t.Errorf("%s: no problem", test.declared)
			}
		} else if got := values.Value("a"); len(diags) > 0 || !got.RawEquals(test.want) {
			t.Errorf("%s: %#v, %v", test.declared, got, diags)
		}
	}
}

// No message about a sensitive variable holds anything of its value, whatever
// is wrong with it and wherever it came from.
func TestSensitiveVariablesStaySecret(t *testing.T) {
	const secret = "hunter2"
	declarations := []string{
		`type = number`, `type = bool`, `type = list(number)`, `type = map(number)`, `type = object({ a = number })`,
		`type = any`, `type = string`, ``, `type = tuple([number])`,
	}
	conditions := []string{
		`false && var.a != null`, `tonumber(var.a) > 1`, `jsondecode(var.a) == 1`, `regex("^x", var.a) == "x"`,
		`file(var.a) == ""`, `var.a.b == 1`, `var.a[0] == 1`, `lookup({}, var.a) == 1`, `parseint(var.a, 10) > 1`,
		`base64decode(var.a) == ""`, `templatestring(var.a, {}) == ""`, `cidrhost(var.a, 1) == ""`, `var.a ? true : false`,
		`{ x = 1 }[var.a] == 1`, `timecmp(var.a, var.a) == 0`, `one([var.a, var.a]) == 1`, `uuidv5(var.a, "") == ""`,
	}
	givens := []string{
		secret, `"` + secret + `"`, `["` + secret + `"]`, `{ ` + secret + ` = "` + secret + `" }`, secret + `.` + secret, `[` + secret,
		`{ a = "` + secret + `" }`, `$` + secret, `"${` + secret + `}"`, `<<` + secret, secret + `()`,
	}
	problems := 0
	for _, declaration := range declarations {
		for _, condition := range conditions {
			dir := spectest.WriteFiles(t, map[string]string{"main.kplan.hcl": fmt.Sprintf(`
variable "a" {
  %s
  sensitive = true
  validation {
    condition     = %s
    error_message = "Bad: ${jsonencode(var.a)}."
  }
}`, declaration, condition)})
			config, diags := Load(context.Background(), dir)
			if len(diags) > 0 {
				t.Fatal(diags)
			}
			for _, given := range givens {
				_, diags := config.ReadVariables(Inputs{Args: []VarArg{{Set: "a=" + given}}})
				problems += len(diags)
				for _, text := range texts(diags, dir) {
					if strings.Contains(text, secret) {
						t.Errorf("%s, %s, given %s: %s", declaration, condition, given, text)
					}
				}
				if condition != conditions[0] {
					break
				}
			}
		}
	}
	if problems < len(declarations)*len(conditions) {
		t.Errorf("only %d problems: the test tests nothing", problems)
	}
}

func TestValuesJSON(t *testing.T) {
	config := loadText(t, "main.kplan.hcl", `
variable "app" {
  type    = object({ name = string, ports = set(number) })
  default = { name = "x", ports = [2, 1] }
}
variable "token" {
  default   = "hunter2"
  sensitive = true
}
variable "nothing" { default = null }
variable "missing" {}
`)
	values, _ := config.ReadVariables(Inputs{Partial: true})
	got := map[string]string{}
	for name, v := range values.JSON() {
		got[name] = fmt.Sprintf("%s %s %t", v.Value, v.Type, v.Sensitive)
	}
	want := map[string]string{
		"app":     `{"name":"x","ports":[1,2]} ["object",{"name":"string","ports":["set","number"]}] false`,
		"token":   `"hunter2" "string" true`,
		"nothing": `null "dynamic" false`,
		"missing": `  false`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"app", "missing", "nothing", "token"}, values.Names()); diff != "" {
		t.Error(diff)
	}
	if !values.Value("undeclared").RawEquals(cty.DynamicVal) {
		t.Error("an undeclared variable has a value")
	}
}

// What a plan records and what is read back from it is the same.
func TestVariablesSaved(t *testing.T) {
	config := loadText(t, "main.kplan.hcl", `
variable "text" { type = string }
variable "untyped" {
  default = [1, { a = null }, "${"$"}{x}", "5"]
}
variable "any" {
  type    = any
  default = { list = [0.1, 123456789012345678901234567890], none = null }
}
variable "null" {
  type    = list(string)
  default = ["x"]
}
variable "set" {
  type    = set(number)
  default = [2, 1]
}
variable "object" {
  type    = object({ n = string, m = optional(map(bool), {}) })
  default = { n = "x" }
}
variable "later" { type = string }
variable "secret" {
  sensitive = true
  default   = "x"
}
`)
	env := []string{"KPLAN_VAR_text=a<&>", "KPLAN_VAR_null=null", "KPLAN_VAR_later=before"}
	planned, diags := config.ReadVariables(Inputs{Env: env})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	saved := map[string]json.RawMessage{"gone": json.RawMessage(`1`)}
	for name, v := range planned.JSON() {
		if !v.Sensitive {
			saved[name] = v.Value
		}
	}
	again, diags := config.ReadVariables(Inputs{
		Env: []string{"KPLAN_VAR_text=other"}, Saved: saved, Args: []VarArg{{Set: "later=after"}},
	})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	for _, name := range planned.Names() {
		if same := again.Value(name).RawEquals(planned.Value(name)); same == (name == "later") {
			t.Errorf("%s is the same: %t", name, same)
		}
	}
	_, diags = config.ReadVariables(Inputs{Env: env, Saved: map[string]json.RawMessage{"text": json.RawMessage(`{`),
		"set": json.RawMessage(`["x"]`)}})
	want := []string{
		"Invalid value for variable: The value of var.text in the saved plan can't be read.",
		"Invalid value for variable: The value of var.set from the saved plan does not fit: its type is set(number), and " +
			"the value is a tuple. The reason: at [0]: a number is required.",
	}
	if diff := cmp.Diff(want, texts(diags, "")); diff != "" {
		t.Error(diff)
	}
}

// Files of variables hold secrets, and a snippet of one would show them.
func TestVariableFilesAreNoSnippets(t *testing.T) {
	dir := spectest.WriteFiles(t, map[string]string{
		"main.kplan.hcl":     `variable "a" {}`,
		"default.kpvars.hcl": `a = "hunter2"`,
	})
	config, _ := Load(context.Background(), dir)
	config.ReadVariables(Inputs{Args: []VarArg{{File: filepath.Join(dir, "default.kpvars.hcl")}}})
	for name := range config.Files {
		if strings.Contains(name, "kpvars") {
			t.Errorf("%s is among the files", name)
		}
	}
}
