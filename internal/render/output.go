package render

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"kplan.dev/kplan/internal/option"
	"kplan.dev/kplan/internal/redact"
)

// Output is an output value to show.
type Output struct {
	Name      string
	Value     any
	Type      any // as cty spells types in JSON
	Sensitive bool
}

// Outputs writes output values for people, as the configuration would spell
// them. Sensitive ones are not shown.
func Outputs(w io.Writer, outputs []Output, opts Options) {
	p := newPage(opts)
	width := 0
	for _, o := range outputs {
		width = max(width, screenWidth(fieldName(o.Name)))
	}
	for _, o := range outputs {
		p.output(0, pad(fieldName(o.Name), width)+" = ", o)
	}
	p.writeTo(w)
}

// OutputValue writes the value of one output for people.
func OutputValue(w io.Writer, o Output, opts Options) {
	p := newPage(opts)
	p.output(0, "", o)
	p.writeTo(w)
}

func (p *page) output(depth int, before string, o Output) {
	if o.Sensitive {
		p.line(before, redact.Mask)
		return
	}
	p.literal(depth, before, o.Value, "")
}

// literal writes a value as the configuration spells it.
func (p *page) literal(depth int, before string, value any, after string) {
	indent := strings.Repeat("  ", depth)
	switch v := value.(type) {
	case call:
		p.literal(depth, before+v.function+"(", v.value, ")"+after)
		return
	case map[string]any:
		if len(v) == 0 {
			break
		}
		p.line(before, "{")
		for _, name := range slices.Sorted(maps.Keys(v)) {
			p.literal(depth+1, indent+"  "+quote(name)+" = ", v[name], "")
		}
		p.line(indent, "}", after)
		return
	case []any:
		if len(v) == 0 {
			break
		}
		p.line(before, "[")
		for _, element := range v {
			p.literal(depth+1, indent+"  ", element, ",")
		}
		p.line(indent, "]", after)
		return
	case string:
		if strings.Contains(strings.TrimSuffix(v, "\n"), "\n") {
			p.text.WriteString(before)
			p.line("<<-EOT")
			for _, line := range strings.Split(strings.TrimSuffix(v, "\n"), "\n") {
				p.line(indent, "  ", gutter, Clean(strings.ReplaceAll(line, "\t", "    ")))
			}
			p.line(indent, "EOT", after)
			return
		}
		p.line(before, quote(v), after)
		return
	}
	p.line(before, inline(value), after)
}

// OutputsJSON writes output values for machines, without the sensitive ones'.
func OutputsJSON(w io.Writer, outputs []Output) error {
	all := map[string]jsonOutput{}
	for _, o := range outputs {
		all[o.Name] = o.json()
	}
	return writeJSON(w, all, true)
}

func (o Output) json() jsonOutput {
	if o.Sensitive {
		o.Value = redact.Mask
	}
	return jsonOutput{Sensitive: o.Sensitive, Type: o.Type, Value: o.Value}
}

// OutputJSON writes the value of one output for machines.
func OutputJSON(w io.Writer, o Output) error { return writeJSON(w, o.json().Value, true) }

// NotStored is the error that a sensitive output has no value to write.
func NotStored(o Output) error {
	return fmt.Errorf("output %q is sensitive: kplan stores only a digest of it", o.Name)
}

// OutputRaw is the text of an output without any dressing, for a program to
// read: it is not cleaned. Only texts, numbers and booleans have one.
func OutputRaw(o Output) (string, error) {
	if o.Sensitive {
		return "", NotStored(o)
	}
	switch v := o.Value.(type) {
	case string:
		return v, nil
	case nil, map[string]any, []any:
		return "", fmt.Errorf("output %q is not a string, number or boolean; use %s", o.Name, option.JSON)
	}
	text, err := json.Marshal(o.Value)
	return string(text), err
}
