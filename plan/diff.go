package plan

import (
	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/plan/diff"
)

// Diff returns what the change does to its object, field by field.
func (c *Change) Diff() *diff.Difference {
	o := c.sides()
	if o.After == nil && c.Action != Delete && c.Action != Forget {
		o.After = c.DesiredFields
	}
	if c.Before != nil { // owned stays nil where the record can't be read
		o.Owned, _ = ownership.Of(c.Before).OwnFields(c.Object.APIVersion())
	}
	return diff.Of(o)
}

// Views returns both sides of the change as a machine may read them.
func (c *Change) Views() (before, after diff.View) { return diff.Views(c.sides()) }

func (c *Change) sides() diff.Object {
	return diff.Object{
		Kind: c.Kind, Before: c.Before, After: c.After, Desired: c.DesiredFields, Unknown: c.Unknown, Sensitive: c.Sensitive,
		ReplacePaths: c.ReplacePaths, Replaced: c.Action == Replace,
	}
}

// Diff returns what becomes of the output's value.
func (o OutputChange) Diff() *diff.Difference {
	return diff.OfValue(o.Name, o.Before, o.After, o.Unknown, o.Sensitive)
}
