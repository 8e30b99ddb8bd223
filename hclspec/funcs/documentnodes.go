package funcs

import (
	"errors"
	"io"
	"strings"

	"github.com/zclconf/go-cty/cty"
	yamlnode "go.yaml.in/yaml/v3"
)

// Document is a document of a YAML text: its value, and its nodes, which have what a value has not: comments, the
// order of keys, and lines of the whole text.
type Document struct {
	Text  string
	Node  *yamlnode.Node
	Value cty.Value
}

// Numbered is what was made of a document, and its number among those of the text that hold anything, from 1.
type Numbered[T any] struct {
	Number int
	Result T
}

// EachDocument calls read for each document of a text that holds anything, for several at once, and returns the results in
// order. What is wrong with one document does not keep the others from being read. A list of objects is one document.
func EachDocument[T any](text string, read func(Document) T) ([]Numbered[T], []error) {
	chunks, found, problems := readChunks(text, func(c chunk) ([]T, error) {
		documents, err := c.documents()
		var results []T
		for _, d := range documents {
			results = append(results, read(d))
		}
		return results, err
	})
	var all []Numbered[T]
	var errs []error
	number := 0
	for i, c := range chunks {
		for _, result := range found[i] {
			number++
			all = append(all, Numbered[T]{number, result})
		}
		if problems[i] != nil {
			number++
			errs = append(errs, c.problem(number, problems[i]))
		}
	}
	return all, errs
}

// documents are those in a chunk that hold anything, up to the first with an error.
func (c chunk) documents() ([]Document, error) {
	var found []Document
	documents := yamlnode.NewDecoder(strings.NewReader(c.text))
	for {
		var doc yamlnode.Node
		switch err := documents.Decode(&doc); {
		case errors.Is(err, io.EOF):
			return found, nil
		case err != nil:
			return found, c.moved(err)
		case isEmptyDocument(&doc):
			continue
		}
		first := doc.Content[0].Line
		moveLines(&doc, c.before)
		if err := checkYAML(&doc); err != nil {
			return found, err
		}
		value, err := documentValue(c.text, first, &doc)
		if err != nil {
			return found, err
		}
		if !value.IsNull() {
			found = append(found, Document{Text: from(c.text, first), Node: &doc, Value: value})
		}
	}
}
