// Package diff compares two versions of an object and returns a tree of the
// differences that are worth showing.
//
// Both versions are walked together along the schema of their kind: fields by
// name, elements of lists by the keys that tell them apart and otherwise by their
// best alignment, texts line by line, and strings that hold JSON or YAML as what
// they hold. Beside the values it follows which fields are unknown, sensitive,
// immutable or owned by kplan, each as a trail through a set of paths.
package diff

import (
	"maps"
	"slices"

	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
)

// Difference is one field of an object and what would become of it. The
// differences of an object are a tree, whose leaves are single values. Children
// that stay the same are counted in Hidden instead of listed, except for
// adjacent elements of a change in a list.
//
// A sensitive field has neither Before nor After: that it changes is all that
// can be told.
type Difference struct {
	Path  addrs.Path   // elements by their keys where they have them, else by index
	Name  string       // the field or key it stands under; "" for the root and for elements
	Keys  []Key        // of an element: what identifies it, unless that is secret
	Field *kinds.Field // nil where the schema has nothing about the field
	Shape Shape
	Op    Op

	// Before and After are set where the value is not made up of Children, nil
	// for an absent one.
	Before, After any

	Unknown           bool // After is known after apply
	Sensitive         bool
	ForcesReplacement bool // the object has to be replaced since this field changes
	Admitted          bool // admission in the cluster makes After of the field, or adds it
	Reordered         bool // of Elements: those that stay, stay in another order

	// Reencoded says in what encoding a string that changes holds the same values
	// as before, "" for any other change.
	Reencoded Encoding

	Children []*Difference
	Hidden   Hidden
	Encoding Encoding // of Encoded
	Lines    []Line   // of Text
}

// Key is one of the fields that tell the elements of a list apart.
type Key struct {
	Name  string
	Value any
}

// Op is what happens to a field.
type Op byte

const (
	NoOp Op = iota
	Added
	Removed
	Changed
)

// Shape is how a value is made up.
type Shape byte

const (
	Leaf     Shape = iota // a single value
	Fields                // an object; Children are its fields by name
	Entries               // a map; Children are its entries by key
	Elements              // a list; Children are its elements in order
	Text                  // a string of several lines; Lines hold it
	Encoded               // a string that holds structure; the only child is what it holds
	Gap                   // stands for Hidden.Elements unchanged elements of a list
)

// Hidden is what a Difference does not list.
type Hidden struct {
	Attributes int // unchanged fields that are values, maps or lists of values
	Blocks     int // unchanged fields that are objects or lists of objects
	Elements   int // unchanged elements or entries
	Defaults   int // of the root: what only the server decided on
}

// isComposed reports whether the field is made up of its children.
func (d *Difference) isComposed() bool {
	return d.Shape == Fields || d.Shape == Entries || d.Shape == Elements
}

// IsBlock reports whether the field is written as a block, or as repeated blocks.
func (d *Difference) IsBlock() bool {
	switch d.Shape {
	case Fields:
		return true
	case Elements:
		return isBlock(d.Field)
	}
	return false
}

func isBlock(f *kinds.Field) bool {
	return f != nil && (f.Type == kinds.Object || f.Type == kinds.List && f.Elem != nil && f.Elem.Type == kinds.Object)
}

// Object is a change of one object, as far as its differences need it.
type Object struct {
	Kind *kinds.Kind // nil where nothing is known of it
	// Before and After are the object on both sides, nil where it does not exist.
	Before, After map[string]any
	// Desired is the object as the configuration declares it.
	Desired map[string]any
	// Owned are the fields of Before that kplan owns, nil where that is not known.
	Owned *fieldpath.Set
	// Unknown are fields of After that are known after apply, Sensitive those of
	// both sides that must not be shown.
	Unknown, Sensitive addrs.PathSet
	// Admitted are the fields of After that admission in the cluster has set or added.
	Admitted addrs.PathSet
	// ReplacePaths are the fields that can't be changed in place.
	ReplacePaths []addrs.Path
	// Replaced reports whether After is a new object in place of Before.
	Replaced bool
}

