package plan_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"

	"kplan.dev/kplan/kinds"
)

// catalogue is testdata/loop/kinds.yaml: what configurations are made from.
type catalogue struct {
	Rules             []rule // of rounds in which others are at work
	Parts             map[string]shape
	Kinds             []shape
	Definition        map[string]any
	DefinitionChoices [][]map[string]any
	Custom            shape
}

// shape is a base and the choices that may be added to it.
type shape struct {
	Kind       string
	APIVersion string // where it is not the one that is preferred
	Cluster    bool   // its objects are in no namespace
	Weight     int
	Base       map[string]any
	Include    map[string]string // parts by their field path
	Choices    [][]map[string]any
	Harmless   map[string]any // of a rule's object: what it is once it was in the way

	parts int // of the choices, how many come from parts
}

// readCatalogue reads the files of testdata/loop: kinds.yaml and, for rounds in which
// others are at work, others.yaml.
func readCatalogue(others bool) (*catalogue, error) {
	c := &catalogue{}
	if err := readYAML("testdata/loop/kinds.yaml", c); err != nil {
		return nil, err
	}
	if others {
		if err := c.addOthers(); err != nil {
			return nil, err
		}
	}
	for i, s := range c.Kinds {
		whole := c.whole(s)
		whole.Choices = append(slices.Clone(c.Parts["metadata"].objectChoices()), whole.Choices...)
		whole.parts = len(whole.Choices) - len(s.Choices)
		c.Kinds[i] = whole
	}
	c.Custom = c.whole(c.Custom)
	return c, nil
}

// addOthers adds what is in others.yaml.
func (c *catalogue) addOthers() error {
	var others struct {
		More  map[string][][]map[string]any
		Rules []rule
	}
	if err := readYAML("testdata/loop/others.yaml", &others); err != nil {
		return err
	}
	c.Rules = others.Rules
	for name, part := range c.Parts {
		part.Choices = append(part.Choices, others.More[name]...)
		c.Parts[name] = part
	}
	for i, s := range c.Kinds {
		c.Kinds[i].Choices = append(s.Choices, others.More[s.Kind]...)
	}
	return nil
}

func readYAML(path string, into any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return yaml.UnmarshalStrict(data, into)
}

// objectChoices are those of the part about metadata, placed into an object.
func (s shape) objectChoices() [][]map[string]any {
	return placed([]string{"metadata"}, s.Choices)
}

// whole is a shape with what it includes.
func (c *catalogue) whole(s shape) shape {
	for _, key := range slices.Sorted(maps.Keys(s.Include)) {
		part := c.whole(c.Parts[s.Include[key]])
		steps := strings.Split(key, ".")
		s.Base = merged(at(steps, part.Base), s.Base)
		s.Choices = slices.Concat(placed(steps, part.Choices), s.Choices)
	}
	return s
}

func placed(steps []string, choices [][]map[string]any) [][]map[string]any {
	var all [][]map[string]any
	for _, alternatives := range choices {
		var there []map[string]any
		for _, a := range alternatives {
			there = append(there, at(steps, a))
		}
		all = append(all, there)
	}
	return all
}

func at(steps []string, value map[string]any) map[string]any {
	for _, step := range slices.Backward(steps) {
		value = map[string]any{step: value}
	}
	return value
}

// merged is base with the fragment's values. Elements of lists that have names
// are merged by them; any other list replaces the one that is there.
func merged(base, fragment map[string]any) map[string]any {
	result := maps.Clone(base)
	if result == nil {
		result = map[string]any{}
	}
	for name, value := range fragment {
		switch v := value.(type) {
		case map[string]any:
			below, _ := result[name].(map[string]any)
			result[name] = merged(below, v)
		case []any:
			below, _ := result[name].([]any)
			result[name] = mergedList(below, v)
		default:
			result[name] = value
		}
	}
	return result
}

func mergedList(base, fragment []any) []any {
	if len(base) == 0 || len(fragment) == 0 || nameOf(base[0]) == "" || nameOf(fragment[0]) == "" {
		return fragment
	}
	result := slices.Clone(base)
	for _, element := range fragment {
		i := slices.IndexFunc(result, func(other any) bool { return nameOf(other) == nameOf(element) })
		if i < 0 {
			result = append(result, element)
		} else {
			result[i] = merged(result[i].(map[string]any), element.(map[string]any))
		}
	}
	return result
}

