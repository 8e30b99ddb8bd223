package funcs

import (
	"hash/maphash"
	"regexp"
	"regexp/syntax"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"kplan.dev/kplan/hclspec/budget"
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
	"keys": 1, "matchkeys": 3, "merge": 1, "reverse": 1, "setintersection": 3, "setsubtract": 3, "setunion": 3, "slice": 1, "sort": 2,
	"tolist": 1, "tomap": 1, "toset": 3,
	"transpose": 2, "values": 1, "zipmap": 1, "jsonencode": 1, "yamlencode": 8, "cidrsubnets": 4, "coalescelist": 1, "csvdecode": 1,
}

// perByte are the functions that take long for each byte of text, by how much longer than copying it.
var perByte = map[string]int64{
	"csvdecode": 4, "jsondecode": 8, "yamldecode": 12, "indent": 2, "length": 16, "strrev": 16, "substr": 16, "title": 4, "upper": 2,
	"lower": 2, "base64gzip": 16, "format": 2, "formatlist": 2, "urlencode": 4, "textencodebase64": 4, "textdecodebase64": 4,
	"templatestring": 4, "split": 1, "sha512": 2, "base64sha512": 2,
}

// makesByText are the functions that make an element for some pieces of a text.
var makesByText = map[string]func(args []cty.Value) int{
	"split":      func(args []cty.Value) int { return pieces(textOf(args[1]), textOf(args[0])) },
	"csvdecode":  func(args []cty.Value) int { return anyOf(textOf(args[0]), ",\n") },
	"jsondecode": func(args []cty.Value) int { return anyOf(textOf(args[0]), ",[{") },
	"yamldecode": func(args []cty.Value) int { return anyOf(textOf(args[0]), ",[{\n*") },
}

// pay takes from the budget what a call will cost.
func pay(b *budget.Budget, name string, args []cty.Value) {
	if b == nil {
		return
	}
	for _, arg := range args {
		if !seesLittle[name] {
			b.Value(arg, 1)
		}
		b.Spend(makesElements[name] * int64(elementsOf(arg)) * budget.Made)
		if strings.HasSuffix(name, "decode") {
			b.Decode(len(textOf(arg)), perByte[name])
		} else {
			b.Spend(int64(len(textOf(arg))) * perByte[name])
		}
	}
	if count, ok := makesByText[name]; ok {
		b.Spend(int64(count(args)) * budget.Made)
	}
	switch name {
	case "toset", "setunion", "setintersection", "setsubtract", "setproduct":
		for _, arg := range args {
			b.Spend(collisions(arg) * budget.Seen)
		}
		if name == "setproduct" {
			b.Spend(int64(productSize(args)) / 16 * budget.Made)
		}
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
	case strings.HasSuffix(name, "decode"): // paid by its text
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

// textOf is a string, "" for any other value.
func textOf(v cty.Value) string {
	v, _ = v.Unmark()
	if v.Type() != cty.String || v.IsNull() || !v.IsKnown() {
		return ""
	}
	return v.AsString()
}

// elementsOf is how many elements a value has, 0 for one that has none.
func elementsOf(v cty.Value) int {
	v, _ = v.Unmark()
	if v.IsNull() || !v.IsKnown() || !v.CanIterateElements() {
		return 0
	}
	return v.LengthInt()
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

// collisions is how often cty will compare the elements of a set with one another: as often as they have the
// same hash, which whoever writes them can arrange.
func collisions(elements cty.Value) int64 {
	elements, _ = elements.Unmark()
	if elementsOf(elements) < manyElements {
		return 0
	}
	seed := maphash.MakeSeed()
	met := map[int]map[uint64]struct{}{}
	var total int64
	for it := elements.ElementIterator(); it.Next(); {
		_, v := it.Element()
		if v.ContainsMarked() || !isText(v) {
			continue
		}
		at := v.Hash()
		if met[at] == nil {
			met[at] = map[uint64]struct{}{}
		}
		met[at][maphash.String(seed, v.AsString())] = struct{}{}
		total += int64(len(met[at]) - 1)
	}
	return total
}

// manyElements is how many it takes for their hashes to matter.
const manyElements = 1000
