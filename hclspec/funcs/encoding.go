package funcs

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"io"
	"net/url"

	ctyyaml "github.com/zclconf/go-cty-yaml"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/ianaindex"
)

var encodingFunctions = map[string]function.Function{
	"base64decode": textFunc("Decodes base64 into text.", decodeBase64),
	"base64encode": textFunc("Encodes text as base64.", func(s string) (string, error) {
		return base64.StdEncoding.EncodeToString([]byte(s)), nil
	}),
	"base64gunzip":     textFunc("Decodes base64 and then gzip into text.", gunzipBase64),
	"base64gzip":       textFunc("Compresses text with gzip and encodes it as base64.", gzipBase64),
	"csvdecode":        stdlib.CSVDecodeFunc,
	"jsondecode":       valueFunc("Decodes JSON.", uniqueJSON),
	"jsonencode":       stdlib.JSONEncodeFunc,
	"textdecodebase64": charsetFunc("Decodes base64 and then a character encoding into text.", decodeCharset),
	"textencodebase64": charsetFunc("Encodes text in a character encoding and then as base64.", encodeCharset),
	"urldecode":        textFunc("Decodes text that is escaped for the query of a URL.", decodeURL),
	"urlencode":        textFunc("Escapes text for the query of a URL.", func(s string) (string, error) { return url.QueryEscape(s), nil }),
	"yamldecode":       valueFunc("Decodes YAML, as kubectl does.", yamlValue),
	"yamldecodeall":    valueFunc("Decodes all documents of a YAML text, as kubectl does; lists of objects give their items.", yamlValues),
	"yamlencode":       ctyyaml.YAMLEncodeFunc,
}

// textFunc is a function from text to text.
func textFunc(description string, f func(string) (string, error)) function.Function {
	return function.New(&function.Spec{
		Description: description,
		Params:      []function.Parameter{{Name: "str", Type: cty.String}},
		Type:        function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			text, err := f(args[0].AsString())
			return cty.StringVal(text), err
		},
	})
}

func decodeBase64(s string) (string, error) {
	raw, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return "", fmt.Errorf("this is not base64: %w", err)
	}
	return asWritten(raw)
}

// gzipBase64 writes no time and no name into the header, so that the same text always gives the
// same bytes.
func gzipBase64(s string) (string, error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(s)); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(b.Bytes()), nil
}

// gunzipBase64 reads no more than a function may make: a few bytes can hold gigabytes.
func gunzipBase64(s string) (string, error) {
	raw, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return "", fmt.Errorf("this is not base64: %w", err)
	}
	zipped, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return "", fmt.Errorf("this is not gzip: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(zipped, maxText+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("this is not gzip: %w", err)
	case len(text) > maxText:
		return "", errTooMuchText
	}
	return asWritten(text)
}

func decodeURL(s string) (string, error) {
	text, err := url.QueryUnescape(s)
	if err != nil {
		return "", err
	}
	return asWritten([]byte(text))
}

func charsetFunc(description string, f func(encoding.Encoding, string) (string, error)) function.Function {
	return function.New(&function.Spec{
		Description: description,
		Params:      []function.Parameter{{Name: "string", Type: cty.String}, {Name: "encoding", Type: cty.String}},
		Type:        function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			charset, err := ianaindex.IANA.Encoding(args[1].AsString())
			if err != nil || charset == nil {
				return cty.NilVal, function.NewArgErrorf(1, "%q is not the IANA name of a character encoding that kplan knows", args[1].AsString())
			}
			text, err := f(charset, args[0].AsString())
			return cty.StringVal(text), err
		},
	})
}

func decodeCharset(charset encoding.Encoding, s string) (string, error) {
	raw, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return "", fmt.Errorf("this is not base64: %w", err)
	}
	text, err := charset.NewDecoder().Bytes(raw)
	if err != nil {
		return "", errNotText
	}
	return asWritten(text)
}

func encodeCharset(charset encoding.Encoding, s string) (string, error) {
	raw, err := charset.NewEncoder().String(s)
	if err != nil {
		return "", fmt.Errorf("the text holds a character that this encoding has not: %w", err)
	}
	return base64.StdEncoding.EncodeToString([]byte(raw)), nil
}

// valueFunc is a function from text to whatever the text holds. Its type is left
// open: cty would ask for it first, and have all decoded twice.
func valueFunc(description string, decode func(string) (cty.Value, error)) function.Function {
	return function.New(&function.Spec{
		Description: description,
		Params:      []function.Parameter{{Name: "src", Type: cty.String}},
		Type:        function.StaticReturnType(cty.DynamicPseudoType),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			value, err := decode(args[0].AsString())
			if err != nil {
				return cty.DynamicVal, function.NewArgError(0, err)
			}
			return value, nil
		},
	})
}
