package hclspec_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"math/bits"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/hclspec/budget"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/spectest"
	"kplan.dev/kplan/kinds"
)

// What the worst configuration may take.
const (
	maxBombTime = 5 * time.Second
	maxBombHeap = 500 << 20
	// slowdown is how much longer it may take where the race detector or other work slows the
	// processor down: only make torture measures.
	slowdown = 8
)

const (
	tooMuch  = budget.Summary
	anything = "" // harmless, or refused otherwise
)

// bomb is a small configuration that asks for much.
type bomb struct {
	name string
	main string // main.kplan.hcl
	want string // the summary of the only error
	file func() string
	vars string // x.auto.kpvars.hcl
	json string // main.kplan.json
}

func repeat(text string, size int) func() string {
	return func() string { return strings.Repeat(text, size/len(text)) }
}

const mib = 1 << 20

// chain are local values, each made of the one before.
func chain(first, each string, n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "locals {\n  a0 = %s\n", first)
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, "  a%d = %s\n", i, strings.ReplaceAll(each, "PREV", fmt.Sprintf("local.a%d", i-1)))
	}
	return b.String() + "}\n"
}

func local(expr string) string { return "locals {\n  big = range(1024)\n  a = " + expr + "\n}\n" }

func manyLines(n int, line func(int) string) func() string {
	return func() string {
		var b strings.Builder
		for i := range n {
			b.WriteString(line(i))
			b.WriteByte('\n')
		}
		return b.String()
	}
}

func quotedLines(n int, line func(int) string) string {
	return strings.ReplaceAll(manyLines(n, func(i int) string { return strconv.Quote(line(i)) + "," })(), "\n", " ")
}

// oneHash are texts that have the same hash in cty's sets, the CRC-32 of the text in quotes. To change a letter from a
// to b changes the CRC in a way that depends on its place only; what changes it by 0 altogether is found by elimination.
func oneHash(n int) func(int) string {
	const places = 32 + 16
	crc := func(text []byte) uint32 { return crc32.ChecksumIEEE(slices.Concat([]byte{'"'}, text, []byte{'"'})) }
	base := bytes.Repeat([]byte("a"), places)
	var rows [32]struct{ change, places uint64 }
	var none []uint64 // sets of places, which together change nothing
	for i := range places {
		text := slices.Clone(base)
		text[i] = 'b'
		change, at := uint64(crc(text)^crc(base)), uint64(1)<<i
		for change != 0 {
			row := &rows[bits.Len64(change)-1]
			if row.change == 0 {
				row.change, row.places = change, at
				break
			}
			change, at = change^row.change, at^row.places
		}
		if change == 0 {
			none = append(none, at)
		}
	}
	if n > 1<<len(none) {
		panic("too few texts")
	}
	return func(i int) string {
		var changed uint64
		for bit, at := range none {
			if i>>bit&1 == 1 {
				changed ^= at
			}
		}
		text := slices.Clone(base)
		for place := range text {
			if changed>>place&1 == 1 {
				text[place] = 'b'
			}
		}
		return string(text)
	}
}

