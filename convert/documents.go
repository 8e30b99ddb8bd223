package convert

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"sigs.k8s.io/yaml"
)

// WriteYAML writes objects in JSON form as the documents of a YAML text.
func WriteYAML(w io.Writer, objects []map[string]any) error {
	for _, o := range objects {
		document, err := marshal(o)
		if err != nil {
			return err
		}
		if _, err := w.Write(append([]byte("---\n"), document...)); err != nil {
			return err
		}
	}
	return nil
}

// marshal is an object as a document. The library for YAML refuses or changes texts with control characters, so
// that an object with any is written as JSON, which is YAML, too.
func marshal(o map[string]any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(o); err != nil {
		return nil, err
	}
	if !bytes.ContainsFunc(text.Bytes(), isControl) {
		return yaml.Marshal(o)
	}
	var escaped bytes.Buffer
	for _, r := range text.String() {
		if isControl(r) {
			fmt.Fprintf(&escaped, `\u%04x`, r)
		} else {
			escaped.WriteRune(r)
		}
	}
	return escaped.Bytes(), nil
}

func isControl(r rune) bool { return r >= 0x7f && r < 0xa0 }
