// Package validation judges custom objects by the schema of their
// CustomResourceDefinition, as the API server does before it stores them: bounds, lengths,
// patterns, enumerations and validation rules in CEL. It is for objects that the server
// can't be asked about, since their definition is not there yet or is about to change, and
// runs the server's own code.
package validation

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/model"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/common"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
)

// Validator judges the objects of a kind.
type Validator struct {
	schema     validation.SchemaValidator
	structural *schema.Structural
	rules      *cel.Validator // nil where the schema has none
}

// Violation is a field of which the API server refuses the value.
type Violation struct {
	Path addrs.Path
	// Text says what is wrong, without the value, in the server's words.
	Text string
	// Rule reports that a validation rule is violated. Its text may quote any value of the
	// object.
	Rule bool
}

// Summary is what a message about a violation begins with.
const Summary = "Value not allowed by the definition of its kind"

// Detail is a message about the violation in an object.
func (v Violation) Detail(of addrs.Instance, k *kinds.Kind) string {
	where := v.Path.String()
	if v.Path.IsZero() {
		where = "The object"
	}
	return fmt.Sprintf("%s of %s: %s. So says the schema of %s %s, and the API server refuses what does not agree with it.",
		where, of, strings.TrimSuffix(v.Text, "."), k.APIVersion(), k.Name)
}

// Set has the validators of kinds, each made when it is first needed. The zero value is
// ready to use, also by several goroutines.
type Set struct{ byKind sync.Map }

// Of is the validator of a kind: see New.
func (s *Set) Of(k *kinds.Kind) *Validator {
	if k.Schema == nil {
		return nil
	}
	made, _ := s.byKind.LoadOrStore(k, sync.OnceValue(func() *Validator { return New(k) }))
	return made.(func() *Validator)()
}

// New is the validator of a kind, nil where its definition is not known, or has a schema
// that the server would refuse, too.
func New(k *kinds.Kind) *Validator {
	if k.Schema == nil {
		return nil
	}
	internal, structural, err := read(k.Schema)
	if err != nil || len(faultsIn(structural, addrs.Path{}, true)) > 0 {
		return nil
	}
	v := &Validator{structural: structural}
	if v.schema, _, err = validation.NewSchemaValidator(internal); err != nil {
		return nil
	}
	v.rules = cel.NewValidator(v.structural, true, celconfig.PerCallLimit)
	return v
}

// read reads a schema in JSON form.
func read(from map[string]any) (*apiextensions.JSONSchemaProps, *schema.Structural, error) {
	text, err := json.Marshal(from)
	if err != nil {
		return nil, nil, err
	}
	var props apiextensionsv1.JSONSchemaProps
	if err := json.Unmarshal(text, &props); err != nil {
		return nil, nil, err
	}
	internal := &apiextensions.JSONSchemaProps{}
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(&props, internal, nil); err != nil {
		return nil, nil, err
	}
	structural, err := schema.NewStructural(internal)
	return internal, structural, err
}

// Create are the violations in an object that is created. It has the defaults of its schema;
// unknown are fields of it whose values are not known yet. What these may cure is left out,
// and no rule is judged then: it may look at any field.
func (v *Validator) Create(object map[string]any, unknown addrs.PathSet) []Violation {
	found := violations(validation.ValidateCustomResource(nil, object, v.schema), object, unknown)
	if v.rules == nil || len(found) > 0 || len(unknown) > 0 {
		return found
	}
	errs, _ := v.rules.Validate(context.Background(), nil, v.structural, object, nil, celconfig.RuntimeCELCostBudget)
	return ruleViolations(errs, object)
}

// Update is as Create for an object that is changed: what was violated before, in a value
// that stays as it is, the server accepts.
func (v *Validator) Update(object, old map[string]any, unknown addrs.PathSet) []Violation {
	correlation := common.NewCorrelatedObject(object, old, &model.Structural{Structural: v.structural})
	errs := validation.ValidateCustomResourceUpdate(nil, object, old, v.schema, validation.WithRatcheting(correlation))
	found := violations(errs, object, unknown)
	if v.rules == nil || len(found) > 0 || len(unknown) > 0 {
		return found
	}
	errs, _ = v.rules.Validate(context.Background(), nil, v.structural, object, old, celconfig.RuntimeCELCostBudget,
		cel.WithRatcheting(correlation))
	return ruleViolations(errs, object)
}

func violations(errs field.ErrorList, object map[string]any, unknown addrs.PathSet) []Violation {
	var found []Violation
	for _, err := range errs {
		path := addrs.Locate(object, err.Field)
		if !unknown.Touches(path) {
			found = append(found, Violation{Path: path, Text: textOf(err)})
		}
	}
	return sorted(found)
}

func ruleViolations(errs field.ErrorList, object map[string]any) []Violation {
	var found []Violation
	for _, err := range errs {
		found = append(found, Violation{Path: addrs.Locate(object, err.Field), Text: err.Detail, Rule: true})
	}
	return sorted(found)
}

func sorted(found []Violation) []Violation {
	slices.SortFunc(found, func(a, b Violation) int {
		if c := a.Path.Compare(b.Path); c != 0 {
			return c
		}
		return strings.Compare(a.Text, b.Text)
	})
	return found
}

// textOf is what the server says is wrong, without the value and the field that it repeats.
func textOf(err *field.Error) string {
	detail := strings.TrimPrefix(err.Detail, err.Field+" in body ")
	switch err.Type {
	case field.ErrorTypeRequired:
		return "is required"
	case field.ErrorTypeNotSupported:
		return "is not one of the " + detail
	}
	return detail
}
