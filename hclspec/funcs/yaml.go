package funcs

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/ctymarks"
	yamlnode "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"

	"kplan.dev/kplan/hclspec/source"
)

// yamlValue reads YAML as kubectl does, so that a manifest means here what it
// means there: 0400 is octal, and a date is the text that is written.
func yamlValue(text string) (cty.Value, error) {
	doc, err := parseYAML(text)
	if err != nil {
		return cty.NilVal, err
	}
	first := 1
	if len(doc.Content) > 0 {
		first = doc.Content[0].Line
	}
	return documentValue(text, first, doc)
}

// documentValue is the value of a document of a text, whose first node is in that line of it.
func documentValue(text string, first int, doc *yamlnode.Node) (cty.Value, error) {
	r := yamlReader{shared: map[*yamlnode.Node]cty.Value{}, plain: map[string]cty.Value{}}
	value, err := r.value(doc)
	if errors.Is(err, errUnusual) {
		return unusualYAML(from(text, first), doc)
	}
	return value, err
}

// unusualYAML reads a document as kubectl does, by way of JSON. It takes several times as long.
func unusualYAML(text string, doc *yamlnode.Node) (cty.Value, error) {
	raw, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		return cty.NilVal, err
	}
	value, err := ParseJSON(string(raw))
	if err != nil {
		return cty.NilVal, err
	}
	return markScalars(value, doc), nil
}

// yamlReader makes values of the nodes of a document, for all that manifests have: the rest is errUnusual.
type yamlReader struct {
	shared map[*yamlnode.Node]cty.Value // those that aliases name
	plain  map[string]cty.Value         // scalars without quotes that may be no texts, by how they are written
}

// errUnusual is the error of tags, of keys that are no texts, of merged maps, and of scalars that are no JSON.
var errUnusual = errors.New("unusual YAML")

func (r yamlReader) value(node *yamlnode.Node) (v cty.Value, err error) {
	if node.Anchor != "" {
		if v, ok := r.shared[node]; ok {
			if v == cty.NilVal { // it is in itself
				return v, errUnusual
			}
			return v, nil
		}
		r.shared[node] = cty.NilVal
		defer func() { r.shared[node] = v }()
	}
	switch node.Kind {
	case yamlnode.DocumentNode:
		return r.value(node.Content[0])
	case yamlnode.AliasNode:
		return r.value(node.Alias)
	case yamlnode.MappingNode:
		return r.object(node)
	case yamlnode.SequenceNode:
		return r.tuple(node)
	case yamlnode.ScalarNode:
		return r.scalar(node)
	}
	return cty.NilVal, errUnusual
}

func (r yamlReader) object(node *yamlnode.Node) (cty.Value, error) {
	if isTagged(node) {
		return cty.NilVal, errUnusual
	}
	values := make(map[string]cty.Value, len(node.Content)/2)
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i]
		if key.Kind != yamlnode.ScalarNode || isTagged(key) || key.ShortTag() == "!!merge" {
			return cty.NilVal, errUnusual
		}
		value, err := r.value(node.Content[i+1])
		if err != nil {
			return cty.NilVal, err
		}
		values[key.Value] = value
	}
	return cty.ObjectVal(values), nil
}

func (r yamlReader) tuple(node *yamlnode.Node) (cty.Value, error) {
	if isTagged(node) {
		return cty.NilVal, errUnusual
	}
	values := make([]cty.Value, len(node.Content))
	for i, child := range node.Content {
		value, err := r.value(child)
		if err != nil {
			return cty.NilVal, err
		}
		values[i] = value
	}
	return cty.TupleVal(values), nil
}

func isTagged(node *yamlnode.Node) bool { return node.Style&yamlnode.TaggedStyle != 0 }

// inQuotes are the styles of texts, whatever is in them.
const inQuotes = yamlnode.DoubleQuotedStyle | yamlnode.SingleQuotedStyle | yamlnode.LiteralStyle | yamlnode.FoldedStyle