// Of returns what becomes of the object, field by field. What only the server
// or kplan itself keeps in an object is no part of it.
func Of(o Object) *Difference {
	owned := o.ownedTrail()
	d := &differ{replaced: o.Replaced, ownershipKnown: len(owned.nodes) > 0}
	root := position{
		desired:   compared(o.Desired),
		unknown:   trailOf(o.Unknown).without(noise),
		sensitive: trailOf(o.Sensitive),
		replace:   trailOf(addrs.NewPathSet(o.ReplacePaths...)),
		admitted:  trailOf(o.Admitted),
		owned:     owned,
	}
	if o.Kind != nil {
		root.field = o.Kind.Root
	}
	diff := d.values(root, asValue(compared(o.Before)), asValue(compared(o.After)))
	if diff == nil {
		return &Difference{Field: root.field, Shape: Fields}
	}
	diff.Hidden.Defaults = d.defaults
	return diff
}

// compared is what of an object is compared.
func compared(object map[string]any) map[string]any {
	return without(withoutNoise(object), head)
}

// asValue keeps a nil object from becoming an interface that is not nil.
func asValue(object map[string]any) any {
	if object == nil {
		return nil
	}
	return object
}

// ownedTrail are the fields of the live object that kplan owns. Its name and
// namespace nobody owns; whoever made it gave it those.
func (o Object) ownedTrail() trail {
	if o.Owned == nil {
		return trail{}
	}
	return trailOfOwned(o.Owned.Union(fieldpath.NewSet(
		fieldpath.MakePathOrDie("metadata", "name"),
		fieldpath.MakePathOrDie("metadata", "namespace"))))
}

// differ compares the two sides of one change.
type differ struct {
	replaced       bool // After is another object than Before
	ownershipKnown bool // Before says which of its fields are kplan's
	defaults       int  // fields left out since only the server sets them
	depth          int  // of strings within strings
}

// position is the field that is being compared.
type position struct {
	path  addrs.Path
	name  string
	keys  []Key
	field *kinds.Field
	// desired is the value in the configuration, nil where it sets none.
	desired any

	unknown, sensitive, replace, admitted trail
	owned                                 trail // by kplan, in the live object
}

// below is the position of a field or map key.
func (at position) below(name string) position {
	next := position{
		path:      at.path.Field(name),
		name:      name,
		unknown:   at.unknown.field(name),
		sensitive: at.sensitive.field(name),
		replace:   at.replace.field(name),
		admitted:  at.admitted.field(name),
		owned:     at.owned.field(name),
	}
	if at.field != nil {
		next.field = at.field.Field(name)
	}
	if desired, ok := at.desired.(map[string]any); ok {
		next.desired = desired[name]
	}
	return next
}

// values compares the values at one position; nil is an absent one. The result is
// nil when there is nothing on either side.
func (d *differ) values(at position, before, after any) *Difference {
	before, after = at.withoutEmpty(before, after)
	if before == nil && after == nil && len(at.unknown.nodes) == 0 && !at.unknown.covered {
		return nil
	}
	diff := &Difference{
		Path: at.path, Name: at.name, Keys: at.keys, Field: at.field,
		Before: before, After: after,
	}
	known := d.defaults
	switch {
	case at.unknown.covered:
		d.unknown(at, diff)
	case at.isSecret(before, after):
		mask(diff)
	default:
		d.compare(at, diff)
	}
	switch {
	case diff.Shape == Leaf:
		diff.Before, diff.After = at.withoutSecrets(diff.Before), at.withoutSecrets(diff.After)
	case diff.isComposed():
		diff.Before, diff.After = nil, nil
		if diff.Op == Removed && len(diff.Children) == 0 && d.defaults > known {
			return nil // all that goes was the server's
		}
	}
	at.force(diff)
	at.admit(diff)
	return diff
}

// admit marks what admission has set or added, a whole object rather than all that is in it.
func (at position) admit(diff *Difference) {
	switch {
	case diff.Op == NoOp || diff.Op == Removed || !at.admitted.reaches():
	case diff.IsBlock() && at.admitted.ends() && diff.Shape == Elements: // its elements say it
	case at.admitted.ends() || diff.Op == Added && at.desired == nil && diff.isComposed():
		diff.unmarkAdmitted()
		diff.Admitted = true
	}
}

