package diff

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"

	"github.com/aymanbagabas/go-udiff/lcs"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
)

// lists compares lists: element by element as the schema tells them apart, or
// by the best alignment where it does not.
func (d *differ) lists(at position, diff *Difference) {
	diff.Shape = Elements
	before, _ := diff.Before.([]any)
	after, _ := diff.After.([]any)
	l := listPair{at: at, before: before, after: after}
	l.desired, _ = at.desired.([]any)
	switch {
	case at.field != nil && len(at.field.ListKeys) > 0 && areObjects(before) && areObjects(after):
		d.keyed(l, diff)
	case at.field != nil && at.field.Set:
		d.set(l, diff)
	default:
		d.aligned(l, diff)
	}
	diff.Op = diff.composedOp()
}

func areObjects(list []any) bool {
	for _, element := range list {
		if _, ok := element.(map[string]any); !ok {
			return false
		}
	}
	return true
}

// listPair is two lists to compare, and what the configuration says there.
type listPair struct {
	at                     position
	before, after, desired []any
}

// none stands for the index of an element that a list does not have.
const none = -1

// keyed compares lists whose elements have keys, whatever their order.
func (d *differ) keyed(l listPair, diff *Difference) {
	d.matched(l, diff, namesOf(l.before, l.stepOf), namesOf(l.after, l.stepOf), namesOf(l.desired, l.stepOf))
}

// set compares lists that are sets. Their order says nothing.
func (d *differ) set(l listPair, diff *Difference) {
	d.matched(l, diff, namesOf(l.before, valueStep), namesOf(l.after, valueStep), namesOf(l.desired, valueStep))
	diff.Reordered = false
}

// stepOf names an element by its keys, as a path does.
func (l listPair) stepOf(element any) string {
	fields, _ := element.(map[string]any)
	return addrs.Path{}.Select(kinds.KeysOf(l.at.field, fields)).String()
}

// names are the elements of a list by name.
type names struct {
	of []string
	at map[string]int
}

// namesOf names the elements of a list. One that is there twice, which only a
// list that no schema has checked can have, gets a name of its own.
func namesOf(list []any, name func(any) string) names {
	n := names{of: make([]string, len(list)), at: make(map[string]int, len(list))}
	for i, element := range list {
		text := name(element)
		for twin := 2; n.has(text); twin++ {
			text = name(element) + "#" + strconv.Itoa(twin)
		}
		n.of[i], n.at[text] = text, i
	}
	return n
}

func (n names) has(name string) bool {
	_, ok := n.at[name]
	return ok
}

func (n names) index(name string) int {
	if i, ok := n.at[name]; ok {
		return i
	}
	return none
}

// matched compares elements of the same name. Elements that go stand where
// they stood among those that stay.
func (d *differ) matched(l listPair, diff *Difference, before, after, desired names) {
	passed := 0 // of before
	for i, name := range after.of {
		was := before.index(name)
		diff.Reordered = diff.Reordered || was != none && was < passed
		for ; passed <= was; passed++ {
			d.gone(l, diff, before, after, passed)
		}
		d.element(diff, l, l.element(was, i, desired.index(name), name))
	}
	for ; passed < len(before.of); passed++ {
		d.gone(l, diff, before, after, passed)
	}
}

func (d *differ) gone(l listPair, diff *Difference, before, after names, i int) {
	if name := before.of[i]; !after.has(name) {
		d.element(diff, l, l.element(i, none, none, name))
	}
}

// elementPair is the field of one element, and its two values.
type elementPair struct {
	position
	before, after any
}

// element compares one element.
func (d *differ) element(diff *Difference, l listPair, e elementPair) {
	if d.isServerSet(l.at, e.position, diff, e.before, e.after) {
		d.defaults++
		return
	}
	if child := d.values(e.position, e.before, e.after); child != nil {
		diff.add(child)
	}
}

// element is the element that stands at these positions and has that name, ""
// for none.
func (l listPair) element(before, after, desired int, name string) elementPair {
	var e elementPair
	steps := []string{name}
	index := before
	if before != none {
		e.before = l.before[before]
		steps = append(steps, addrs.Path{}.Index(before).String())
	}
	beforeSteps := slices.Clone(steps)
	if after != none {
		e.after, index = l.after[after], after
		steps = append(steps, addrs.Path{}.Index(after).String())
		e.unknown = l.at.unknown.element(name, addrs.Path{}.Index(after).String())
		e.admitted = l.admitted(name, after)
	}
	if desired != none {
		e.desired = l.desired[desired]
	}
	if l.at.field != nil {
		e.field = l.at.field.Elem
	}
	e.sensitive = l.at.sensitive.element(steps...)
	e.replace = l.at.replace.element(steps...)
	e.owned = l.at.owned.element(beforeSteps...)
	if name == "" && l.at.owned.reaches() { // the server distinguishes elements that this description of the kind does not
		e.owned = trail{covered: true}
	}
	e.path = l.at.path.Index(index)
	l.identify(&e)
	return e
}