func (r yamlReader) scalar(node *yamlnode.Node) (cty.Value, error) {
	switch {
	case isTagged(node):
		return cty.NilVal, errUnusual
	case node.Style&inQuotes != 0 || isPlainText(node.Value):
		return cty.StringVal(node.Value), nil
	}
	if v, ok := r.plain[node.Value]; ok {
		return v, nil
	}
	if notFinite.MatchString(node.Value) {
		return cty.NilVal, fmt.Errorf("line %d has the number %s, which no object can have: put it in quotes", node.Line, node.Value)
	}
	raw, err := yaml.YAMLToJSON([]byte("- " + node.Value))
	if err != nil {
		return cty.NilVal, errUnusual
	}
	list, err := ParseJSON(string(raw))
	if err != nil || !list.Type().IsTupleType() || list.LengthInt() != 1 {
		return cty.NilVal, errUnusual
	}
	v := list.Index(cty.Zero)
	if ty := v.Type(); ty.IsObjectType() || ty.IsTupleType() {
		v = cty.StringVal(node.Value) // as "x:" and "-" are where they stand between brackets
	}
	v = markScalars(v, node)
	r.plain[node.Value] = v
	return v, nil
}

var notFinite = regexp.MustCompile(`^[-+]?\.(inf|Inf|INF)$|^\.(nan|NaN|NAN)$`)

// isPlainText reports whether a scalar without quotes is a text in any version of YAML, by how it begins.
func isPlainText(value string) bool {
	return value != "" && !strings.ContainsRune("+-.0123456789yYnNtTfFoO~<=", rune(value[0])) || strings.Contains(value, "\n")
}

// maxYAMLNodes bounds what aliases expand to.
const maxYAMLNodes = 1_000_000

func parseYAML(text string) (*yamlnode.Node, error) {
	doc, err := onlyDocument(text)
	if err != nil {
		return nil, err
	}
	return doc, checkYAML(doc)
}

// checkYAML refuses documents that are nested too deeply, or that expand to far more than they
// hold: nine levels of nine aliases each expand to a billion nodes. It refuses duplicate keys, and
// keys that YAML reads as another value.
func checkYAML(doc *yamlnode.Node) error {
	if _, err := expandedSize(doc, 0, map[*yamlnode.Node]int{}); err != nil {
		return err
	}
	return checkScalars(doc)
}

// onlyDocument is the one document of a text that has anything in it, besides comments.
func onlyDocument(text string) (*yamlnode.Node, error) {
	only := &yamlnode.Node{}
	documents := yamlnode.NewDecoder(strings.NewReader(text))
	for {
		var doc yamlnode.Node
		switch err := documents.Decode(&doc); {
		case errors.Is(err, io.EOF):
			return only, nil
		case err != nil:
			return nil, err
		case isEmptyDocument(&doc):
		case !only.IsZero():
			return nil, errors.New("there is more than one document: yamldecodeall reads them all")
		default:
			only = &doc
		}
	}
}

func isEmptyDocument(doc *yamlnode.Node) bool {
	return len(doc.Content) == 0 || doc.Content[0].ShortTag() == "!!null" && doc.Content[0].Value == "" && doc.Content[0].Anchor == ""
}

// from is the text from where the document begins that has something in that line.
func from(text string, first int) string {
	at := 0
	for range first - 1 {
		at += strings.IndexByte(text[at:], '\n') + 1
	}
	for at > 0 && !strings.HasPrefix(text[at:], "---") {
		at = strings.LastIndexByte(text[:at-1], '\n') + 1
	}
	return text[at:]
}

