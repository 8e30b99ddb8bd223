package funcs

import (
	"errors"
	"fmt"
	"regexp"
	"runtime"
	"strconv"
	"strings"

	"github.com/zclconf/go-cty/cty"
	yamlnode "go.yaml.in/yaml/v3"
	"golang.org/x/sync/errgroup"
)

// yamlValues are the values of all documents of a text, without those that hold nothing or null; of a list of objects,
// as kubectl prints one, its items.
func yamlValues(text string) (cty.Value, error) {
	chunks, found, problems := readChunks(text, chunk.values)
	values := []cty.Value{}
	number := 0
	for i, c := range chunks {
		if err := problems[i]; err != nil {
			return cty.NilVal, c.problem(number+1, err)
		}
		number += len(found[i])
		for _, v := range found[i] {
			values = append(values, listItems(v)...)
		}
	}
	return cty.TupleVal(values), nil
}

// chunk is a part of a text that can be read on its own, mostly one document: what an anchor names is known only
// in its own.
type chunk struct {
	text   string
	before int // how many lines are before it
}

// cutDocuments cuts a text where documents begin. In YAML three dashes at the beginning of a line mean that
// everywhere, also within a text of several lines.
func cutDocuments(text string) []chunk {
	text = strings.TrimPrefix(text, "\ufeff")
	if hasUnusualBreaks(text) {
		return []chunk{{text: text}}
	}
	var chunks []chunk
	begin, first, line := 0, 0, 0
	for at := 0; at < len(text); line++ {
		if rest := text[at:]; at > begin && strings.HasPrefix(rest, "---") && (len(rest) == 3 || strings.ContainsRune(" \t\r\n", rune(rest[3]))) {
			chunks = append(chunks, chunk{text[begin:at], first})
			begin, first = at, line
		}
		end := strings.IndexByte(text[at:], '\n')
		if end < 0 {
			break
		}
		at += end + 1
	}
	return append(chunks, chunk{text[begin:], first})
}

// hasUnusualBreaks reports whether a text has directives, which belong to the document after them, or line breaks
// other than those of Unix and Windows.
func hasUnusualBreaks(text string) bool {
	if strings.HasPrefix(text, "%") || strings.Contains(text, "\n%") || strings.Contains(text, "\u0085") ||
		strings.Contains(text, "\u2028") || strings.Contains(text, "\u2029") {
		return true
	}
	return strings.Count(text, "\r") != strings.Count(text, "\r\n")
}

// readChunks reads the chunks of a text side by side: what each gives, and what is wrong with it.
func readChunks[T any](text string, read func(chunk) ([]T, error)) ([]chunk, [][]T, []error) {
	chunks := cutDocuments(text)
	found, problems := make([][]T, len(chunks)), make([]error, len(chunks))
	var working errgroup.Group
	working.SetLimit(runtime.GOMAXPROCS(0))
	for i, c := range chunks {
		working.Go(func() error {
			found[i], problems[i] = read(c)
			return nil
		})
	}
	_ = working.Wait() // all go on, so that problems are reported in their order
	return chunks, found, problems
}

// values are those of the documents in a chunk.
func (c chunk) values() ([]cty.Value, error) {
	documents, err := c.documents()
	var values []cty.Value
	for _, d := range documents {
		values = append(values, d.Value)
	}
	return values, err
}

// moveLines adds what is before a chunk to the lines of its nodes.
func moveLines(node *yamlnode.Node, by int) {
	node.Line += by
	for _, child := range node.Content {
		moveLines(child, by)
	}
}

var lineInError = regexp.MustCompile(`line (\d+)`)

// moved is an error of the decoder with the lines of the whole text.
func (c chunk) moved(err error) error {
	return errors.New(lineInError.ReplaceAllStringFunc(err.Error(), func(found string) string {
		line, _ := strconv.Atoi(strings.TrimPrefix(found, "line "))
		return "line " + strconv.Itoa(line+c.before)
	}))
}

// problem is an error with the document that it is in: those with nothing in them do not count.
func (c chunk) problem(number int, err error) error {
	of := ""
	if kind := kindLine.FindStringSubmatch(c.text); kind != nil {
		of = kind[1]
		if name := nameLine.FindStringSubmatch(c.text); name != nil {
			of += " " + name[1]
		}
		of = " (" + of + ")"
	}
	return fmt.Errorf("in document %d%s, %w", number, of, err)
}

var (
	kindLine = regexp.MustCompile(`(?m)^kind: *["']?([A-Za-z0-9]+)["']?\s*$`)
	nameLine = regexp.MustCompile(`(?m)^metadata:\s*\n(?:(?: +.*)?\n)*? +name: *["']?([\w.:-]+)["']?\s*$`)
)

// listItems are the objects of a list of them; of any other value that alone. Items of a list of one kind need
// not say their kind.
func listItems(v cty.Value) []cty.Value {
	whole := []cty.Value{v}
	if !v.Type().IsObjectType() || !v.Type().HasAttribute("items") || !v.Type().HasAttribute("kind") {
		return whole
	}
	kind, items := v.GetAttr("kind"), v.GetAttr("items")
	if kind.IsMarked() || kind.Type() != cty.String || !strings.HasSuffix(kind.AsString(), "List") || !items.Type().IsTupleType() {
		return whole
	}
	var found []cty.Value
	for _, item := range items.AsValueSlice() {
		if of := strings.TrimSuffix(kind.AsString(), "List"); of != "" && item.Type().IsObjectType() && !item.Type().HasAttribute("kind") {
			fields := item.AsValueMap()
			if fields == nil {
				fields = map[string]cty.Value{}
			}
			fields["kind"] = cty.StringVal(of)
			if v.Type().HasAttribute("apiVersion") && !item.Type().HasAttribute("apiVersion") {
				fields["apiVersion"] = v.GetAttr("apiVersion")
			}
			item = cty.ObjectVal(fields)
		}
		found = append(found, listItems(item)...)
	}
	return found
}