// admitted is the trail of what admission made at an element. A list that is applied as a
// whole is in the set as a whole: then it is the elements which the configuration has not.
func (l listPair) admitted(name string, after int) trail {
	if !l.at.admitted.ends() {
		return l.at.admitted.element(name, addrs.Path{}.Index(after).String())
	}
	if slices.ContainsFunc(l.desired, func(desired any) bool { return includes(l.after[after], desired) }) {
		return trail{}
	}
	return trail{nodes: []*pathTree{{here: true}}, covered: true}
}

// includes reports whether a value has all that a desired one has.
func includes(value, desired any) bool {
	have, ok := value.(map[string]any)
	want, object := desired.(map[string]any)
	if !ok || !object {
		return reflect.DeepEqual(value, desired)
	}
	for name := range want {
		if !includes(have[name], want[name]) {
			return false
		}
	}
	return true
}

// identify puts the keys of an element into its path, unless they are secret.
func (l listPair) identify(e *elementPair) {
	fields, ok := e.after.(map[string]any)
	if !ok {
		fields, ok = e.before.(map[string]any)
	}
	if !ok || l.at.field == nil || len(l.at.field.ListKeys) == 0 {
		return
	}
	values := kinds.KeysOf(l.at.field, fields)
	var keys []Key
	for _, name := range l.at.field.ListKeys {
		if e.below(name).isSecret(fields[name]) {
			return
		}
		if value := values[name]; value != nil {
			keys = append(keys, Key{name, value})
		}
	}
	e.keys, e.path = keys, l.at.path.Select(values)
}

// aligned compares lists whose elements nothing tells apart: it finds the
// longest run of insertions and removals that explains the change, and pairs
// what is left in the order it stands.
func (d *differ) aligned(l listPair, diff *Difference) {
	passedBefore, passedAfter := 0, 0
	edits := lcs.DiffLines(tokens(l.before), tokens(l.after))
	for i, edit := range edits {
		d.unchanged(l, diff, passedBefore, passedAfter, edit.Start-passedBefore, i > 0, true)
		d.edited(l, diff, edit)
		passedBefore, passedAfter = edit.End, edit.ReplEnd
	}
	d.unchanged(l, diff, passedBefore, passedAfter, len(l.before)-passedBefore, len(edits) > 0, false)
}

// edited compares a run of elements that are not the same on both sides.
func (d *differ) edited(l listPair, diff *Difference, edit lcs.Diff) {
	before, after := edit.Start, edit.ReplStart
	removeThenAdd := func(beforeEnd, afterEnd int) {
		for ; before < beforeEnd; before++ {
			d.element(diff, l, l.element(before, none, none, ""))
		}
		for ; after < afterEnd; after++ {
			d.element(diff, l, l.element(none, after, l.wanted(after), ""))
		}
	}
	for _, p := range paired(l.before[edit.Start:edit.End], l.after[edit.ReplStart:edit.ReplEnd]) {
		removeThenAdd(edit.Start+p.before, edit.ReplStart+p.after)
		d.element(diff, l, l.element(before, after, l.wanted(after), ""))
		before, after = before+1, after+1
	}
	removeThenAdd(edit.End, edit.ReplEnd)
}

func (l listPair) wanted(after int) int {
	if after < len(l.desired) {
		return after
	}
	return none
}

// unchanged takes up a run of equal elements: single values that stand beside a
// change are shown, all else is counted.
func (d *differ) unchanged(l listPair, diff *Difference, before, after, n int, follows, precedes bool) {
	head, tail := 0, 0
	if !isBlock(l.at.field) && n > 0 && valueShape(l.after[after]) == Leaf {
		head, tail = min(1, n)*truth(follows), min(1, n)*truth(precedes)
		tail = min(tail, n-head)
	}
	for i := range n {
		if i < head || i >= n-tail {
			e := l.element(before+i, after+i, none, "")
			if child := d.values(e.position, e.before, e.after); child != nil {
				diff.Children = append(diff.Children, child)
			}
		} else {
			diff.skip()
		}
	}
}

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}

// skip counts an unchanged element of a list where it stands.
func (diff *Difference) skip() {
	diff.Hidden.Elements++
	last := len(diff.Children) - 1
	if last < 0 || diff.Children[last].Shape != Gap {
		diff.Children = append(diff.Children, &Difference{Shape: Gap})
		last++
	}
	diff.Children[last].Hidden.Elements++
}

// tokens are the elements of a list as comparable texts.
func tokens(list []any) []string {
	texts := make([]string, len(list))
	for i, element := range list {
		texts[i] = token(element)
	}
	return texts
}

// token is a text that only equal values share.
func token(value any) string {
	if s, ok := value.(string); ok {
		return `"` + s
	}
	text, err := json.Marshal(value)
	if err != nil {
		panic("diff: a value that came as JSON has no JSON form: " + err.Error())
	}
	return string(text)
}

// equal reports whether two values mean the same in that field.
func equal(f *kinds.Field, a, b any) bool {
	if f != nil {
		return f.Equal(a, b)
	}
	return token(a) == token(b)
}
