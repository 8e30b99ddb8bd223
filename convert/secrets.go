package convert

import (
	"fmt"
	"strings"
)

// variableNames are those in use.
type variableNames map[string]bool

// variable is a reference to a new sensitive variable that stands for a text. The text is looked at again to
// see whether it fits in a line; its variable stays the same.
func (w *writer) variable(n *node, key string) string {
	if n.reference != "" {
		return n.reference
	}
	base := strings.ToLower(identifier(w.names[w.object].Name, key))
	name := base
	for i := 2; w.variables[name]; i++ {
		name = fmt.Sprintf("%s_%d", base, i)
	}
	w.variables[name] = true
	w.declared = append(w.declared, Variable{
		Name: name, Value: n.text,
		Description: fmt.Sprintf("%s of %s %s", key, w.object.id.Kind, w.object.id.QualifiedName()),
	})
	n.reference = "var." + name
	return n.reference
}

// block declares the variable. It has no value: that is given apart from the configuration.
func (v Variable) block() []byte {
	const block = "variable %s {\n  description = %s\n  type = string\n  sensitive = true\n}\n"
	return layOut(fmt.Appendf(nil, block, quote(v.Name), quote(v.Description)))
}

// Values is a file of variables with the values of a configuration's.
func (c *Configuration) Values() []byte {
	w := &writer{}
	for _, v := range c.Variables {
		n := &node{shape: text, text: v.Value}
		if !isHeredoc(v.Value) || !strings.HasSuffix(v.Value, "\n") { // a file of variables can't call chomp
			w.line(0, "%s = %s", v.Name, quote(v.Value))
			continue
		}
		w.out.WriteString(v.Name + " = ")
		w.heredoc(n)
		w.end(0)
	}
	return layOut(w.out.Bytes())
}
