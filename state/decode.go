package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	strictjson "sigs.k8s.io/json"
)

// DecodeError is why bytes are not a state that this kplan can use, and what to do
// about it.
type DecodeError struct {
	Path    string // where they were read, "" if unknown
	Problem string
	Advice  string
}

func (e *DecodeError) Error() string {
	what := "the state"
	if e.Path != "" {
		what += " " + e.Path
	}
	return what + " " + e.Problem + "; " + e.Advice
}

// At is the error with where the state was read, and what to do about a damaged one there: put another version in its place.
func (e *DecodeError) At(path, restore string) *DecodeError {
	located := *e
	located.Path = path
	if e.Advice == adviseRestore {
		located.Advice = restore
	}
	return &located
}

const (
	adviseRestore = "put its backup or an earlier version in its place"
	adviseRebuild = "put an earlier version in its place, or recreate it from the cluster: kplan state rebuild"
	adviseUpgrade = "upgrade kplan"
)

// Decode reads what Encode writes. It is strict, because a state that is misread makes
// a plan that deletes: whatever is unknown, duplicate, missing or damaged is a
// *DecodeError. Only white space may differ.
func Decode(data []byte) (*State, error) { return Codec{}.Decode(data) }

func decode(data []byte) (s *State, sum string, err error) {
	if err := checkText(data); err != nil {
		return nil, "", err
	}
	if err := checkFormat(data); err != nil {
		return nil, "", err
	}
	bad := func(format string, args ...any) (*State, string, error) {
		return nil, "", &DecodeError{Problem: fmt.Sprintf(format, args...), Advice: adviseRestore}
	}
	var file struct {
		document
		Checksum string `json:"checksum"`
	}
	strict, err := strictjson.UnmarshalStrict(data, &file)
	if err := errors.Join(append(strict, err)...); err != nil {
		return bad("does not have the format that kplan writes: %s", oneLine(err))
	}
	s, err = file.state()
	if err == nil {
		err = s.check()
	}
	if err != nil {
		return bad("is damaged: %v", err)
	}
	text, err := s.canonical()
	if err != nil {
		return bad("is damaged: %v", err)
	}
	switch sum := checksum(text); file.Checksum {
	case sum:
	case "":
		return bad("is damaged: its checksum is missing")
	default:
		return bad("was damaged or edited after kplan wrote it: its checksum does not match")
	}
	s.sort()
	s.Format = Format // as which it is written from now on
	return s, file.Checksum, nil
}

// checkText refuses what is not JSON, and names the usual accidents.
func checkText(data []byte) error {
	problem, advice := "", adviseRestore
	switch {
	case len(data) == 0:
		problem = "is empty"
	case len(bytes.Trim(data, "\x00")) == 0:
		problem = "contains only zero bytes, as files do after a power failure"
	case bytes.HasPrefix(data, []byte{0xEF, 0xBB, 0xBF}):
		problem = "begins with a byte order mark, which an editor has added"
	case bytes.HasPrefix(data, []byte{0x1F, 0x8B}):
		problem, advice = "is compressed", "decompress it with gunzip"
	case bytes.Contains(data, []byte("\n<<<<<<< ")), bytes.HasPrefix(data, []byte("<<<<<<< ")):
		problem = "contains the conflict markers of a git merge; two runs have changed it independently"
		advice = "take the side with the higher serial"
	case !utf8.Valid(data):
		problem = "is damaged: it contains bytes that are not UTF-8 text"
	}
	if problem == "" {
		return nil
	}
	return &DecodeError{Problem: problem, Advice: advice}
}

// checkFormat reads just enough to recognize another program's or another version's
// file, whose other fields may mean anything.
func checkFormat(data []byte) error {
	var head struct {
		Format    json.Number `json:"format"`
		Terraform string      `json:"terraform_version"`
	}
	err := json.Unmarshal(data, &head)
	var syntax *json.SyntaxError
	problem, advice := "", adviseRestore
	var format int64
	if err == nil && head.Format != "" {
		format, err = head.Format.Int64()
	}
	switch {
	case errors.As(err, &syntax) && strings.HasSuffix(syntax.Error(), "unexpected end of JSON input"):
		problem = "is cut off: it ends in the middle"
	case errors.As(err, &syntax) && strings.HasSuffix(syntax.Error(), "after top-level value"):
		line, column := lineAndColumn(data, syntax.Offset)
		problem = fmt.Sprintf("is damaged: line %d, column %d: there is text after its end", line, column)
	case errors.As(err, &syntax):
		line, column := lineAndColumn(data, syntax.Offset)
		problem = fmt.Sprintf("is damaged: line %d, column %d: %v", line, column, syntax)
	case err != nil:
		problem = "is not a kplan state: " + oneLine(err)
	case head.Terraform != "":
		problem, advice = "was written by Terraform", "kplan can't read it; import the objects instead"
	case head.Format == "":
		problem, advice = "is not a kplan state: the field format is missing", "check the path, or "+adviseRestore
	case format > Format:
		problem, advice = fmt.Sprintf("was written by a newer kplan (format %d; this kplan knows %d)", format, Format), adviseUpgrade
	case format < 1:
		problem = fmt.Sprintf("has the unknown format %d", format)
	}
	if problem == "" {
		return nil
	}
	return &DecodeError{Problem: problem, Advice: advice}
}

func lineAndColumn(data []byte, offset int64) (line, column int) {
	before := data[:min(int64(len(data)), max(0, offset-1))]
	return bytes.Count(before, []byte("\n")) + 1, len(before) - bytes.LastIndexByte(before, '\n')
}

func oneLine(err error) string {
	return string(bytes.ReplaceAll([]byte(err.Error()), []byte("\n"), []byte("; ")))
}