var bombs = []bomb{
	// Loops.
	{name: "loops in loops", main: local(`[for a in local.big : [for b in local.big : [for c in local.big : 1]]]`), want: tooMuch},
	{name: "loops without result", main: local(`[for a in local.big : [for b in local.big : [for c in local.big : 1 if false]]]`), want: tooMuch},
	{name: "loop over objects", main: local(`{ for a in local.big : a => { for b in local.big : b => { for c in local.big : c => 1 } } }`), want: tooMuch},
	{name: "grouping loop", main: local(`{ for a in local.big : "x" => [for b in local.big : { for c in local.big : "y" => c... }]... }`), want: tooMuch},
	{name: "loop of constants", main: local(`[for a in local.big : [for b in local.big : [for c in local.big : "text"]]]`), want: tooMuch},
	{name: "loop of errors", main: local(`[for a in local.big : [for b in local.big : [for c in local.big : a.x]]]`), want: tooMuch},
	{name: "loop in try", main: local(`try([for a in local.big : [for b in local.big : [for c in local.big : c]]], "no")`), want: tooMuch},
	{name: "loop in can", main: local(`can([for a in local.big : [for b in local.big : [for c in local.big : c]]])`), want: tooMuch},
	{name: "loop in try in loop", main: local(`[for a in local.big : try([for b in local.big : [for c in local.big : c]], "no")]`), want: tooMuch},
	{name: "loop in a condition", main: local(`length([for a in local.big : [for b in local.big : [for c in local.big : c]]]) > 1 ? 1 : 2`), want: tooMuch},
	{name: "loop in the other branch", main: local(`true ? 1 : length([for a in local.big : [for b in local.big : [for c in local.big : c]]])`), want: tooMuch},
	{name: "loop in an index", main: local(`local.big[length([for a in local.big : [for b in local.big : [for c in local.big : c]]])]`), want: tooMuch},
	{name: "loop in a key", main: local(`{ (length([for a in local.big : [for b in local.big : [for c in local.big : c]]])) = 1 }`), want: tooMuch},
	{name: "splats in splats", main: chain(`[for i in range(1024) : [for j in range(1024) : { x = i }]]`, `[for a in PREV : PREV[*][*].x]`, 1), want: tooMuch},
	{name: "splat of a large value", main: chain(`[for i in range(1000) : i]`, `[for a in PREV : PREV[*]]`, 3), want: tooMuch},
	// Values in values.
	{name: "lists of the same", main: chain(`["a"]`, `[PREV, PREV]`, 40), want: tooMuch},
	{name: "objects of the same", main: chain(`{ x = 1 }`, `{ l = PREV, r = PREV }`, 40), want: tooMuch},
	{name: "lists of the same, ten times", main: chain(`["a"]`, `[PREV, PREV, PREV, PREV, PREV, PREV, PREV, PREV, PREV, PREV]`, 9), want: tooMuch},
	{name: "texts of the same", main: chain(`"0123456789"`, `"${PREV}${PREV}${PREV}${PREV}${PREV}${PREV}${PREV}${PREV}${PREV}${PREV}"`, 9), want: tooMuch},
	{name: "the same through a conditional", main: chain(`["a"]`, `true ? [PREV, PREV] : null`, 40), want: tooMuch},
	{name: "the same through lookup", main: chain(`{ x = 1 }`, `{ x = lookup({ y = PREV }, "y"), z = PREV }`, 40), want: tooMuch},
	{name: "the same through try", main: chain(`{ x = 1 }`, `{ x = try(PREV), z = try(PREV) }`, 40), want: tooMuch},
	{name: "the same through merge", main: chain(`{ x = 1 }`, `merge({ l = PREV }, { r = PREV })`, 40), want: tooMuch},
	{name: "the same through a loop", main: chain(`["a"]`, `[for i in [1, 2] : PREV]`, 40), want: tooMuch},
	{name: "the same compared", main: chain(`["a"]`, `[PREV, PREV]`, 21) + `locals { eq = [for i in range(100) : local.a21 == local.a21] }`, want: tooMuch},
	{name: "the same encoded", main: chain(`["a"]`, `[PREV, PREV]`, 20) + `locals { eq = [for i in range(100) : jsonencode(local.a20)] }`, want: tooMuch},
	{name: "the same encoded as YAML", main: chain(`["a"]`, `[PREV, PREV]`, 20) + `locals { eq = yamlencode(local.a20) }`, want: tooMuch},
	{name: "the same in an object", main: chain(`["a"]`, `[PREV, PREV]`, 21) + `
resource "ConfigMap" "a" {
  count = 10
  metadata { name = "a${count.index}" }
  data = { for i in range(1000) : "k${i}" => jsonencode(local.a15) }
}`, want: tooMuch},
	{name: "the same in an output", main: chain(`["a"]`, `[PREV, PREV]`, 22) + `output "o" { value = local.a22 }`, want: tooMuch},
	{name: "the same as a map", main: chain(`{ x = 1 }`, `{ l = PREV, r = PREV }`, 21) + `locals { m = [for i in range(100) : tomap(local.a21)] }`, want: tooMuch},
	// Functions.
	{name: "concat", main: chain(`range(1000)`, `concat(PREV, PREV, PREV, PREV, PREV, PREV, PREV, PREV, PREV, PREV)`, 6), want: tooMuch},
	{name: "flatten", main: chain(`range(1000)`, `flatten([PREV, PREV, PREV, PREV, PREV, PREV, PREV, PREV, PREV, PREV])`, 6), want: tooMuch},
	{name: "setproduct", main: local(`setproduct(local.big, local.big, local.big)`), want: tooMuch},
	{name: "setproducts", main: local(`[for i in range(100) : setproduct(range(300), range(300))]`), want: tooMuch},
	{name: "chunklist", main: local(`[for i in range(1000) : chunklist(range(1000), 1)]`), want: tooMuch},
	{name: "zipmap", main: local(`[for i in range(1000) : zipmap(range(1000), range(1000))]`), want: tooMuch},
	{name: "format with a width", main: local(`format("%1000000000d", 1)`), want: "Error in function call"},
	{name: "format of many", main: local(`[for i in range(1000) : format("%999d%999d%999d%999d%999d%999d%999d%999d", 1, 1, 1, 1, 1, 1, 1, 1)][*]`), want: anything},
	{name: "formatlist", main: local(`[for i in range(1000) : formatlist("%999d", range(1000))]`), want: tooMuch},
	{name: "join", main: local(`[for i in range(1000) : join("0123456789012345678901234567890123456789", range(1000))]`), want: anything},
	{name: "joins", main: local(`[for a in local.big : [for i in range(1000) : join("0123456789012345678901234567890123456789", range(1000))]]`), want: tooMuch},
	{name: "replace", main: local(`replace(file("file"), "a", file("file"))`), file: repeat("a", 4*mib), want: "Error in function call"},
	{name: "replace by an expression", main: local(`[for i in range(1000) : replace(file("file"), "/a/", "b")]`), file: repeat("a", mib), want: tooMuch},
	{name: "regexall", main: local(`regexall("a*?", file("file"))`), file: repeat("a", 4*mib), want: tooMuch},
	{name: "a large expression", main: local(`regexall("(((a{0,10}b{0,10}){0,10}c{0,10}){0,10}x)", file("file"))`), file: repeat("abc", 4*mib), want: anything},
	{name: "regex in a loop", main: local(`[for i in range(1000) : try(regex("(a+)+b", file("file")), "")]`), file: repeat("a", mib), want: tooMuch},
	{name: "split into letters", main: local(`split("", file("file"))`), file: repeat("a", 4*mib), want: tooMuch},
	{name: "split", main: local(`[for i in range(100) : split(",", file("file"))]`), file: repeat("a,", mib), want: tooMuch},
	{name: "range in a loop", main: local(`[for a in local.big : [for b in local.big : range(1024)]]`), want: tooMuch},
	{name: "file in a loop", main: local(`[for i in local.big : file("file")]`), file: repeat("a", 4*mib), want: tooMuch},
	{name: "hashes in a loop", main: local(`[for i in local.big : filesha512("file")]`), file: repeat("a", 4*mib), want: tooMuch},
	{name: "distinct", main: local(`distinct(split("\n", file("file")))`), file: manyLines(400_000, strconv.Itoa), want: anything},
	{name: "setsubtract", main: local(`setsubtract(split("\n", file("file")), ["0"])`), file: manyLines(20_000, strconv.Itoa), want: anything},
	{name: "matchkeys", main: local(`matchkeys(split("\n", file("file")), split("\n", file("file")), split("\n", file("file")))`),
		file: manyLines(20_000, strconv.Itoa), want: anything},
	{name: "contains in a loop", main: local(`[for x in split("\n", file("file")) : contains(split("\n", file("file")), x)]`),
		file: manyLines(20_000, strconv.Itoa), want: tooMuch},
	{name: "jsondecode of digits", main: local(`jsondecode(file("file"))`), file: repeat("9", 4*mib), want: "Invalid function argument"},
	{name: "jsondecode of an exponent", main: local(`jsondecode("1e999999999")`), want: "Invalid function argument"},
	{name: "jsondecode of many", main: local(`jsondecode(file("file"))`),
		file: func() string { return "[" + strings.Repeat("[],", 4*mib/3-10) + "[]]" }, want: anything},
	{name: "jsondecode in a loop", main: local(`[for i in local.big : jsondecode(file("file"))]`), file: func() string { return "[" + strings.Repeat(`"a",`, mib/4) + "1]" }, want: tooMuch},
	{name: "csvdecode", main: local(`csvdecode(file("file"))`), file: repeat("a,b\n", 4*mib), want: anything},
	{name: "yamldecode of aliases", main: local(`yamldecode(file("file"))`), file: func() string {
		text := "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
		for i := 1; i < 9; i++ {
			text += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9), ", "))
		}
		return text
	}, want: "Invalid function argument"},
	{name: "many long lines", main: local("<<EOT\n" + strings.Repeat(strings.Repeat("x", 410)+"\n", 9_990) + "EOT\n"), want: "Text too long"},
	{name: "a template of many long lines", main: local(`templatefile("file", {})`),
		file: func() string { return "${1}\n" + strings.Repeat(strings.Repeat("x", 410)+"\n", 9_990) }, want: anything},
	{name: "yamldecode of many", main: local(`yamldecode(file("file"))`), file: repeat("- a\n", 4*mib), want: anything},
	{name: "yamldecode in a loop", main: local(`[for i in local.big : yamldecode(file("file"))]`), file: repeat("- abcdefghijk\n", mib), want: tooMuch},
	{name: "base64gzip in a loop", main: local(`[for i in local.big : base64gzip(file("file"))]`), file: repeat("ab", 4*mib), want: tooMuch},
	{name: "strrev in a loop", main: local(`[for i in local.big : strrev(file("file"))]`), file: repeat("ä", 4*mib), want: tooMuch},
	{name: "length in a loop", main: local(`[for i in local.big : length(file("file"))]`), file: repeat("ä", 4*mib), want: tooMuch},
	{name: "indent", main: local(`[for i in local.big : indent(100, file("file"))]`), file: repeat("\n", 40_000), want: tooMuch},
	{name: "fileset in loops", main: local(`[for a in local.big : [for b in local.big : fileset(".", "**")]]`), want: tooMuch},
	{name: "transpose", main: local(`[for i in local.big : transpose({ a = split(",", file("file")) })]`), file: repeat("a,", mib), want: tooMuch},
	// Sets: many elements, and elements of one hash.
	{name: "a list of many", main: local(`split("\n", file("file"))`), file: manyLines(400_000, strconv.Itoa), want: anything},
	{name: "setsubtract of many", main: local(`setsubtract(split("\n", file("file")), ["0"])`), file: manyLines(400_000, strconv.Itoa), want: tooMuch},
	{name: "setunion of many", main: local(`setunion(split("\n", file("file")), ["0"])`), file: manyLines(400_000, strconv.Itoa), want: tooMuch},
	{name: "setintersection of many", main: local(`setintersection(split("\n", file("file")), ["0"])`),
		file: manyLines(400_000, strconv.Itoa), want: tooMuch},
	{name: "setproduct of many", main: local(`setproduct(split("\n", file("file")), ["0"])`), file: manyLines(400_000, strconv.Itoa), want: tooMuch},
	{name: "toset of many", main: local(`toset(split("\n", file("file")))`), file: manyLines(400_000, strconv.Itoa), want: tooMuch},
	{name: "convert to a set of many", main: local(`convert(split("\n", file("file")), set(string))`), file: manyLines(400_000, strconv.Itoa), want: tooMuch},
	{name: "sort of many", main: local(`sort(split("\n", file("file")))`), file: manyLines(400_000, strconv.Itoa), want: anything},
	{name: "operations on sets of many", main: local(`setsubtract(setunion(split("\n", file("file")), ["0"]), setintersection(split("\n", file("file")), ["0"]))`),
		file: manyLines(80_000, strconv.Itoa), want: anything},
	{name: "toset and back", main: local(`tolist(toset(tolist(toset(tolist(toset(split("\n", file("file"))))))))`), file: manyLines(80_000, strconv.Itoa), want: anything},
	{name: "toset of numbers", main: local(`toset([for x in compact(split("\n", file("file"))) : tonumber(x)])`), file: manyLines(80_000, strconv.Itoa), want: tooMuch},
	{name: "toset of numbers, in between", main: local(`toset([for x in compact(split("\n", file("file"))) : tonumber(x)])`), file: manyLines(20_000, strconv.Itoa), want: anything},
	{name: "toset of objects", main: local(`toset([for x in split("\n", file("file")) : { a = x, b = "x" }])`), file: manyLines(20_000, strconv.Itoa), want: anything},
	{name: "contains of a set in a loop", main: local(`[for x in toset(split("\n", file("file"))) : contains(toset(split("\n", file("file"))), x)]`),
		file: manyLines(5_000, strconv.Itoa), want: tooMuch},
	{name: "for_each of a set", main: `resource "ConfigMap" "a" {
  for_each = toset(split("\n", file("file")))
  metadata { name = "a${each.key}" }
}`, file: manyLines(40_000, strconv.Itoa), want: anything},
	{name: "a variable that is a set", main: `variable "x" { type = set(string) }`,
		vars: "x = [" + strings.ReplaceAll(manyLines(400_000, strconv.Itoa)(), "\n", ",") + "]", want: tooMuch},
	{name: "toset of one hash", main: local(`toset(split("\n", file("file")))`), file: manyLines(30_000, oneHash(30_000)), want: tooMuch},
	{name: "setunion of one hash", main: local(`setunion(split("\n", file("file")), ["0"])`), file: manyLines(30_000, oneHash(30_000)), want: tooMuch},
	{name: "setproduct of one hash", main: local(`setproduct(toset(split("\n", file("file"))), toset(split("\n", file("file"))))`),
		file: manyLines(250, oneHash(250)), want: tooMuch},
	{name: "setunion of lists of one hash", main: local(`setunion([for x in split("\n", file("file")) : [x]], [["0"]])`),
		file: manyLines(30_000, oneHash(30_000)), want: tooMuch},
	{name: "convert to sets of one hash", main: local(`convert({ a = [split("\n", file("file"))] }, object({ a = list(set(string)) }))`),
		file: manyLines(30_000, oneHash(30_000)), want: tooMuch},
	{name: "coalesce of one hash", main: local(`coalesce(toset([]), split("\n", file("file")))`), file: manyLines(30_000, oneHash(30_000)), want: anything},
	{name: "a conditional of one hash", main: local(`true ? split("\n", file("file")) : toset(["a"])`), file: manyLines(30_000, oneHash(30_000)), want: anything},
	{name: "numbers of one hash", main: local(`toset([for x in split("\n", file("file")) : tonumber("1.00000000000000${x}")])`),
		file: manyLines(20_000, strconv.Itoa), want: tooMuch},
	{name: "unknown elements of a set", main: `resource "ConfigMap" "a" {
  metadata { name = "a" }
}
locals {
  some = [for i in range(1000) : ConfigMap.a.metadata.uid]
  a    = toset(flatten([for i in range(20) : local.some]))
}`, want: tooMuch},
	{name: "for_each of one hash", main: `resource "ConfigMap" "a" {
  for_each = toset(split("\n", file("file")))
  metadata { name = "a${each.key}" }
}`, file: manyLines(30_000, oneHash(30_000)), want: tooMuch},
	{name: "the default of a set of one hash",
		main: "variable \"x\" {\n  type = set(string)\n  default = [" + quotedLines(30_000, oneHash(30_000)) + "]\n}", want: tooMuch},
	{name: "an optional set of one hash",
		main: "variable \"x\" {\n  type = object({ a = optional(set(string), [" + quotedLines(30_000, oneHash(30_000)) +
			"]) })\n  default = {}\n}", want: tooMuch},
	{name: "a variable that is a set of one hash", main: `variable "x" { type = map(set(string)) }`,
		vars: "x = { a = [" + quotedLines(30_000, oneHash(30_000)) + "] }", want: tooMuch},
	// Types: elements whose types are compared.
	{name: "a list of objects", main: local(`tolist([for x in split("\n", file("file")) : { a = x }])`),
		file: manyLines(30_000, strconv.Itoa), want: anything},
	{name: "a list of objects and null", main: local(`tolist([for x in split("\n", file("file")) : { a = x == "7" ? null : x, b = x == "8" ? null : 1 }])`),
		file: manyLines(30_000, strconv.Itoa), want: anything},
	{name: "a map of objects", main: local(`tomap({ for x in split("\n", file("file")) : x => { a = x } })`),
		file: manyLines(30_000, strconv.Itoa), want: anything},
	{name: "distinct objects", main: local(`distinct([for x in split("\n", file("file")) : { a = x }])`),
		file: manyLines(30_000, strconv.Itoa), want: anything},
	{name: "objects of many types", main: local(`tolist([for x in split("\n", file("file")) : { (x) = 1 }])`),
		file: manyLines(30_000, strconv.Itoa), want: tooMuch},
	{name: "objects or none", main: local(`true ? [for x in split("\n", file("file")) : { a = x }] : []`),
		file: manyLines(30_000, strconv.Itoa), want: anything},
	{name: "entries or none", main: local(`true ? { for x in split("\n", file("file")) : x => { a = x } } : {}`),
		file: manyLines(30_000, strconv.Itoa), want: anything},
	{name: "setproduct of objects", main: local(`setproduct([for x in split("\n", file("file")) : { a = x }], ["b"])`),
		file: manyLines(30_000, strconv.Itoa), want: anything},
	{name: "a variable that is a list of objects", main: `variable "x" { type = object({ a = list(object({ a = string })) }) }`,
		vars: "x = { a = [" + strings.ReplaceAll(manyLines(30_000,
			func(i int) string { return fmt.Sprintf("{ a = %d },", i) })(), "\n", " ") + "] }", want: anything},
	{name: "a variable that is a map of any", main: `variable "x" { type = map(any) }`,
		vars: "x = { " + strings.ReplaceAll(manyLines(30_000,
			func(i int) string { return fmt.Sprintf("k%d = { a = %d },", i, i) })(), "\n", " ") + " }", want: anything},
	// Numbers.
	{name: "an exponent in text", main: local(`"1e999999999" + 1`), want: "Number out of range"},
	{name: "digits as a number", main: local(`file("file") + 1`), file: repeat("9", 4*mib), want: "Number out of range"},
	{name: "digits as an argument", main: local(`abs(file("file"))`), file: repeat("9", 4*mib), want: "Invalid function argument"},
	{name: "digits as an index", main: local(`local.big[file("file")]`), file: repeat("9", 4*mib), want: "Number out of range"},
	{name: "digits as a count", main: `resource "ConfigMap" "a" {
  count = file("file")
  metadata { name = "a" }
}`, file: repeat("9", 4*mib), want: "Invalid count argument"},
	{name: "digits in a field", main: `resource "Service" "a" {
  metadata { name = "a" }
  spec {
    ports { port = file("file") }
  }
}`, file: repeat("9", 4*mib), want: "Invalid value"},
	{name: "parseint", main: local(`parseint(file("file"), 10)`), file: repeat("9", 4*mib), want: "Invalid function argument"},
	{name: "squares of squares", main: chain(`1e99`, `PREV * PREV`, 40) + `output "o" { value = "${local.a40}" }`, want: "Operation failed"},
	{name: "pow", main: local(`pow(10, 1000000000)`), want: anything},
	// Places.
	{name: "in a default", main: `variable "x" { default = [for a in [1,2,3,4,5,6,7,8,9,10] : [for b in [1,2,3,4,5,6,7,8,9,10] : ` +
		`[for c in [1,2,3,4,5,6,7,8,9,10] : [for d in [1,2,3,4,5,6,7,8,9,10] : [for e in [1,2,3,4,5,6,7,8,9,10] : ` +
		`[for f in [1,2,3,4,5,6,7,8,9,10] : [for g in [1,2,3,4,5,6,7,8,9,10] : [for h in [1,2,3,4,5,6,7,8,9,10] : 1]]]]]]]] }`, want: tooMuch},
	{name: "in a file of variables", main: `variable "x" {}`, vars: `x = [for a in [1,2,3,4,5,6,7,8,9,10] : [for b in [1,2,3,4,5,6,7,8,9,10] : ` +
		`[for c in [1,2,3,4,5,6,7,8,9,10] : [for d in [1,2,3,4,5,6,7,8,9,10] : [for e in [1,2,3,4,5,6,7,8,9,10] : ` +
		`[for f in [1,2,3,4,5,6,7,8,9,10] : [for g in [1,2,3,4,5,6,7,8,9,10] : [for h in [1,2,3,4,5,6,7,8,9,10] : 1]]]]]]]]`, want: tooMuch},
	{name: "in a validation", main: `variable "x" {
  default = 1
  validation {
    condition     = var.x == length([for a in range(1024) : [for b in range(1024) : [for c in range(1024) : c]]])
    error_message = "No."
  }
}`, want: tooMuch},
	{name: "in a message of a validation", main: `variable "x" {
  default = 1
  validation {
    condition     = var.x == 2
    error_message = jsonencode([for a in range(1024) : [for b in range(1024) : [for c in range(1024) : c]]])
  }
}`, want: tooMuch},
	{name: "in the kplan block", main: `kplan {
  cluster {
    context = jsonencode([for a in range(1024) : [for b in range(1024) : [for c in range(1024) : c]]])
  }
}`, want: tooMuch},
	{name: "in the kplan block, through a local value", main: local(`jsonencode([for a in range(1024) : [for b in range(1024) : [for c in range(1024) : c]]])`) + `kplan {
  backend "local" {
    path = local.a
  }
}`, want: tooMuch},
	{name: "in an output", main: `output "o" { value = [for a in range(1024) : [for b in range(1024) : [for c in range(1024) : c]]] }`, want: tooMuch},
	{name: "in a precondition", main: `output "o" {
  value = 1
  precondition {
    condition     = length([for a in range(1024) : [for b in range(1024) : [for c in range(1024) : c]]]) > 1
    error_message = "No."
  }
}`, want: tooMuch},
	{name: "in for_each", main: `resource "ConfigMap" "a" {
  for_each = { for i in range(1024) : i => [for b in range(1024) : [for c in range(1024) : c]] }
  metadata { name = each.key }
}`, want: tooMuch},
	{name: "in a body", main: `resource "ConfigMap" "a" {
  count = 1000
  metadata { name = "a${count.index}" }
  data = { for i in range(1024) : "k${i}" => join("", [for j in range(1024) : i]) }
}`, want: tooMuch},
	{name: "in dynamic blocks", main: `resource "Pod" "a" {
  metadata { name = "a" }
  spec {
    dynamic "containers" {
      for_each = flatten([for i in range(1024) : range(1024)])
      content {
        name  = "c${containers.key}"
        image = "x"
        dynamic "env" {
          for_each = range(1024)
          content { name = "E${env.key}" }
        }
      }
    }
  }
}`, want: tooMuch},
	{name: "many large objects", main: `locals { data = { for i in range(1024) : "k${i}" => "v" } }
resource "ConfigMap" "a" {
  count = 100000
  metadata { name = "a${count.index}" }
  data = local.data
}`, want: tooMuch},
	{name: "many objects with much in them", main: `resource "ConfigMap" "a" {
  count = 50000
  metadata {
    name = "a${count.index}"
    labels = { ` + strings.Join(strings.Fields(manyLines(200, func(i int) string { return fmt.Sprintf("l%d=1,", i) })()), " ") + ` }
  }
}`, want: tooMuch},
	{name: "in a template", main: local(`templatefile("file", {})`), file: func() string {
		return "%{ for a in range(1024) }%{ for b in range(1024) }%{ for c in range(1024) }x%{ endfor }%{ endfor }%{ endfor }"
	}, want: tooMuch},
	{name: "text in a template's loop", main: local(`templatefile("file", {})`), file: func() string {
		return "%{ for a in range(1024) }" + strings.Repeat("x", mib) + "%{ endfor }"
	}, want: tooMuch},
	{name: "templates in templates", main: local(`templatefile("file", { n = 0 })`), file: func() string {
		return `${templatefile("file", { n = 1 })}${templatefile("file", { n = 1 })}`
	}, want: anything},
	{name: "templates of strings", main: local(`[for a in local.big : [for b in local.big : templatestring("$${x}", { x = 1 })]]`), want: tooMuch},
	{name: "in JSON", json: `{"locals": {"big": "${range(1024)}", "a": "${[for a in local.big : [for b in local.big : [for c in local.big : c]]]}"}}`, want: tooMuch},
	{name: "in JSON, texts of the same", json: `{"locals": {"a0": "0123456789", ` + func() string {
		var all []string
		for i := 1; i < 10; i++ {
			all = append(all, fmt.Sprintf(`"a%d": "%s"`, i, strings.Repeat(fmt.Sprintf("${local.a%d}", i-1), 10)))
		}
		return strings.Join(all, ", ")
	}() + `}}`, want: tooMuch},
	{name: "in JSON, in an object", json: `{"resource": {"ConfigMap": {"a": {"count": 1000, "metadata": {"name": "a${count.index}"}, ` +
		`"data": "${{ for i in range(1024) : \"k${i}\" => join(\"\", [for j in range(1024) : i]) }}"}}}}`, want: tooMuch},
}