func expandedSize(node *yamlnode.Node, depth int, known map[*yamlnode.Node]int) (int, error) {
	if depth > source.MaxNesting {
		return 0, fmt.Errorf("more than %d lists and maps are nested", source.MaxNesting)
	}
	if node.Anchor != "" {
		if size, ok := known[node]; ok {
			return size, nil
		}
		known[node] = 1 // of an alias inside of its own anchor
	}
	children := node.Content
	if node.Alias != nil {
		children = []*yamlnode.Node{node.Alias}
	}
	total := 1
	for _, child := range children {
		size, err := expandedSize(child, depth+1, known)
		if err != nil {
			return 0, err
		}
		if total += size; total > maxYAMLNodes {
			return 0, fmt.Errorf("its aliases expand to more than %d values", maxYAMLNodes)
		}
	}
	if node.Anchor != "" {
		known[node] = total
	}
	return total, nil
}

// checkScalars refuses a key that a map has twice, of whose values only one would count, and one that
// YAML reads as another value than is written; and numbers of which digits would be lost.
func checkScalars(node *yamlnode.Node) error {
	first := map[string]entryLines{}
	for i, child := range node.Content {
		if child.Kind == yamlnode.ScalarNode && child.Style&inQuotes == 0 && source.IsHugeNumber(strings.ReplaceAll(child.Value, "_", "")) {
			return fmt.Errorf("line %d has a number with too many digits: put it in quotes", child.Line)
		}
		if node.Kind == yamlnode.MappingNode && i%2 == 0 && child.Kind == yamlnode.ScalarNode {
			if other, again := first[child.Value]; again {
				return fmt.Errorf("line %d has the key %q again, which the same map has in line %d; of the two, kubectl uses the last: "+
					"delete %s to mean the same", child.Line, child.Value, other.from, other)
			}
			if read := readKey(child); read != child.Value {
				return fmt.Errorf("line %d has the key %s, which YAML reads as %s: put it in quotes", child.Line, child.Value, read)
			}
			first[child.Value] = entryLines{child.Line, max(child.Line, lastLine(node.Content[i+1]))}
		}
		if err := checkScalars(child); err != nil {
			return err
		}
	}
	return nil
}

// entryLines are the lines that an entry of a map takes.
type entryLines struct{ from, to int }

func (l entryLines) String() string {
	if l.from == l.to {
		return fmt.Sprintf("line %d", l.from)
	}
	return fmt.Sprintf("lines %d to %d", l.from, l.to)
}

// lastLine is where a value ends.
func lastLine(node *yamlnode.Node) int {
	last := node.Line
	if node.Style&(yamlnode.LiteralStyle|yamlnode.FoldedStyle) != 0 {
		last += strings.Count(strings.TrimRight(node.Value, "\n"), "\n") + 1
	}
	for _, child := range node.Content {
		last = max(last, lastLine(child))
	}
	return last
}

// boolWords are what YAML 1.1, and so kubectl, reads as true or false, besides these words
// themselves.
var boolWords = []string{"y", "yes", "on", "n", "no", "off"}

// readKey is what a key is in JSON.
func readKey(key *yamlnode.Node) string {
	isPlain := key.Style&(inQuotes|yamlnode.TaggedStyle) == 0
	if !isPlain || key.ShortTag() == "!!merge" || key.ShortTag() == "!!str" && !slices.Contains(boolWords, strings.ToLower(key.Value)) {
		return key.Value
	}
	if key.ShortTag() == "!!null" {
		return "nothing"
	}
	raw, err := yaml.YAMLToJSON([]byte(key.Value + ": 0"))
	var object map[string]any
	if err != nil || json.Unmarshal(raw, &object) != nil {
		return key.Value // of which the decoder complains
	}
	for read := range object {
		return read
	}
	return key.Value
}

// fromYAML marks a bool or a number of a YAML document with its text there, which would be lost
// where a string is needed: no is read as false, and 1.10 as 1.1.
type fromYAML struct {
	ctymarks.ProvenanceMark
	Read, Written string
}

// decimal is a number as it is written in both versions of YAML, without the zero that makes it octal.
var decimal = regexp.MustCompile(`^[-+]?(0|[1-9][0-9_]*|(0|[1-9][0-9_]*)?\.[0-9_]*)([eE][-+]?[0-9]+)?$`)