func nameOf(element any) string {
	m, _ := element.(map[string]any)
	name, _ := m["name"].(string)
	return name
}

// repetition is how a resource is repeated.
type repetition byte

const (
	single repetition = iota
	counted
	keyed
)

// made is a resource of a random configuration.
type made struct {
	shape
	block    string
	name     string // of the object, or what the names of several begin with
	repeated repetition
	number   int         // of instances that are counted
	keys     [][2]string // key and object name of those that are not
	picks    []int       // the alternative taken of each choice, -1 for none
	style    uint64      // decides how it is spelled
	refs     uint64      // decides what references lead to
	needs    *made       // depends_on
	forces   bool        // forces conflicts with what others changed
	ignores  []string    // lifecycle.ignore_changes
	replaces []string    // lifecycle.replace_on
	excludes []string    // lifecycle.exclusive
	rule     *standing   // that the object is a part of, if it is of one
	tamed    bool        // the rule is harmless now
}

// fields are what the resource says beside its name and namespace.
func (m *made) fields() map[string]any {
	body := m.Base
	for i, pick := range m.picks {
		if pick >= 0 {
			body = merged(body, m.Choices[i][pick])
		}
	}
	if m.tamed {
		body = merged(body, m.Harmless)
	}
	return body
}

// desired is a random configuration.
type desired struct {
	*catalogue
	*rand.Rand
	space     string // the namespace
	declared  bool   // the configuration makes its namespace
	custom    bool   // the configuration defines a kind of its own
	resources []*made
	serial    int

	// Of rounds in which others are at work:
	hooks   webhooks
	limited bool // the user is the administrator of the namespace, and of nothing else
	rules   []*standing
}

// isOthers reports whether others are at work in the round.
func (c *catalogue) isOthers() bool { return len(c.Rules) > 0 }

func newDesired(c *catalogue, r *rand.Rand, namespace string, hooks webhooks) *desired {
	w := &desired{catalogue: c, Rand: r, space: namespace, hooks: hooks}
	w.declared, w.custom = w.IntN(3) > 0, w.IntN(3) == 0
	if w.isOthers() && w.IntN(6) == 0 {
		w.limited, w.declared, w.custom = true, false, false
	}
	if w.declared {
		w.add(shape{Kind: "Namespace", Cluster: true, Choices: c.Parts["metadata"].objectChoices()})
		w.resources[0].name, w.resources[0].repeated = "NS", single
	}
	if w.custom {
		definition := shape{Kind: "CustomResourceDefinition", Cluster: true, Choices: c.DefinitionChoices,
			Base: merged(c.Definition, map[string]any{"spec": map[string]any{"group": w.group()}})}
		m := w.add(definition)
		m.name, m.repeated = "databases."+w.group(), single
	}
	for range 4 + w.IntN(8) {
		w.grow()
	}
	return w
}

func (w *desired) group() string { return w.space + ".example.com" }

// grow adds a random resource.
func (w *desired) grow() *made {
	if w.custom && w.IntN(4) == 0 {
		s := w.Custom
		s.Kind, s.APIVersion = "Database", w.group()+"/v1"
		return w.add(s)
	}
	total := 0
	for _, s := range w.Kinds {
		total += w.weight(s)
	}
	n := w.IntN(total)
	for _, s := range w.Kinds {
		if n -= w.weight(s); n < 0 {
			return w.add(s)
		}
	}
	panic("the weights have another sum than their sum")
}

// ofAdmin are the kinds that the administrator of a namespace may create.
var ofAdmin = strings.Fields(`ConfigMap Secret ServiceAccount Service Pod ReplicationController ReplicaSet Deployment StatefulSet
	DaemonSet Job CronJob PersistentVolumeClaim HorizontalPodAutoscaler PodDisruptionBudget Ingress NetworkPolicy Role RoleBinding`)

func (w *desired) weight(s shape) int {
	if w.limited && !slices.Contains(ofAdmin, s.Kind) {
		return 0
	}
	return max(s.Weight, 1)
}