// TestBombs: the worst configurations end soon, in little memory, with one error at its line.
func TestBombs(t *testing.T) {
	// Without a control plane it is to take seconds: a sample.
	all := spectest.Full() || os.Getenv("KPLAN_TEST_REQUIRE_CLUSTER") != ""
	page, err := os.ReadFile("../docs/security.md")
	if count := fmt.Sprintf("A test has %d configurations", len(bombs)); err != nil || !strings.Contains(string(page), count) {
		t.Errorf("docs/security.md does not say: %s (%v)", count, err)
	}
	for i, b := range bombs {
		t.Run(strings.ReplaceAll(b.name, " ", "_"), func(t *testing.T) {
			if !all && i%32 != 0 {
				t.Skip("make test tries all")
			}
			b.explode(t)
		})
	}
}

func (b bomb) explode(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if text == "" {
			return
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("main.kplan.hcl", b.main)
	write("main.kplan.json", b.json)
	write("x.auto.kpvars.hcl", b.vars)
	if b.file != nil {
		write("file", b.file())
	}
	got, cpu := explode(t, dir)
	t.Logf("%.2f s of the processor, %d MB: %v", cpu.Seconds(), got.Heap>>20, got.Problems)
	limit := maxBombTime
	if !spectest.Full() {
		limit *= slowdown
	}
	if cpu > limit {
		t.Errorf("it took %s", cpu)
	}
	if got.Heap > maxBombHeap {
		t.Errorf("it took %d MB", got.Heap>>20)
	}
	if b.want == anything {
		return
	}
	if len(got.Problems) != 1 || got.Problems[0].Summary != b.want || got.Problems[0].Line == 0 {
		t.Errorf("it reports %v, want %s", got.Problems, b.want)
	}
}

// aftermath is what a process reports that evaluated a bomb.
type aftermath struct {
	Heap     uint64
	Problems []bombProblem
}

type bombProblem struct {
	Summary, File string
	Line          int
}

// explode evaluates a directory in a process of its own.
func explode(t *testing.T, dir string) (aftermath, time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestExplode$", "-test.v")
	cmd.Env = append(os.Environ(), "KPLAN_TEST_BOMB="+dir)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	err := cmd.Run()
	var got aftermath
	_, text, ok := strings.Cut(stderr.String(), "aftermath: ")
	if err != nil || !ok || json.NewDecoder(strings.NewReader(text)).Decode(&got) != nil {
		t.Fatalf("it ended with %v after %s: %.2000s", err, cmd.ProcessState.UserTime(), stderr.String())
	}
	return got, cmd.ProcessState.UserTime()
}

// TestExplode is the process of explode.
func TestExplode(t *testing.T) {
	dir := os.Getenv("KPLAN_TEST_BOMB")
	if dir == "" {
		t.Skip("for TestBombs")
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	diags := evaluateAll(context.Background(), dir)
	runtime.ReadMemStats(&after)
	got := aftermath{Heap: max(after.HeapSys, before.HeapSys) - before.HeapSys}
	for _, d := range diags {
		p := bombProblem{Summary: d.Summary}
		if d.Subject != nil {
			p.File, p.Line = filepath.Base(d.Subject.Filename), d.Subject.Start.Line
		}
		got.Problems = append(got.Problems, p)
	}
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(os.Stderr, "aftermath: %s\n", text)
}

// evaluateAll does what a plan does with the configuration of a directory, as far as it is sound.
func evaluateAll(ctx context.Context, dir string) hcl.Diagnostics {
	c, diags := config.Load(ctx, dir)
	if diags.HasErrors() {
		return diags
	}
	values, diags := c.ReadVariables(config.Inputs{})
	if diags.HasErrors() {
		return diags
	}
	if _, diags = c.Cluster(values); diags.HasErrors() {
		return diags
	}
	if _, diags = c.Backend(values, nil); diags.HasErrors() {
		return diags
	}
	preview, diags := hclspec.NewPreview(ctx, c, hclspec.Options{Variables: values, Kinds: kinds.Builtin()})
	if diags.HasErrors() {
		return diags
	}
	visit := func(_ context.Context, d *hclspec.Desired, _ map[addrs.Instance]int) (hclspec.Observed, int, error) {
		return hclspec.Observed{Object: d.Fields}, 0, nil
	}
	_, diags = hclspec.Walk(ctx, preview, hclspec.WalkOptions{}, visit)
	return diags
}
