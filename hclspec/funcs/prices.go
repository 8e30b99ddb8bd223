package funcs

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"

	"kplan.dev/kplan/hclspec/budget"
	"kplan.dev/kplan/hclspec/source"
)

// Each call is paid for before the function runs, by what it will take for these arguments, and its result
// after that. Without a price of its own a function costs what it goes through: its arguments.

// seesLittle are the functions that look at their arguments without going through them.
var seesLittle = map[string]bool{
	"can": true, "coalesce": true, "element": true, "issensitive": true, "keys": true, "length": true, "lookup": true,
	"nonsensitive": true, "one": true, "sensitive": true, "try": true,
}

// makesElements are the functions that make as many elements as they are given, by what each of them costs.
var makesElements = map[string]int64{
	"chunklist": 1, "compact": 1, "concat": 1, "convert": 1, "distinct": 3, "flatten": 1, "formatlist": 4, "join": 1,
	"keys": 1, "matchkeys": 3, "merge": 1, "reverse": 1, "slice": 1, "sort": 2,
	"tolist": 1, "tomap": 1,
	"transpose": 2, "values": 1, "zipmap": 1, "jsonencode": 1, "yamlencode": 8, "cidrsubnets": 4, "coalescelist": 1, "csvdecode": 1,
}

// perByte are the functions that take long for each byte of text, by how much longer than copying it.
var perByte = map[string]int64{
	"csvdecode": 4, "jsondecode": 8, "yamldecode": 12, "yamldecodeall": 12,
	"indent": 2, "length": 16, "strrev": 16, "substr": 16, "title": 4, "upper": 2,
	"lower": 2, "base64gzip": 16, "format": 2, "formatlist": 2, "urlencode": 4, "textencodebase64": 4, "textdecodebase64": 4,
	"templatestring": 4, "split": 1, "sha512": 2, "base64sha512": 2,
}

// makesByText are the functions that make an element for some pieces of a text.
var makesByText = map[string]func(args []cty.Value) int{
	"split":         func(args []cty.Value) int { return pieces(textOf(args[1]), textOf(args[0])) },
	"csvdecode":     func(args []cty.Value) int { return anyOf(textOf(args[0]), ",\n") },
	"jsondecode":    func(args []cty.Value) int { return anyOf(textOf(args[0]), ",[{") },
	"yamldecode":    func(args []cty.Value) int { return anyOf(textOf(args[0]), ",[{\n*") },
	"yamldecodeall": func(args []cty.Value) int { return anyOf(textOf(args[0]), ",[{\n*") },
}

// pay takes from the budget what a call will cost.
func pay(b *budget.Budget, f function.Function, name string, args []cty.Value) {
	if b == nil {
		return
	}
	for _, arg := range args {
		if !seesLittle[name] {
			b.Value(arg, 1)
		}
		b.Spend(makesElements[name] * int64(elementsOf(arg)) * budget.Made)
		if strings.HasSuffix(name, "decode") || name == "yamldecodeall" {
			b.Decode(len(textOf(arg)), perByte[name])
		} else {
			b.Spend(int64(len(textOf(arg))) * perByte[name])
		}
	}
	if count, ok := makesByText[name]; ok {
		b.Spend(int64(count(args)) * budget.Made)
	}
	if name == "setproduct" {
		b.Spend(int64(productSize(args)) / 16 * budget.Made)
	}
	paySets(b, name, args)
	payConversion(b, f, name, args)
	switch name {
	case "regex", "regexall":
		b.Spend(matching(textOf(args[0]), textOf(args[1])))
		if re, err := regexp.Compile(textOf(args[0])); err == nil && name == "regexall" {
			affordable := int(b.Left()/budget.Made) + 1
			b.Spend(int64(len(re.FindAllStringIndex(textOf(args[1]), affordable))) * budget.Made)
		}
	case "replace":
		if search := textOf(args[1]); len(search) > 1 && strings.HasPrefix(search, "/") && strings.HasSuffix(search, "/") {
			b.Spend(matching(search[1:len(search)-1], textOf(args[0])) + int64(len(textOf(args[0])))*perReplacement)
		}
	case "fileset":
		b.Spend(filesetPrice)
	case "templatefile", "templatestring":
		b.Spend(templatePrice)
	}
}