func (d *Difference) unmarkAdmitted() {
	for _, c := range d.Children {
		c.Admitted = false
		c.unmarkAdmitted()
	}
}

// force marks the fields that can't be changed in place. The server may name
// as little as spec: then it is the fields of it which the kind knows never to
// change that are marked, and the named field itself only where there are none.
func (at position) force(diff *Difference) {
	never := at.replace.covered && at.field != nil && at.field.Immutable && !(diff.Unknown && at.field.Allocated)
	switch {
	case diff.Op == NoOp:
	case diff.Op != Changed || !diff.isComposed():
		diff.ForcesReplacement = never || at.replace.ends()
		diff.forgetForces()
	case diff.Shape == Elements && !isBlock(at.field):
		diff.ForcesReplacement = at.replace.ends() || diff.forcesBelow()
		diff.forgetForces()
	default:
		diff.ForcesReplacement = at.replace.ends() && !diff.forcesBelow()
	}
}

func (d *Difference) forcesBelow() bool {
	return slices.ContainsFunc(d.Children, func(c *Difference) bool { return c.ForcesReplacement || c.forcesBelow() })
}

// forgetForces takes the marks off the fields below: the field itself says it.
func (d *Difference) forgetForces() {
	for _, c := range d.Children {
		c.ForcesReplacement = c.ForcesReplacement && !d.ForcesReplacement
		c.forgetForces()
	}
}

// withoutEmpty makes the empty lists and objects absent that the server drops. An empty
// object beside another one stays, as does one that a new object is configured with: the
// podSelector {} of a NetworkPolicy selects every pod.
func (at position) withoutEmpty(before, after any) (any, any) {
	b, a := orAbsent(at.field, before), orAbsent(at.field, after)
	_, wasObject := before.(map[string]any)
	_, isObject := after.(map[string]any)
	switch {
	case wasObject && isObject && (b != nil || a != nil), before == nil && isObject && at.desired != nil:
		return before, after
	}
	return b, a
}

// orAbsent makes the empty lists and objects that the server drops absent.
func orAbsent(f *kinds.Field, value any) any {
	if f == nil || f.KeepsEmpty {
		return value
	}
	switch v := value.(type) {
	case map[string]any:
		if len(v) == 0 {
			return nil
		}
	case []any:
		if len(v) == 0 {
			return nil
		}
	}
	return value
}

// isSecret reports whether the field must be compared as a whole since it may not
// be shown. An object that the kind calls secret is compared name by name,
// because the names in a Secret are not.
func (at position) isSecret(values ...any) bool {
	if at.field == nil || !at.field.Sensitive {
		return at.sensitive.covered
	}
	for _, value := range values {
		if value != nil && valueShape(value) != Entries {
			return true
		}
	}
	return at.field.Type != kinds.Map && at.field.Type != kinds.Object
}

func mask(diff *Difference) {
	diff.Op = leafOp(diff.Field, diff.Before, diff.After)
	diff.Sensitive = true
	diff.Before, diff.After = nil, nil
}

func (d *differ) unknown(at position, diff *Difference) {
	diff.Unknown, diff.After = true, nil
	diff.Op = Changed
	if diff.Before == nil {
		diff.Op = Added
	}
	if at.sensitive.covered || at.field != nil && at.field.Sensitive {
		diff.Sensitive, diff.Before = true, nil
	}
}

// compare chooses the comparison for what both sides are.
func (d *differ) compare(at position, diff *Difference) {
	switch shapeOf(at, diff.Before, diff.After) {
	case Entries:
		d.objects(at, diff)
	case Elements:
		d.lists(at, diff)
	default:
		d.leaves(at, diff)
	}
}

// shapeOf is Entries for objects of any sort, Elements for lists and Leaf for
// all else, also for two sides that can't be compared part by part.
func shapeOf(at position, before, after any) Shape {
	b, a := valueShape(before), valueShape(after)
	switch {
	case before == nil && after == nil:
		return at.unknown.shape()
	case before == nil:
		return a
	case after == nil || a == b:
		return b
	}
	return Leaf
}

