package lint

import (
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/server"
	"kplan.dev/kplan/kinds/validation"
)

// Violations are values that the schema of the object's kind does not allow, where the
// definition of the kind is known. The API server accepts one in an object that has had it
// since before the schema forbade it.
func (c *Configuration) Violations() []Finding {
	var validators validation.Set
	found := make([][]Finding, len(c.objects))
	var working errgroup.Group
	working.SetLimit(runtime.GOMAXPROCS(0))
	for i, o := range c.objects {
		working.Go(func() error {
			found[i] = append(faults(o), violations(o, validators.Of(o.Kind))...)
			return nil
		})
	}
	_ = working.Wait() // there are no errors, only findings
	return slices.Concat(found...)
}

// violations are what a schema does not allow in an object.
func violations(o *Object, v *validation.Validator) []Finding {
	if v == nil {
		return nil
	}
	var found []Finding
	for _, violation := range v.Create(server.Complete(o.Kind, o.Fields), o.Unknown) {
		if violation.Rule && len(o.Sensitive) > 0 {
			violation.Text = "a validation rule is violated, whose message may hold sensitive values"
		}
		found = append(found, Finding{Of: o, Path: violation.Path, Error: true,
			Summary: validation.Summary, Detail: violation.Detail(o.Addr, o.Kind)})
	}
	return found
}

// faults are what does not compile in the schemas of a definition.
func faults(o *Object) []Finding {
	if o.Kind.GroupKind() != kinds.CustomResourceDefinition {
		return nil
	}
	var found []Finding
	for _, fault := range validation.Faults(o.Fields) {
		if o.Sensitive.Covers(fault.Path) {
			fault.Text = "does not compile"
		}
		found = append(found, Finding{Of: o, Path: fault.Path, Error: true,
			Summary: validation.DefinitionSummary, Detail: fault.FaultDetail(o.Addr)})
	}
	return found
}