func (w *desired) add(s shape) *made {
	w.serial++
	m := &made{shape: s, block: "r" + strconv.Itoa(w.serial), name: "o" + strconv.Itoa(w.serial),
		style: w.Uint64(), refs: w.Uint64(), forces: w.IntN(8) > 0}
	if s.Cluster {
		m.name = "NS-" + m.name
	}
	for _, alternatives := range s.Choices {
		m.picks = append(m.picks, w.pick(len(alternatives)))
	}
	switch w.IntN(8) {
	case 0:
		m.repeated, m.number = counted, w.IntN(4)
	case 1:
		m.repeated = keyed
		for i := range w.IntN(4) {
			m.keys = append(m.keys, [2]string{fmt.Sprintf("k.%d", i), fmt.Sprintf("%s-%d", m.name, i)})
		}
	}
	if len(w.resources) > 0 && w.IntN(4) == 0 {
		m.needs = w.soonReady()
	}
	w.lifecycle(m)
	w.resources = append(w.resources, m)
	return m
}

// pick takes an alternative of a choice, or none.
func (w *desired) pick(n int) int {
	if w.IntN(5) < 2 {
		return -1
	}
	return w.IntN(n)
}

// soonReady is a resource for which nobody waits long.
func (w *desired) soonReady() *made {
	m := w.resources[w.IntN(len(w.resources))]
	if slices.Contains([]string{"ConfigMap", "Secret", "Role", "ServiceAccount", "Namespace", "Lease"}, m.Kind) {
		return m
	}
	return nil
}

func (w *desired) lifecycle(m *made) {
	leaves := leavesOf(kindOf(m), m.fields(), "")
	m.ignores, m.replaces, m.excludes = nil, nil, nil
	if w.isOthers() && w.IntN(6) == 0 {
		m.excludes = []string{w.exclusive(m)}
	}
	if len(leaves) == 0 {
		return
	}
	if w.IntN(8) == 0 {
		m.ignores = []string{leaves[w.IntN(len(leaves))]}
	}
	if w.IntN(12) == 0 && m.Kind != "Namespace" && m.Kind != "CustomResourceDefinition" {
		m.replaces = []string{leaves[w.IntN(len(leaves))]}
	}
}

// exclusive is a field in which nothing else may be than what is desired.
func (w *desired) exclusive(m *made) string {
	switch {
	case m.Kind == "ConfigMap" && w.IntN(2) == 0:
		return "data"
	case m.Kind == "Deployment" && w.IntN(2) == 0:
		return "spec.template.spec.containers"
	}
	return "metadata.labels"
}

func kindOf(m *made) *kinds.Field {
	k, err := kinds.Builtin().Lookup(m.Kind, m.APIVersion)
	if err != nil {
		return nil
	}
	return k.Root
}

// leavesOf are the fields of values outside of lists.
func leavesOf(f *kinds.Field, value map[string]any, prefix string) []string {
	var leaves []string
	for _, name := range slices.Sorted(maps.Keys(value)) {
		step := "." + name
		if strings.ContainsAny(name, "./-") {
			step = fmt.Sprintf("[%q]", name)
		}
		path := strings.TrimPrefix(prefix+step, ".")
		child := field(f, name)
		switch v := value[name].(type) {
		case map[string]any:
			if len(v) > 0 && (child == nil || !child.Atomic) {
				leaves = append(leaves, leavesOf(child, v, path)...)
				continue
			}
			leaves = append(leaves, path)
		case nil, []any:
		default:
			leaves = append(leaves, path)
		}
	}
	return leaves
}

func field(f *kinds.Field, name string) *kinds.Field {
	if f == nil {
		return nil
	}
	return f.Field(name)
}

// edit changes the configuration as its authors would.
func (w *desired) edit() string {
	free := w.resources
	for len(free) > 0 && (free[0].Kind == "Namespace" || free[0].Kind == "CustomResourceDefinition") {
		free = free[1:]
	}
	if w.isOthers() {
		free = slices.DeleteFunc(slices.Clone(free), func(m *made) bool { return m.rule != nil })
	}
	if len(free) == 0 {
		return "add " + w.grow().block
	}
	m := free[w.IntN(len(free))]
	switch w.IntN(12) {
	case 0:
		return "add " + w.grow().block
	case 1:
		w.remove(m)
		return "remove " + m.block
	case 2:
		m.block += "x"
		return "rename the block " + m.block
	case 3:
		m.name += "-x"
		for i := range m.keys {
			m.keys[i][1] += "-x"
		}
		return "rename the objects of " + m.block
	case 4:
		return w.repeat(m)
	case 5:
		m.style = w.Uint64()
		return "respell " + m.block
	case 6:
		m.refs = w.Uint64()
		return "refer to others in " + m.block
	case 7:
		w.lifecycle(m)
		return "change the lifecycle of " + m.block
	}
	for range 1 + w.IntN(3) {
		if len(m.Choices) > 0 {
			i := w.IntN(len(m.Choices))
			m.picks[i] = w.pick(len(m.Choices[i]))
		}
	}
	w.keepFields(m)
	return "change " + m.block
}

