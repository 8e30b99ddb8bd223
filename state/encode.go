package state

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	strictjson "sigs.k8s.io/json"
)

// checksumPrefix names the algorithm, so that another can follow.
const checksumPrefix = "sha256:"

// Encode is the state as it is stored: indented JSON, the same bytes for the
// same state. It refuses a state that Decode would refuse.
func (s *State) Encode() ([]byte, error) {
	data, _, err := s.encode()
	return data, err
}

func (s *State) encode() (data []byte, sum string, err error) {
	if err := s.check(); err != nil {
		return nil, "", fmt.Errorf("the state can't be written: %w; this is a bug in kplan", err)
	}
	text, err := s.canonical()
	if err != nil {
		return nil, "", fmt.Errorf("the state can't be written: %w; this is a bug in kplan", err)
	}
	sum = checksum(text)
	signed := fmt.Appendf(text[:len(text)-1:len(text)-1], `,"checksum":%q}`, sum)
	var out bytes.Buffer
	out.Grow(len(signed) * 3 / 2)
	if err := json.Indent(&out, signed, "", "  "); err != nil {
		return nil, "", fmt.Errorf("the state can't be written: %w; this is a bug in kplan", err)
	}
	out.WriteByte('\n')
	return out.Bytes(), sum, nil
}

// canonical is the form of a state that its checksum is of: no white space, fields in
// the order of the type, entries sorted.
func (s *State) canonical() ([]byte, error) {
	sorted := *s
	sorted.Objects = slices.Clone(s.Objects)
	sorted.Pending = slices.Clone(s.Pending)
	sorted.sort()
	if sorted.Objects == nil {
		sorted.Objects = []Object{} // [] rather than null
	}
	outputs, err := decodedOutputs(s.Outputs)
	if err != nil {
		return nil, err
	}
	sorted.Outputs = outputs
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(documentOf(&sorted)); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// decodedOutputs are outputs as they will be read again. A json.Number 1.0 would
// otherwise be written as such and read as 1, and the checksum would not match.
func decodedOutputs(outputs map[string]Output) (map[string]Output, error) {
	decoded := make(map[string]Output, len(outputs))
	for name, o := range outputs {
		text, err := json.Marshal(o)
		if err != nil {
			return nil, fmt.Errorf("output %s: %w", name, err)
		}
		var again Output
		if err := strictjson.UnmarshalCaseSensitivePreserveInts(text, &again); err != nil {
			return nil, fmt.Errorf("output %s: %w", name, err)
		}
		decoded[name] = again
	}
	return decoded, nil
}

// sort puts the entries into the order in which they are stored.
func (s *State) sort() {
	slices.SortFunc(s.Objects, compareObjects)
	slices.SortFunc(s.Pending, comparePending)
}

func checksum(canonical []byte) string {
	sum := sha256.Sum256(canonical)
	return checksumPrefix + hex.EncodeToString(sum[:])
}

// Equal reports whether two states are the same, written in whatever order.
func (s *State) Equal(other *State) bool {
	a, errA := s.canonical()
	b, errB := other.canonical()
	return errA == nil && errB == nil && bytes.Equal(a, b)
}
