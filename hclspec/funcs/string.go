package funcs

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"

	"kplan.dev/kplan/hclspec/source"
)

var stringFunctions = map[string]function.Function{
	"chomp":       stdlib.ChompFunc,
	"endswith":    textTest("Reports whether a string ends with another.", "suffix", strings.HasSuffix),
	"format":      bounded(stdlib.FormatFunc, formatSize),
	"formatlist":  bounded(stdlib.FormatListFunc, formatListSize),
	"indent":      bounded(stdlib.IndentFunc, indentSize),
	"join":        bounded(stdlib.JoinFunc, joinSize),
	"lower":       stdlib.LowerFunc,
	"regex":       stdlib.RegexFunc,
	"regexall":    stdlib.RegexAllFunc,
	"replace":     replaceFunc,
	"split":       stdlib.SplitFunc,
	"startswith":  textTest("Reports whether a string starts with another.", "prefix", strings.HasPrefix),
	"strcontains": textTest("Reports whether a string contains another.", "substr", strings.Contains),
	"strrev":      stdlib.ReverseFunc,
	"substr":      stdlib.SubstrFunc,
	"title":       stdlib.TitleFunc,
	"trim":        stdlib.TrimFunc,
	"trimprefix":  stdlib.TrimPrefixFunc,
	"trimspace":   stdlib.TrimSpaceFunc,
	"trimsuffix":  stdlib.TrimSuffixFunc,
	"upper":       stdlib.UpperFunc,
}

func textTest(description, second string, test func(s, part string) bool) function.Function {
	return function.New(&function.Spec{
		Description: description,
		Params:      []function.Parameter{{Name: "str", Type: cty.String}, {Name: second, Type: cty.String}},
		Type:        function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.BoolVal(test(args[0].AsString(), args[1].AsString())), nil
		},
	})
}

// bounded is f, refused when the size of its result, as estimated from
// arguments that are known, is too large. Some functions multiply the size of
// what they are given: a few calls would fill all memory.
func bounded(f function.Function, size func(args []cty.Value) int) function.Function {
	return function.New(&function.Spec{
		Description: f.Description(),
		Params:      f.Params(),
		VarParam:    f.VarParam(),
		Type:        f.ReturnTypeForValues,
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			for _, arg := range args {
				if !arg.IsWhollyKnown() {
					return f.Call(args)
				}
			}
			if size(args) > maxText {
				return cty.NilVal, errTooMuchText
			}
			return f.Call(args)
		},
	})
}

// weight is about how long a value is when it is written out.
func weight(v cty.Value) int {
	total := 0
	cty.Walk(v, func(_ cty.Path, part cty.Value) (bool, error) {
		total += 8
		if part.Type() == cty.String && !part.IsNull() && part.IsKnown() {
			total += len(part.AsString())
		}
		return total <= maxText, nil
	})
	return total
}

// wideVerb has a width, or a precision, that matters.
var wideVerb = regexp.MustCompile(`%[^a-zA-Z%]*?([0-9]{4,})`)

// formatSize assumes that every verb may pick every argument.
func formatSize(args []cty.Value) int {
	if args[0].IsNull() {
		return 0
	}
	format := args[0].AsString()
	verbs, all := strings.Count(format, "%"), 1000
	all += widths(format)
	for _, arg := range args[1:] {
		all += weight(arg)
	}
	if verbs <= len(args) {
		return len(format) + all
	}
	return len(format) + verbs*all
}

// formatListSize is that of as many texts as the longest list has elements.
func formatListSize(args []cty.Value) int {
	longest := 1
	for _, arg := range args[1:] {
		longest = max(longest, elementsOf(arg))
	}
	if args[0].IsNull() {
		return 0
	}
	return formatSize(args) + longest*widths(args[0].AsString())
}

// widths are the widths of the verbs of a format, together.
func widths(format string) (sum int) {
	for _, verb := range wideVerb.FindAllStringSubmatch(format, -1) {
		width, err := strconv.Atoi(verb[1])
		if err != nil || width > maxText {
			return maxText + 1
		}
		sum += width
	}
	return sum
}

func indentSize(args []cty.Value) int {
	spaces, _ := args[0].AsBigFloat().Float64()
	text := args[1].AsString()
	if spaces > maxText {
		return maxText + 1
	}
	return len(text) + strings.Count(text, "\n")*int(max(spaces, 0))
}

func joinSize(args []cty.Value) int {
	separator, total := len(args[0].AsString()), 0
	for _, list := range args[1:] {
		total += list.LengthInt() * separator
		for _, element := range list.AsValueSlice() {
			if !element.IsNull() {
				total += len(element.AsString())
			}
		}
	}
	return total
}

var replaceFunc = function.New(&function.Spec{
	Description: "Replaces every occurrence of a substring, or of a regular expression between slashes.",
	Params: []function.Parameter{
		{Name: "str", Type: cty.String},
		{Name: "substr", Type: cty.String},
		{Name: "replace", Type: cty.String},
	},
	Type: function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		text, search, with := args[0].AsString(), args[1].AsString(), args[2].AsString()
		if len(search) > 1 && strings.HasPrefix(search, "/") && strings.HasSuffix(search, "/") {
			return replaceMatches(text, search[1:len(search)-1], with)
		}
		if len(text)+strings.Count(text, search)*len(with) > maxText {
			return cty.NilVal, errTooMuchText
		}
		return cty.StringVal(strings.ReplaceAll(text, search, with)), nil
	},
})

func replaceMatches(text, pattern, with string) (cty.Value, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return cty.NilVal, function.NewArgError(1, err)
	}
	var out []byte
	end := 0
	for _, match := range re.FindAllStringSubmatchIndex(text, -1) {
		out = append(out, text[end:match[0]]...)
		if len(out)+len(with)+strings.Count(with, "$")*(match[1]-match[0]) > maxText {
			return cty.NilVal, errTooMuchText
		}
		out = re.ExpandString(out, with, text, match)
		end = match[1]
	}
	if len(out)+len(text)-end > maxText {
		return cty.NilVal, errTooMuchText
	}
	return cty.StringVal(string(append(out, text[end:]...))), nil
}

// asWritten is decoded text, if it can be a value as it is.
func asWritten(raw []byte) (string, error) {
	switch text := string(raw); {
	case !utf8.ValidString(text):
		return "", errNotText
	case !source.IsNormal(text):
		return "", errors.New("the result would be changed, since it is not in Unicode's normal form C, in which every value is")
	default:
		return text, nil
	}
}

var errNotText = errors.New("the result is not text in UTF-8")
