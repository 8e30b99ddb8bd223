package config

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"kplan.dev/kplan/hclspec/spectest"
)

// TestSilentlyOtherwise checks the warnings of what would silently be something else than was meant.
func TestSilentlyOtherwise(t *testing.T) {
	const main = "variable \"a\" {\n  default = \"x\"\n}\n"
	tests := []struct {
		name  string
		files map[string]string
		in    Inputs
		want  []string
	}{
		{"tfvars", map[string]string{"terraform.tfvars": "", "x.auto.tfvars.json": "", "other.tfvars": ""}, Inputs{},
			[]string{"Values that are not used", "Values that are not used"}},
		{"tfvars that an error names", map[string]string{"terraform.tfvars": "b = 1\n", "c.kplan.hcl": "variable \"b\" {}\n"}, Inputs{},
			[]string{"No value for required variable"}},
		{"a file that is not there", map[string]string{"c.kplan.hcl": "variable \"b\" {}\n"}, Inputs{Args: []VarArg{{File: "c.kpvars.hcl"}}},
			[]string{"Can't read file of variables"}},
		{"a file that can't be parsed", map[string]string{"c.kplan.hcl": "variable \"b\" {}\n", "default.kpvars.hcl": "b = = 1\n"}, Inputs{},
			[]string{"Invalid expression"}},
		{"a name without a value", map[string]string{"c.kplan.hcl": "variable \"b\" {}\n"}, Inputs{Args: []VarArg{{Set: "b"}}},
			[]string{"Invalid -var option"}},
		{"tfvars that is named", map[string]string{"terraform.tfvars": "a = 1\n"},
			Inputs{Args: []VarArg{{File: "terraform.tfvars"}}}, nil},
		{"TF_VAR", nil, Inputs{Env: []string{"TF_VAR_a=1", "TF_VAR_b=1"}}, []string{"Values that are not used"}},
		{"TF_VAR beside a value", nil, Inputs{Env: []string{"TF_VAR_a=1", "KPLAN_VAR_a=1"}}, nil},
		{"override", map[string]string{"override.kplan.hcl": "", "b_override.kplan.json": "{}", "overrides.kplan.hcl": ""}, Inputs{},
			[]string{"No override files", "No override files"}},
		{"text", map[string]string{"b.kplan.hcl": "locals {\n  a = \"e\u0301\"\n}\n"}, Inputs{}, []string{"Text is changed"}},
		{"text in JSON", map[string]string{"b.kplan.json": "{\"locals\": {\"a\": \"e\u0301\"}}"}, Inputs{}, []string{"Text is changed"}},
		{"text in a comment", map[string]string{"b.kplan.hcl": "# e\u0301\n"}, Inputs{}, nil},
		{"text in a file of variables", map[string]string{"default.kpvars.hcl": "a = \"e\u0301\"\n"}, Inputs{}, []string{"Text is changed"}},
		{"text in -var", nil, Inputs{Args: []VarArg{{Set: "a=e\u0301"}}}, []string{"Text is changed"}},
		{"bytes in -var", nil, Inputs{Args: []VarArg{{Set: "a=p\xe4ss"}}}, []string{"Invalid value for variable"}},
		{"bytes in the environment", nil, Inputs{Env: []string{"KPLAN_VAR_a=p\xe4ss"}}, []string{"Invalid value for variable"}},
		{"text in the environment", nil, Inputs{Env: []string{"KPLAN_VAR_a=e\u0301"}}, []string{"Text is changed"}},
		{"text in the normal form", map[string]string{"b.kplan.hcl": "locals {\n  a = \"\u00e9\"\n}\n"}, Inputs{}, nil},
	}
	for _, test := range tests {
		files := map[string]string{"main.kplan.hcl": main}
		for name, text := range test.files {
			files[name] = text
		}
		t.Chdir(spectest.WriteFiles(t, files))
		c, diags := Load(t.Context(), ".")
		_, more := c.ReadVariables(test.in)
		var got []string
		for _, d := range append(diags, more...) {
			got = append(got, d.Summary)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}