// keepFields drops what lifecycle has about fields that are no more.
func (w *desired) keepFields(m *made) {
	leaves := leavesOf(kindOf(m), m.fields(), "")
	gone := func(path string) bool { return !slices.Contains(leaves, path) }
	m.ignores, m.replaces = slices.DeleteFunc(m.ignores, gone), slices.DeleteFunc(m.replaces, gone)
}

func (w *desired) remove(m *made) {
	w.resources = slices.DeleteFunc(w.resources, func(other *made) bool { return other == m })
	for _, other := range w.resources {
		if other.needs == m {
			other.needs = nil
		}
	}
}

// repeat changes how a resource is repeated. A single object that moves into
// for_each keeps its name.
func (w *desired) repeat(m *made) string {
	switch {
	case m.repeated == single && w.IntN(2) == 0:
		m.repeated, m.keys = keyed, [][2]string{{"only", m.name}}
		return "move into for_each " + m.block
	case m.repeated == single:
		m.repeated, m.number = counted, 1+w.IntN(2)
		return "count " + m.block
	case m.repeated == keyed && len(m.keys) > 0 && w.IntN(2) == 0:
		m.keys = slices.Delete(slices.Clone(m.keys), 0, 1)
		return "take a key from " + m.block
	case m.repeated == keyed:
		w.serial++
		m.keys = append(slices.Clone(m.keys), [2]string{"new" + strconv.Itoa(w.serial), m.name + "-new" + strconv.Itoa(w.serial)})
		return "give a key to " + m.block
	default:
		m.number = w.IntN(4)
		return "change the count of " + m.block
	}
}

// source is the configuration in HCL.
func (w *desired) source() string {
	var b strings.Builder
	for i, m := range w.resources {
		w.writeResource(&b, m, w.resources[:i])
	}
	return w.withNames(b.String())
}

// withNames completes a text of the catalogue with what is only known in a round.
func (w *desired) withNames(text string) string {
	return strings.NewReplacer("NS", w.space, "HOOK", w.hooks.url, `"CA"`, strconv.Quote(w.hooks.authority)).Replace(text)
}

func (w *desired) writeResource(b *strings.Builder, m *made, before []*made) {
	p := &printer{Builder: b, style: rand.New(rand.NewPCG(m.style, 1)), refs: rand.New(rand.NewPCG(m.refs, 2)), before: before,
		name: m.objectName()}
	p.printf("resource %q %q {\n", m.Kind, m.block)
	if m.APIVersion != "" {
		p.printf("  apiVersion = %q\n", m.APIVersion)
	}
	switch m.repeated {
	case counted:
		p.printf("  count = %d\n", m.number)
	case keyed:
		p.printf("  for_each = {\n")
		for _, k := range m.keys {
			p.printf("    %q = %q\n", k[0], k[1])
		}
		p.printf("  }\n")
	}
	if m.needs != nil && slices.Contains(before, m.needs) {
		p.printf("  depends_on = [%s.%s]\n", m.needs.Kind, m.needs.block)
	}
	metadata := map[string]any{"name": expression(`"` + m.objectName() + `"`)}
	if !m.Cluster {
		metadata["namespace"] = w.namespaceFor(m)
	}
	body := merged(m.fields(), map[string]any{"metadata": metadata})
	p.fields(kindOf(m), body, "  ")
	p.lifecycle(m, body)
	p.printf("}\n")
}

func (m *made) objectName() string {
	switch m.repeated {
	case counted:
		return m.name + "-${count.index}"
	case keyed:
		return "${each.value}"
	}
	return m.name
}

// expression is a value that is written unchanged.
type expression string

func (w *desired) namespaceFor(m *made) any {
	if w.declared && m.style%2 == 0 {
		return expression("Namespace." + w.resources[0].block + ".metadata.name")
	}
	return "NS"
}

// printer writes a resource in one of the ways it could be written.
type printer struct {
	*strings.Builder
	style, refs *rand.Rand
	before      []*made
	name        string // of the object, as a template
}

func (p *printer) printf(format string, args ...any) { fmt.Fprintf(p, format, args...) }

