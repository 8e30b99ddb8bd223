package manifest

import (
	"math/big"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"kplan.dev/kplan/kinds"
)

func number64(t *testing.T, text string) cty.Value {
	t.Helper()
	v, err := cty.ParseNumberVal(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestScalar has a value and what it becomes in a field, or what goes on after "must be
// a whole number".
func TestScalar(t *testing.T) {
	text, yes := cty.StringVal, cty.True
	list := cty.TupleVal([]cty.Value{yes})
	for _, test := range []struct {
		field kinds.Type
		value cty.Value
		want  any
		why   string
	}{
		{kinds.String, text("a"), "a", ""},
		{kinds.String, cty.NumberIntVal(1), "1", ""},
		{kinds.String, yes, "true", ""},
		{kinds.String, list, nil, ", and this is a list"},
		{kinds.Integer, cty.NumberIntVal(3), int64(3), ""},
		{kinds.Integer, text("3"), int64(3), ""},
		{kinds.Integer, text("three"), nil, ", and this string is none"},
		{kinds.Integer, yes, nil, ", and this is a boolean"},
		{kinds.Integer, cty.NumberFloatVal(1.5), nil, ", and this one has a fraction"},
		{kinds.Integer, number64(t, "9223372036854775808"), nil, " of at most 64 bits"},
		{kinds.Number, cty.NumberFloatVal(1.5), 1.5, ""},
		{kinds.Number, cty.NumberIntVal(2), int64(2), ""},
		{kinds.Boolean, text("true"), true, ""},
		{kinds.Boolean, text("yes"), nil, ", and this is a string"},
		{kinds.Quantity, text("500m"), "500m", ""},
		{kinds.Quantity, cty.NumberIntVal(2), "2", ""},
		{kinds.Quantity, text("2 Gi"), nil, ", and this string is none"},
		{kinds.Quantity, yes, nil, ", and this is a boolean"},
		{kinds.IntOrString, text("80"), "80", ""},
		{kinds.IntOrString, cty.NumberIntVal(80), int64(80), ""},
		{kinds.Time, text("2006-01-02T15:04:05Z"), "2006-01-02T15:04:05Z", ""},
		{kinds.Time, text("yesterday"), nil, ", and this string is not"},
		{kinds.Duration, text("30s"), "30s", ""},
		{kinds.Duration, cty.NumberIntVal(30), nil, ", and this is a number"},
		{kinds.Bytes, text("Yg=="), "Yg==", ""},
		{kinds.Bytes, text("b"), nil, ", and this string is not"},
		{kinds.Any, text("a"), "a", ""},
		{kinds.Any, yes, true, ""},
		{kinds.Any, cty.NumberIntVal(1), int64(1), ""},
		{kinds.Object, text("a"), nil, ", and this is a string"},
	} {
		f := &kinds.Field{Type: test.field}
		got, why := scalar(test.value, f)
		if got != test.want || why != test.why {
			t.Errorf("%#v in %s: %#v %q, want %#v %q", test.value, Describe(f), got, why, test.want, test.why)
		}
	}
}

// TestJSONNumber: JSON keeps whole numbers of 64 bits, and rounds fractions.
func TestJSONNumber(t *testing.T) {
	for text, want := range map[string]any{
		"0": int64(0), "-7": int64(-7), "9223372036854775807": int64(9223372036854775807), "0.1": 0.1,
		"100000000000000000000": 1e20, // as JSON prints it
		"18446744073709551616":  nil, "1e400": nil, "1e-400": nil,
	} {
		f, _, err := big.ParseFloat(text, 10, 512, big.ToNearestEven)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := JSONNumber(f)
		if ok != (want != nil) || ok && got != want {
			t.Errorf("%s: %#v %v, want %#v", text, got, ok, want)
		}
	}
}

// TestHint has what was probably meant by a value that a field can't hold.
func TestHint(t *testing.T) {
	secret, pod := &kinds.Kind{Version: "v1", Name: "Secret"}, &kinds.Kind{Version: "v1", Name: "Pod"}
	bytes := &kinds.Field{Type: kinds.Bytes}
	list := &kinds.Field{Type: kinds.List, Elem: &kinds.Field{Type: kinds.String}}
	mounts := &kinds.Field{Name: "mounts", Type: kinds.List, Elem: &kinds.Field{Type: kinds.Object}}
	ports := &kinds.Field{Name: "ports", Type: kinds.List, ListKeys: []string{"containerPort"}, Elem: mounts.Elem}
	for _, test := range []struct {
		value cty.Value
		field *kinds.Field
		kind  *kinds.Kind
		want  string
	}{
		{cty.StringVal("x"), bytes, secret, "stringData"},
		{cty.StringVal("x"), bytes, pod, "base64encode()"},
		{cty.StringVal("x"), list, pod, "in brackets"},
		{cty.EmptyObjectVal, list, pod, ""},
		{cty.NumberIntVal(80), ports, pod, "objects: ports = [{ containerPort = … }]"},
		{cty.StringVal("x"), mounts, pod, "objects: mounts = [{ … }]"},
		{cty.True, &kinds.Field{Type: kinds.List, Elem: &kinds.Field{Type: kinds.Integer}}, pod, ""},
		{cty.True, &kinds.Field{Type: kinds.String}, pod, ""},
	} {
		got := hint(test.value, test.field, test.kind)
		if (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
			t.Errorf("%#v in %s: %q, want %q", test.value, Describe(test.field), got, test.want)
		}
	}
}