// payConversion takes from the budget for conversions: of what is given for a collection of any, and those that convert
// makes.
func payConversion(b *budget.Budget, f function.Function, name string, args []cty.Value) {
	for i, arg := range args {
		if to := parameterType(f, name, i, arg); isConvertedHere(to) && to != cty.Number && !makesSets[name] {
			budget.PayConversion(b, arg, to)
		}
	}
	if name == "convert" && args[1].Type() == source.ConstraintType && args[1].IsKnown() {
		budget.PayConversion(b, args[0], args[1].EncapsulatedValue().(*source.Constraint).Type)
	}
}

// makesSets are the functions that make a set of their arguments, whatever these are.
var makesSets = map[string]bool{"toset": true, "setunion": true, "setintersection": true, "setsubtract": true, "setproduct": true}

// paySets takes from the budget for the sets that a call makes: any function may, where it brings a list into the type
// of a set that is another argument.
func paySets(b *budget.Budget, name string, args []cty.Value) {
	if !makesSets[name] && !slices.ContainsFunc(args, isSet) {
		return
	}
	for _, arg := range args {
		if makesSets[name] || !isSet(arg) {
			budget.PaySet(b, arg)
		}
	}
	if name == "setproduct" {
		budget.PaySet(b, productOf(args))
	}
}

// productOf is a product as a list, to see what the set of its elements costs.
func productOf(sets []cty.Value) cty.Value {
	lists := make([]cty.Value, len(sets))
	for i, set := range sets {
		set, _ = set.UnmarkDeep()
		if elementsOf(set) == 0 || !isSet(set) {
			return cty.EmptyTupleVal
		}
		lists[i] = cty.ListVal(set.AsValueSlice())
	}
	product, err := stdlib.SetProductFunc.Call(lists)
	if err != nil {
		return cty.EmptyTupleVal
	}
	return product
}

func isSet(v cty.Value) bool { return v.Type().IsSetType() }

const (
	filesetPrice  = 64 << 10 // of a walk through a directory
	templatePrice = 2 << 10  // of parsing a template
	// perReplacement is the price of a byte that is replaced by a match.
	perReplacement = 16
	// handedOn is how often a result is gone through on its way from a function.
	handedOn = 4
)

// payResult takes from the budget what a result costs those who use it.
func payResult(b *budget.Budget, name string, result cty.Value) {
	switch {
	case b == nil:
	case result.Type() == cty.String:
		b.Text(result)
	case name == "range":
		b.Spend(int64(elementsOf(result)) * budget.Made)
	case strings.HasSuffix(name, "decode") || name == "yamldecodeall": // paid by its text
		b.Value(result, 1)
	case !result.Type().IsPrimitiveType():
		b.Value(result, handedOn)
	}
}

// maxText bounds the strings that functions make.
const maxText = 4 << 20

// matching is the price of a regular expression on a text: for each character it may try all of its
// instructions.
func matching(pattern, text string) int64 {
	const perCharacter = 64
	price := int64(len(pattern)) * perCharacter
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return price
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return price
	}
	instructions := int64(len(program.Inst))
	return price + instructions*perCharacter + int64(len(text))*max(2, instructions/4)
}

func pieces(text, separator string) int {
	if separator == "" {
		return len(text)
	}
	return strings.Count(text, separator) + 1
}

func anyOf(text, chars string) int {
	n := 1
	for i := range len(text) {
		if strings.IndexByte(chars, text[i]) >= 0 {
			n++
		}
	}
	return n
}

// productSize counts an element of a product as sixteen bytes of text.
func productSize(args []cty.Value) int {
	size := 16 * len(args)
	for _, arg := range args {
		if arg.IsNull() || !arg.CanIterateElements() {
			return 0
		}
		if size *= arg.LengthInt(); size > maxText {
			return size
		}
	}
	return size
}
