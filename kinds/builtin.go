package kinds

import (
	_ "embed"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/util/json"

	"kplan.dev/kplan/addrs"
)

// builtinText is the table of the built-in kinds; internal/gen/render.go
// describes its lines.
//
//go:embed builtin.txt
var builtinText string

// table is the index of builtinText: where a type is described, not its description.
type table struct {
	kinds []kindLine
	rules map[addrs.GroupKind]*rules
	short map[string]string // lower case -> kind
	types map[string]string // name -> its line and those of its fields
	cache sync.Map          // typeAt -> *children
}

// kindLine is one line of the table about a kind.
type kindLine struct {
	apiVersion, name, plural, flags, typ string
}

// typeAt is a type at a field path with certain rules.
type typeAt struct {
	name      string
	pathRules pathRules
}

var builtin = sync.OnceValue(func() *table { return readTable(builtinText) })

// readTable indexes a table. It is compiled in: a fault in it panics.
func readTable(text string) *table {
	t := &table{rules: map[addrs.GroupKind]*rules{}, short: map[string]string{}, types: make(map[string]string, 1024)}
	head, typeText, _ := strings.Cut(text, "\ntype\t")
	for line := range strings.SplitSeq(head, "\n") {
		words := strings.Split(line, "\t")
		switch words[0] {
		case "kind":
			t.kinds = append(t.kinds, kindLine{words[1], words[2], words[3], words[4], words[5]})
		case "rule":
			kind := parseGroupKind(words[1])
			t.rules[kind] = t.rules[kind].with(words[2], words[3])
		case "short":
			t.short[words[1]] = words[2]
		}
	}
	for block := range strings.SplitSeq(typeText, "\ntype\t") {
		name, rest, _ := strings.Cut(block, "\t")
		t.types[name] = rest
	}
	return t
}

// parseGroupKind reads Deployment.apps, Pod, or * for every kind.
func parseGroupKind(text string) addrs.GroupKind {
	kind, group, _ := strings.Cut(text, ".")
	return addrs.GroupKind{Group: group, Kind: kind}
}

// anyKind is the key of the rules that hold for every kind.
var anyKind = addrs.GroupKind{Kind: "*"}

// kind makes the description that a line stands for.
func (t *table) kind(line kindLine) *Kind {
	group, version, err := addrs.SplitAPIVersion(line.apiVersion)
	if err != nil {
		panic("kinds: builtin.txt: " + err.Error())
	}
	k := &Kind{Group: group, Version: version, Name: line.name, Plural: line.plural}
	for flag := range strings.FieldsSeq(line.flags) {
		switch flag {
		case "namespaced":
			k.Namespaced = true
		case "status":
			k.resets = append(k.resets, "status")
		}
	}
	all := t.pathRules(k.GroupKind())
	k.resets = append(k.resets, all.rules.fieldsWith(reset)...)
	k.Root = &Field{Type: Object, KeepsEmpty: true, children: t.children(line.typ, all)}
	return k
}

// pathRules are the rules of the root of an object of that kind.
func (t *table) pathRules(kind addrs.GroupKind) pathRules {
	return pathRules{rules: t.rules[anyKind].merge(t.rules[kind])}
}

func (t *table) typeIsAtomic(name string) bool {
	flags, _, _ := strings.Cut(t.types[name], "\n")
	return flags == "atomic"
}

// children are the fields of a type under certain rules, shared by all uses there.
func (t *table) children(typ string, at pathRules) *children {
	key := typeAt{typ, at}
	if known, ok := t.cache.Load(key); ok {
		return known.(*children)
	}
	known, _ := t.cache.LoadOrStore(key, &children{typ: typ, load: func() []*Field { return t.fields(typ, at) }})
	return known.(*children)
}

func (t *table) fields(typ string, at pathRules) []*Field {
	block, ok := t.types[typ]
	if !ok {
		panic("kinds: builtin.txt has no type " + typ)
	}
	_, block, _ = strings.Cut(block, "\n")
	fields := make([]*Field, 0, strings.Count(block, "\n")+1)
	for line := range strings.SplitSeq(strings.TrimSuffix(block, "\n"), "\n") {
		words := strings.Split(line, "\t") // "", name, type, flags
		if len(words) == 4 {
			fields = append(fields, t.field(words, at))
		}
	}
	return fields
}