func (p *printer) fields(f *kinds.Field, body map[string]any, indent string) {
	for _, name := range slices.Sorted(maps.Keys(body)) {
		child := field(f, name)
		value := body[name]
		switch v := value.(type) {
		case map[string]any:
			if child != nil && child.Type == kinds.Object && p.style.IntN(4) > 0 {
				p.block(child, name, v, indent)
				continue
			}
		case []any:
			if child != nil && child.Type == kinds.List && child.Elem.Type == kinds.Object && len(v) > 0 && p.style.IntN(4) > 0 {
				for _, element := range v {
					p.block(child.Elem, name, element.(map[string]any), indent)
				}
				continue
			}
		}
		p.printf("%s%s = %s\n", indent, name, p.value(value, indent))
	}
}

func (p *printer) block(f *kinds.Field, name string, body map[string]any, indent string) {
	p.printf("%s%s {\n", indent, name)
	p.fields(f, body, indent+"  ")
	p.printf("%s}\n", indent)
}

func (p *printer) value(value any, indent string) string {
	switch v := value.(type) {
	case expression:
		return string(v)
	case nil:
		return "null"
	case string:
		return p.text(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case []any:
		var elements []string
		for _, element := range v {
			elements = append(elements, p.value(element, indent))
		}
		return "[" + strings.Join(elements, ", ") + "]"
	case map[string]any:
		var entries []string
		for _, name := range slices.Sorted(maps.Keys(v)) {
			entries = append(entries, strconv.Quote(name)+" = "+p.value(v[name], indent))
		}
		return "{\n" + strings.Join(entries, "\n") + "\n}"
	}
	return fmt.Sprint(value)
}

// text writes a string: a reference, a heredoc, or in quotes.
func (p *printer) text(s string) string {
	if strings.HasPrefix(s, "@") && strings.Contains(s, "|") {
		target, otherwise, _ := strings.Cut(s[1:], "|")
		if ref := p.reference(target); ref != "" {
			return ref
		}
		s = otherwise
	}
	if strings.HasSuffix(s, "\n") && !strings.ContainsAny(s, "\r\t\u2028\u200b") && p.style.IntN(2) == 0 {
		return "<<EOT\n" + p.template(s) + "EOT\n"
	}
	quoted, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	unescaped := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&", `\b`, `\u0008`, `\f`, `\u000c`).Replace(string(quoted))
	return p.template(unescaped)
}

func (p *printer) template(s string) string {
	s = strings.NewReplacer("${", "$${", "%{", "%%{").Replace(s)
	return strings.ReplaceAll(s, "NAME", p.name)
}

// reference leads to a field of a resource before this one, "" if there is no
// suitable resource.
func (p *printer) reference(target string) string {
	kind, path, _ := strings.Cut(target, ".")
	choice := p.refs.Uint64()
	var fit []string
	for _, m := range p.before {
		switch {
		case m.Kind != kind || path == "spec.clusterIP" && m.fields()["spec"].(map[string]any)["type"] == "ExternalName":
		case m.repeated == single:
			fit = append(fit, fmt.Sprintf("%s.%s.%s", kind, m.block, path))
		case m.repeated == counted && m.number > 0:
			fit = append(fit, fmt.Sprintf("%s.%s[0].%s", kind, m.block, path))
		case m.repeated == keyed && len(m.keys) > 0:
			fit = append(fit, fmt.Sprintf("%s.%s[%q].%s", kind, m.block, m.keys[0][0], path))
		}
	}
	if len(fit) == 0 || choice%3 == 0 {
		return ""
	}
	return fit[choice/3%uint64(len(fit))]
}

func (p *printer) lifecycle(m *made, body map[string]any) {
	if !m.forces && m.ignores == nil && m.replaces == nil && m.excludes == nil {
		return
	}
	p.printf("  lifecycle {\n")
	if m.forces {
		paths := []string{"metadata.labels", "metadata.annotations"}
		for _, name := range slices.Sorted(maps.Keys(body)) {
			if name != "metadata" {
				paths = append(paths, name)
			}
		}
		p.printf("    force_conflicts = [%s]\n", strings.Join(paths, ", "))
	}
	for _, list := range []struct {
		name  string
		paths []string
	}{{"ignore_changes", m.ignores}, {"replace_on", m.replaces}, {"exclusive", m.excludes}} {
		if len(list.paths) > 0 {
			p.printf("    %s = [%s]\n", list.name, strings.Join(list.paths, ", "))
		}
	}
	p.printf("  }\n")
}
