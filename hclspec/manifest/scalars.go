package manifest

import (
	"encoding/base64"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"k8s.io/apimachinery/pkg/api/resource"

	"kplan.dev/kplan/hclspec/budget"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/kinds"
)

// Describe describes the values that a field holds, to follow "must be".
func Describe(f *kinds.Field) string {
	switch f.Type {
	case kinds.Object:
		return "an object"
	case kinds.Map:
		return "a map"
	case kinds.List:
		switch {
		case f.Elem == nil:
			return "a list"
		case f.Elem.Type == kinds.Object:
			return "a list of objects"
		case f.Elem.Type == kinds.String:
			return "a list of strings"
		}
		return "a list"
	case kinds.String:
		return "a string"
	case kinds.Integer:
		return "a whole number"
	case kinds.Number:
		return "a number"
	case kinds.Boolean:
		return "true or false"
	case kinds.Quantity:
		return "a quantity such as \"500m\" or \"2Gi\""
	case kinds.IntOrString:
		return "a whole number or a string"
	case kinds.Time:
		return "a time such as \"2006-01-02T15:04:05Z\""
	case kinds.Duration:
		return "a length of time such as \"30s\""
	case kinds.Bytes:
		return "binary data in base64"
	}
	return "any value"
}

// DescribeValue describes a value without showing it.
func DescribeValue(v cty.Value) string {
	ty := v.Type()
	switch {
	case v.IsNull():
		return "null"
	case ty == cty.String:
		return "a string"
	case ty == cty.Number:
		return "a number"
	case ty == cty.Bool:
		return "a boolean"
	case ty.IsObjectType():
		return "an object"
	case ty.IsMapType():
		return "a map"
	case ty.IsTupleType(), ty.IsListType():
		return "a list"
	case ty.IsSetType():
		return "a set"
	}
	return "something else"
}

// unsuitable reports whether no value of the type fits the field, whatever it will
// turn out to be: a uid is no list.
func unsuitable(ty cty.Type, f *kinds.Field) bool {
	isMap, isList := ty.IsMapType() || ty.IsObjectType(), ty.IsListType() || ty.IsSetType() || ty.IsTupleType()
	switch {
	case ty == cty.DynamicPseudoType || f.Type == kinds.Any:
		return false
	case f.Type == kinds.Object || f.Type == kinds.Map:
		return !isMap
	case f.Type == kinds.List && (ty.IsListType() || ty.IsSetType()):
		return unsuitable(ty.ElementType(), elementOf(f))
	case f.Type == kinds.List || isMap || isList:
		return f.Type != kinds.List || !isList
	}
	switch f.Type {
	case kinds.Integer, kinds.Number, kinds.Quantity, kinds.IntOrString:
		return ty == cty.Bool
	case kinds.Boolean:
		return ty == cty.Number
	case kinds.Time, kinds.Duration, kinds.Bytes:
		return ty != cty.String
	}
	return false
}

// hint suggests how to write what was probably meant by a value that the field can't hold, with a
// space before it, or "".
func hint(v cty.Value, f *kinds.Field, kind *kinds.Kind) string {
	isMap := v.Type().IsObjectType() || v.Type().IsMapType()
	switch {
	case f.Type == kinds.Bytes && v.Type() == cty.String && kind.GroupKind() == kinds.Secret:
		return " Plain text goes into stringData, or through base64encode()."
	case f.Type == kinds.Bytes && v.Type() == cty.String:
		return " Plain text goes through base64encode()."
	case f.Type == kinds.List && isMap && holdsObjects(f.Elem):
		return " Put it in brackets, or write it as a block without the equals sign."
	case f.Type == kinds.List && v.Type().IsPrimitiveType() && (f.Elem.Type == kinds.Object || f.Elem.Type == kinds.Map):
		return fmt.Sprintf(" Its elements are objects: %s.", exampleOf(f))
	case f.Type == kinds.List && v.Type().IsPrimitiveType() && !unsuitable(v.Type(), elementOf(f)):
		return " Put it in brackets."
	}
	return ""
}

// exampleOf is how a list of objects is written.
func exampleOf(f *kinds.Field) string {
	name, inner := f.Name, ""
	if name == "" {
		name = "items"
	}
	if len(f.ListKeys) > 0 {
		inner = f.ListKeys[0] + " = "
	}
	return fmt.Sprintf("%s = [{ %s… }]", name, inner)
}