// field makes a field of the words of its line: "", name, type, flags.
func (t *table) field(words []string, parent pathRules) *Field {
	name, typ, flags := words[1], words[2], words[3]
	at := parent.below(name)
	at.immutable = at.immutable || hasWord(flags, "immutable")
	f := t.shape(typ, at)
	f.Name, f.KeepsEmpty = name, f.Type == Any
	f.read(flags)
	if value := parent.rules.defaultOf(name); value != nil {
		f.Default = value
	}
	if f.Default != nil && !f.KeepsEmpty && f.IsEmpty(f.Default) {
		f.Default = nil // the server drops it again
	}
	return f
}

func hasWord(words, word string) bool {
	return slices.Contains(strings.Fields(words), word)
}

// read sets what the flags of a field's line describe.
func (f *Field) read(flags string) {
	for flag := range strings.FieldsSeq(flags) {
		word, value, _ := strings.Cut(flag, "=")
		switch word {
		case "keys":
			f.ListKeys = strings.Split(value, ",")
		case "set":
			f.Set = true
		case "atomic":
			f.Atomic = true
		case "granular":
			f.Atomic = false
		case "required":
			f.Required = true
		case "pointer":
			f.KeepsEmpty = true
		case "zero":
			f.keyDefault = zeroValue(f.Type)
		case "default":
			f.Default = parseDefault(value)
			f.keyDefault = f.Default
		case "fills":
			f.Default = parseDefault(value)
		case "enum":
			f.Enum = strings.Split(value, "|")
		}
	}
}

// shape makes a field of a type in the table's notation: []core/v1.Container.
func (t *table) shape(typ string, at pathRules) *Field {
	f := &Field{Sensitive: at.sensitive, Immutable: at.immutable, Allocated: at.allocated, KeepsEmpty: true}
	if elem, ok := strings.CutPrefix(typ, "[]"); ok {
		f.Type, f.Elem = List, t.shape(elem, at)
		return f
	}
	if elem, ok := strings.CutPrefix(typ, "{}"); ok {
		f.Type, f.Elem = Map, t.shape(elem, at)
		for _, key := range at.rules.keys() {
			if f.KnownKeys == nil {
				f.KnownKeys = map[string]*Field{}
			}
			f.KnownKeys[key] = t.shape(elem, at.below(key))
		}
		return f
	}
	switch typ {
	case "string":
		f.Type = String
	case "int":
		f.Type = Integer
	case "int32":
		f.Type, f.Int32 = Integer, true
	case "number":
		f.Type = Number
	case "bool":
		f.Type = Boolean
	case "quantity":
		f.Type = Quantity
	case "intorstring":
		f.Type = IntOrString
	case "time":
		f.Type = Time
	case "microtime":
		f.Type, f.micro = Time, true
	case "duration":
		f.Type = Duration
	case "bytes":
		f.Type = Bytes
	case "any":
		f.Type = Any
	case "raw":
		f.Type, f.Atomic = Any, true
	case "object":
		f.Type, f.Elem = Map, anyBelow(f)
	default:
		f.Type, f.Atomic = Object, t.typeIsAtomic(typ)
		f.children = t.children(typ, at)
	}
	return f
}

func zeroValue(t Type) any {
	switch t {
	case Integer:
		return int64(0)
	case Number:
		return float64(0)
	case Boolean:
		return false
	}
	return ""
}

// parseDefault reads a default of the table, whole numbers as int64.
func parseDefault(text string) any {
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		panic("kinds: builtin.txt: default " + text + ": " + err.Error())
	}
	return v
}

// groups are the API groups that the built-in kinds belong to.
func (t *table) groups() []string {
	var groups []string
	for _, line := range t.kinds {
		group, _, _ := addrs.SplitAPIVersion(line.apiVersion)
		groups = append(groups, group)
	}
	slices.Sort(groups)
	return slices.Compact(groups)
}