func valueShape(value any) Shape {
	switch value.(type) {
	case map[string]any:
		return Entries
	case []any:
		return Elements
	}
	return Leaf
}

// objects compares objects and maps, name by name.
func (d *differ) objects(at position, diff *Difference) {
	diff.Shape = Entries
	if at.field != nil && at.field.Type == kinds.Object {
		diff.Shape = Fields
	}
	before, _ := diff.Before.(map[string]any)
	after, _ := diff.After.(map[string]any)
	for _, name := range d.names(at, before, after) {
		next := at.below(name)
		if d.isServerSet(at, next, diff, before[name], after[name]) {
			d.defaults++
			continue
		}
		if child := d.values(next, before[name], after[name]); child != nil {
			diff.add(child)
		}
	}
	diff.Op = diff.composedOp()
}

// names are the names on either side, and those that only the apply fills.
func (d *differ) names(at position, before, after map[string]any) []string {
	all := make(map[string]bool, len(before)+len(after))
	for name, value := range before {
		all[name] = value != nil
	}
	for name, value := range after {
		all[name] = all[name] || value != nil
	}
	for _, name := range at.unknown.fields() {
		all[name] = true
	}
	maps.DeleteFunc(all, func(_ string, present bool) bool { return !present })
	return slices.Sorted(maps.Keys(all))
}

// isServerSet reports whether a field below at is left out since it is the server's
// own: neither the configuration nor the reader has anything to do with it. It
// is where a whole value comes or goes, or an object is recreated, that such
// fields can be distinguished from those that the configuration sets.
func (d *differ) isServerSet(at, next position, parent *Difference, before, after any) bool {
	switch {
	case next.unknown.exists() || next.replace.reaches():
		return false
	case d.depth > 0:
		return false // in a text, which has one owner
	case parent.Before == nil:
		return at.desired != nil && next.desired == nil && !next.admitted.exists()
	case after != nil || parent.After != nil && !d.replaced:
		return false
	case d.ownershipKnown:
		return !next.owned.exists()
	case next.field != nil && (next.field.Allocated || isDefault(next.field, before)):
		return true
	}
	return parent.After != nil && parent.Shape == Fields
}

func isDefault(f *kinds.Field, value any) bool {
	return f.Default != nil && f.Equal(value, f.Default)
}

// add takes up a child, or counts it when it stays the same.
func (diff *Difference) add(child *Difference) {
	switch {
	case child.Op != NoOp:
		diff.Children = append(diff.Children, child)
	case diff.Shape != Fields:
		diff.Hidden.Elements++
	case isBlock(child.Field):
		diff.Hidden.Blocks++
	default:
		diff.Hidden.Attributes++
	}
}

// composedOp is what happens to a field that is made up of its children.
func (diff *Difference) composedOp() Op {
	changes := slices.ContainsFunc(diff.Children, func(c *Difference) bool { return c.Op != NoOp })
	switch {
	case diff.Before == nil && (diff.After != nil || changes):
		return Added
	case diff.Before != nil && diff.After == nil && !changes && len(diff.Children) == 0:
		return Removed
	case diff.Before != nil && diff.After == nil:
		return removedUnless(diff.Children)
	case changes || diff.Reordered:
		return Changed
	}
	return NoOp
}

// removedUnless is Changed when the apply will put something into the field.
func removedUnless(children []*Difference) Op {
	if slices.ContainsFunc(children, func(c *Difference) bool { return c.Op != Removed }) {
		return Changed
	}
	return Removed
}

func leafOp(f *kinds.Field, before, after any) Op {
	switch {
	case before == nil && after == nil:
		return NoOp
	case before == nil:
		return Added
	case after == nil:
		return Removed
	case equal(f, before, after):
		return NoOp
	}
	return Changed
}

// OfValue returns what becomes of a value that is no object, such as an output. A
// null one counts as absent.
func OfValue(name string, before, after any, unknown, sensitive bool) *Difference {
	at := position{name: name, unknown: trail{covered: unknown}, sensitive: trail{covered: sensitive}}
	if diff := new(differ).values(at, before, after); diff != nil {
		return diff
	}
	return &Difference{Name: name}
}
