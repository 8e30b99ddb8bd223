// Package schematest holds documents against the JSON Schemas in docs, for the
// tests of those who write them.
package schematest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Schema is one of the schemas in docs.
type Schema struct{ compiled *jsonschema.Schema }

// MustLoad reads a schema by its file name.
func MustLoad(name string) *Schema {
	_, here, _, _ := runtime.Caller(0)
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	compiled, err := compiler.Compile(filepath.Join(filepath.Dir(here), "..", "..", "docs", name))
	if err != nil {
		panic(err)
	}
	return &Schema{compiled}
}

// Check says what is wrong with a document.
func (s *Schema) Check(document []byte) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		return err
	}
	return s.compiled.Validate(value)
}

// CheckStream says what is wrong with a stream of events: with a line, with the
// first one, or with the last. A stream has an end only where it reports how many
// changes there were, or why there is no such count.
func (s *Schema) CheckStream(stream []byte) error {
	var types []string
	for line := range strings.Lines(string(stream)) {
		if err := s.Check([]byte(line)); err != nil {
			return fmt.Errorf("%w\n%s", err, line)
		}
		var event struct{ Type string }
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			return err
		}
		types = append(types, event.Type)
	}
	if len(types) == 0 || types[0] != "version" {
		return errors.New("the first event is not the version")
	}
	switch last := types[len(types)-1]; last {
	case "change_summary", "diagnostic":
	case "outputs": // come right after the summary
		if types[len(types)-2] != "change_summary" {
			return errors.New("outputs without a summary before them")
		}
	default:
		return fmt.Errorf("the last event is %s, neither a summary nor a diagnostic:\n%s", last, stream)
	}
	return nil
}
