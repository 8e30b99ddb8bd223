package validation

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/model"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	apiservercel "k8s.io/apiserver/pkg/cel"
	"k8s.io/apiserver/pkg/cel/environment"

	"kplan.dev/kplan/addrs"
)

// DefinitionSummary is what a message about a fault of a definition begins with.
const DefinitionSummary = "Invalid schema in a definition"

// Faults are the patterns and validation rules that do not compile in the schemas of a
// CustomResourceDefinition, for which the API server refuses it. An object of the kind can't
// be judged then.
func Faults(definition map[string]any) []Violation {
	spec, _ := definition["spec"].(map[string]any)
	versions, _ := spec["versions"].([]any)
	var found []Violation
	for i, v := range versions {
		version, _ := v.(map[string]any)
		of, _ := version["schema"].(map[string]any)
		fields, _ := of["openAPIV3Schema"].(map[string]any)
		if !hasExpressions(fields) {
			continue
		}
		if _, structural, err := read(fields); err == nil {
			found = append(found, faultsIn(structural, addrs.NewPath("spec", "versions").Index(i).Field("schema").Field("openAPIV3Schema"), true)...)
		}
	}
	return found
}

// hasExpressions reports whether a schema has anything to compile. Most have not, and to look is a hundred times
// quicker than to read one as the server does.
func hasExpressions(schema any) bool {
	switch schema := schema.(type) {
	case map[string]any:
		for name, below := range schema {
			if name == "pattern" || name == "x-kubernetes-validations" || hasExpressions(below) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(schema, hasExpressions)
	}
	return false
}

// FaultDetail is a message about a fault of a definition.
func (v Violation) FaultDetail(of addrs.Instance) string {
	return fmt.Sprintf("%s of %s %s. The API server refuses the definition.", v.Path, of, strings.TrimSuffix(v.Text, "."))
}

func faultsIn(s *schema.Structural, at addrs.Path, isRoot bool) []Violation {
	if s == nil {
		return nil
	}
	found := append(patternFaults(s.ValueValidation, at), ruleFaults(s, at, isRoot)...)
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		property := s.Properties[name]
		found = append(found, faultsIn(&property, at.Field("properties").Field(name), false)...)
	}
	if s.AdditionalProperties != nil {
		found = append(found, faultsIn(s.AdditionalProperties.Structural, at.Field("additionalProperties"), false)...)
	}
	return append(found, faultsIn(s.Items, at.Field("items"), false)...)
}

func patternFaults(v *schema.ValueValidation, at addrs.Path) []Violation {
	if v == nil {
		return nil
	}
	var found []Violation
	if _, err := regexp.Compile(v.Pattern); err != nil {
		found = append(found, Violation{Path: at.Field("pattern"), Text: "is no regular expression: " + err.Error()})
	}
	for name, nested := range map[string][]schema.NestedValueValidation{"allOf": v.AllOf, "anyOf": v.AnyOf, "oneOf": v.OneOf} {
		for i := range nested {
			found = append(found, nestedFaults(&nested[i], at.Field(name).Index(i))...)
		}
	}
	return sorted(append(found, nestedFaults(v.Not, at.Field("not"))...))
}

func nestedFaults(n *schema.NestedValueValidation, at addrs.Path) []Violation {
	if n == nil {
		return nil
	}
	found := append(patternFaults(&n.ValueValidation, at), nestedFaults(n.Items, at.Field("items"))...)
	for name, property := range n.Properties {
		found = append(found, nestedFaults(&property, at.Field("properties").Field(name))...)
	}
	return append(found, nestedFaults(n.AdditionalProperties, at.Field("additionalProperties"))...)
}

func ruleFaults(s *schema.Structural, at addrs.Path, isRoot bool) []Violation {
	if len(s.XValidations) == 0 {
		return nil
	}
	declared := model.SchemaDeclType(s, isRoot || s.XEmbeddedResource)
	compiled, err := cel.Compile(s, declared, celconfig.PerCallLimit, environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion()),
		cel.StoredExpressionsEnvLoader())
	if err != nil {
		return nil // of a schema of which the server says more
	}
	var found []Violation
	for i, result := range compiled {
		rule := at.Field("x-kubernetes-validations").Index(i)
		for field, err := range map[string]*apiservercel.Error{"rule": result.Error, "messageExpression": result.MessageExpressionError} {
			if err != nil {
				found = append(found, Violation{Path: rule.Field(field), Text: "is no valid expression: " + err.Detail})
			}
		}
	}
	return sorted(found)
}
