package convert

import (
	"strings"

	"github.com/zclconf/go-cty/cty"
	yamlnode "go.yaml.in/yaml/v3"

	"kplan.dev/kplan/hclspec/source"
)

// yamlTree joins the value of a document with its nodes: the value is what kubectl reads, the nodes
// have the order, the comments and the lines.
func yamlTree(n *yamlnode.Node, v cty.Value) *node {
	if n != nil && n.Kind == yamlnode.DocumentNode {
		tree := yamlTree(n.Content[0], v)
		around := commentsOf(n)
		if len(around.above) > 0 {
			around.above = append(around.above, "") // what is about the whole file stands apart
		}
		tree.comments = around.and(tree.comments)
		return tree
	}
	for n != nil && n.Kind == yamlnode.AliasNode {
		n = n.Alias
	}
	v, _ = v.Unmark()
	tree := scalarNode(v)
	if n == nil {
		return tree
	}
	tree.line, tree.comments = n.Line, commentsOf(n)
	switch {
	case tree.shape == object:
		tree.entries = yamlEntries(n, v.AsValueMap())
	case tree.shape == list:
		for i, item := range v.AsValueSlice() {
			tree.items = append(tree.items, yamlTree(child(n, i), item))
		}
	case tree.shape == text && n.Kind == yamlnode.ScalarNode:
		tree.text = n.Value // cty has brought it into Unicode's normal form
	case tree.shape == number:
		tree.octal = len(n.Value) > 2 && n.Value[0] == '0' && strings.Trim(n.Value, "01234567o") == ""
	}
	return tree
}

// child is an element of a list, nil where the node is something else.
func child(n *yamlnode.Node, i int) *yamlnode.Node {
	if n.Kind != yamlnode.SequenceNode || i >= len(n.Content) {
		return nil
	}
	return n.Content[i]
}

// yamlEntries are the fields of an object in the order of the text, those that are merged in at the place of
// the merge.
func yamlEntries(n *yamlnode.Node, values map[string]cty.Value) []*entry {
	var entries []*entry
	seen := map[string]bool{}
	own := map[string]bool{}
	for i := 0; n.Kind == yamlnode.MappingNode && i+1 < len(n.Content); i += 2 {
		own[n.Content[i].Value] = n.Content[i].ShortTag() != "!!merge"
	}
	var add func(n *yamlnode.Node, merged bool)
	add = func(n *yamlnode.Node, merged bool) {
		switch n.Kind {
		case yamlnode.AliasNode:
			add(n.Alias, merged)
		case yamlnode.SequenceNode:
			for _, each := range n.Content {
				add(each, merged)
			}
		case yamlnode.MappingNode:
			for i := 0; i+1 < len(n.Content); i += 2 {
				key, value := n.Content[i], n.Content[i+1]
				if key.ShortTag() == "!!merge" {
					add(value, true)
					continue
				}
				v, there := values[key.Value]
				if !there || seen[key.Value] || merged && own[key.Value] {
					continue
				}
				seen[key.Value] = true
				tree := yamlTree(value, v)
				tree.line, tree.comments = key.Line, commentsOf(key).and(tree.comments)
				entries = append(entries, &entry{key.Value, tree})
			}
		}
	}
	add(n, false)
	return entries
}

func commentsOf(n *yamlnode.Node) comments {
	return comments{above: commentLines(n.HeadComment), beside: commentLines(n.LineComment), below: commentLines(n.FootComment)}
}

// scalarNode is a value without what is in it.
func scalarNode(v cty.Value) *node {
	if v.IsNull() {
		return &node{}
	}
	switch ty := v.Type(); {
	case ty == cty.String:
		return &node{shape: text, text: v.AsString()}
	case ty == cty.Number:
		return &node{shape: number, text: spellNumber(v)}
	case ty == cty.Bool:
		return &node{shape: boolean, text: source.Text(v)}
	case ty.IsObjectType() || ty.IsMapType():
		return &node{shape: object}
	}
	return &node{shape: list}
}

// spellNumber is a number as HCL spells it, with all its digits.
func spellNumber(v cty.Value) string {
	const longest = 40
	if spelled := source.Text(v); len(spelled) <= longest {
		return spelled
	}
	return v.AsBigFloat().Text('g', -1)
}