// scalar converts a known value that is neither null nor marked to the JSON
// form of the field. When it can't, why goes on after "must be a string".
func scalar(v cty.Value, f *kinds.Field) (json any, why string) {
	if !v.Type().IsPrimitiveType() {
		return nil, ", and this is " + DescribeValue(v)
	}
	switch f.Type {
	case kinds.Any:
		if v.Type() == cty.Number {
			return number(v)
		}
		return primitive(v), ""
	case kinds.String:
		return source.Text(v), ""
	case kinds.Integer:
		return integer(v, f.Int32)
	case kinds.Number:
		return number(v)
	case kinds.Boolean:
		b, err := convert.Convert(v, cty.Bool)
		if err != nil {
			return nil, ", and this is " + DescribeValue(v)
		}
		return b.True(), ""
	case kinds.Quantity:
		return quantity(v)
	case kinds.IntOrString:
		return intOrString(v)
	case kinds.Time:
		return checkedText(v, isTime)
	case kinds.Duration:
		return checkedText(v, isDuration)
	case kinds.Bytes:
		return checkedText(v, isBase64)
	}
	return nil, ", and this is " + DescribeValue(v)
}

// primitive is a string or a boolean as JSON carries it.
func primitive(v cty.Value) any {
	if v.Type() == cty.String {
		return v.AsString()
	}
	return v.True()
}

// JSONNumber is an int64 where the number is whole and fits, else a float64. It is false for a
// number that is too large or too close to zero, and for a whole one that would lose digits.
// Fractions are rounded, as usual when reading JSON.
func JSONNumber(f *big.Float) (any, bool) {
	if i, accuracy := f.Int64(); accuracy == big.Exact {
		return i, true
	}
	x, _ := f.Float64()
	if math.IsInf(x, 0) || !f.IsInt() {
		return x, !math.IsInf(x, 0) && x != 0
	}
	again, err := cty.ParseNumberVal(strconv.FormatFloat(x, 'g', -1, 64))
	return x, err == nil && again.AsBigFloat().Cmp(f) == 0
}

func asNumber(v cty.Value) (n *big.Float, why string) {
	if v.Type() == cty.Bool {
		return nil, ", and this is a boolean"
	}
	if budget.IsHugeNumber(v) {
		return nil, ", and this number has too many digits"
	}
	number, err := convert.Convert(v, cty.Number)
	if err != nil {
		return nil, ", and this string is none"
	}
	return number.AsBigFloat(), ""
}

func integer(v cty.Value, is32 bool) (any, string) {
	n, why := asNumber(v)
	if why != "" {
		return nil, why
	}
	if !n.IsInt() {
		return nil, ", and this one has a fraction"
	}
	i, accuracy := n.Int64()
	if accuracy != big.Exact {
		return nil, " of at most 64 bits"
	}
	if is32 && i != int64(int32(i)) {
		return nil, " of at most 32 bits, which is 2147483647"
	}
	return i, ""
}

func number(v cty.Value) (any, string) {
	n, why := asNumber(v)
	if why != "" {
		return nil, why
	}
	json, ok := JSONNumber(n)
	if !ok {
		return nil, " that JSON can keep: a whole number has at most 64 bits"
	}
	return json, ""
}

func quantity(v cty.Value) (any, string) {
	if v.Type() == cty.Bool {
		return nil, ", and this is a boolean"
	}
	s := source.Text(v)
	if _, err := resource.ParseQuantity(s); err != nil {
		return nil, ", and this " + strings.TrimPrefix(DescribeValue(v), "a ") + " is none"
	}
	return s, ""
}

func intOrString(v cty.Value) (any, string) {
	if v.Type() == cty.String {
		return v.AsString(), ""
	}
	return integer(v, true)
}

func checkedText(v cty.Value, valid func(string) bool) (any, string) {
	if v.Type() != cty.String {
		return nil, ", and this is " + DescribeValue(v)
	}
	s := v.AsString()
	if !valid(s) {
		return nil, ", and this string is not"
	}
	return s, ""
}

func isTime(s string) bool {
	_, err := time.Parse(time.RFC3339Nano, s)
	return err == nil
}

func isDuration(s string) bool {
	_, err := time.ParseDuration(s)
	return err == nil
}

func isBase64(s string) bool {
	_, err := base64.StdEncoding.DecodeString(s)
	return err == nil
}