// exactly is a number with all digits that are written: kubectl's decoder keeps 64 bits of it.
func exactly(v cty.Value, written string) cty.Value {
	if !decimal.MatchString(written) {
		return v
	}
	exact, err := cty.ParseNumberVal(strings.ReplaceAll(written, "_", ""))
	if err != nil || exact.AsBigFloat().Sign() == 0 { // there is no -0
		return v
	}
	return exact
}

// markScalars marks the bools and numbers of a value that was read from node.
func markScalars(v cty.Value, node *yamlnode.Node) cty.Value {
	for node != nil && (node.Kind == yamlnode.AliasNode || node.Kind == yamlnode.DocumentNode) {
		if node.Kind == yamlnode.AliasNode {
			node = node.Alias
		} else {
			node = node.Content[0]
		}
	}
	if node == nil {
		return v
	}
	if v.IsNull() {
		return v.Mark(fromYAML{Read: "null", Written: node.Value})
	}
	switch ty := v.Type(); {
	case ty == cty.Number:
		v = exactly(v, node.Value)
		return v.Mark(fromYAML{Read: source.Text(v), Written: node.Value})
	case ty == cty.Bool:
		return v.Mark(fromYAML{Read: source.Text(v), Written: node.Value})
	case ty.IsObjectType() && node.Kind == yamlnode.MappingNode:
		values, nodes := v.AsValueMap(), entriesOf(node)
		for name, value := range values {
			values[name] = markScalars(value, nodes[name])
		}
		return cty.ObjectVal(values)
	case ty.IsTupleType() && len(node.Content) == v.LengthInt():
		values := v.AsValueSlice()
		for i, value := range values {
			values[i] = markScalars(value, node.Content[i])
		}
		return cty.TupleVal(values)
	}
	return v
}

// entriesOf are the entries of a map, with those that it merges in.
func entriesOf(mapping *yamlnode.Node) map[string]*yamlnode.Node {
	own, merged := map[string]*yamlnode.Node{}, map[string]*yamlnode.Node{}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		key, value := mapping.Content[i], mapping.Content[i+1]
		if key.ShortTag() == "!!merge" {
			mergeInto(merged, value)
		} else {
			own[key.Value] = value
		}
	}
	for name, value := range own {
		merged[name] = value
	}
	return merged
}

// mergeInto adds the entries of the value of <<, a map or a list of maps, of which the first has
// precedence.
func mergeInto(entries map[string]*yamlnode.Node, source *yamlnode.Node) {
	switch source.Kind {
	case yamlnode.AliasNode:
		mergeInto(entries, source.Alias)
	case yamlnode.SequenceNode:
		for _, each := range source.Content {
			mergeInto(entries, each)
		}
	case yamlnode.MappingNode:
		for name, value := range entriesOf(source) {
			if entries[name] == nil {
				entries[name] = value
			}
		}
	}
}

// IsYAMLNull reports whether a value is a null of a YAML document.
func IsYAMLNull(v cty.Value) bool {
	if !v.IsNull() || !v.IsMarked() {
		return false
	}
	_, marks := v.Unmark()
	for mark := range marks {
		if _, ok := mark.(fromYAML); ok {
			return true
		}
	}
	return false
}

// YAMLScalar is how a YAML document spells the bool or number v, if v is a value of the document
// and not computed from one.
func YAMLScalar(v cty.Value) (fromYAML, bool) {
	if ty := v.Type(); !v.IsMarked() || ty != cty.Bool && ty != cty.Number || !v.IsKnown() || v.IsNull() {
		return fromYAML{}, false
	}
	plain, marks := v.Unmark()
	for mark := range marks {
		if m, ok := mark.(fromYAML); ok && m.Read == source.Text(plain) {
			return m, true
		}
	}
	return fromYAML{}, false
}
