package funcs

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"
	yamlnode "go.yaml.in/yaml/v3"
)

// scalars are written as people write them, and as YAML 1.1 reads them in surprising ways.
var scalars = strings.Split(`0|1|-1|+1|0400|0o400|0x1F|0b101|1_000|1__0|_1|1.5|1.|.5|-.5|1e3|1E+3|1e400|12345678901234567890|-0|+|-0.0|1:30|190:20:30|
1:30.5|2012-10-17|2012-10-17T00:00:00Z|2012-10-17 1:2:3|y|Y|yes|Yes|YES|n|no|NO|on|On|off|OFF|true|True|TRUE|tRUE|false|null|Null|NULL|nULL|~|.inf|
-.inf|+.Inf|.nan|.NaN|=|<|<<x|nothing|none|yellow|office|.|..|...x|-x|--|+x|a|a b|"1"|'1'|"yes"|'~'|""|''|"\u00e9"|1.10|1.0|100m|1Gi|0.5|0777|08|09|0x|
0xg|0b2|1e|e1|1.2.3|v1|apps/v1|10.0.0.1|10.0.0.0/8|::1|a:b|a#b|é|1é|[]|{}|[1, yes, "2"]|{a: 1, "b": no, c: ~}|{x: [~, .5]}|!!str 1|!!int "3"|!!float 1|
!!binary aGk=|!own x|&a 1|0.1e-7|1e21|1e20|123456789012345678901234567890|0.30000000000000004|>-|NaN|Infinity|-9223372036854775809|18446744073709551616`, "|")

// TestYAMLAgainstKubectl: whatever is read without the detour by JSON reads as with it.
func TestYAMLAgainstKubectl(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	more := 4_000
	if os.Getenv("KPLAN_TORTURE") != "" {
		more = 20_000
	}
	for range more {
		const letters = "0123456789abcdefxobE_+-.:eyYnN~ tTfFsSlLuUrR"
		var b strings.Builder
		for range 1 + random.IntN(6) {
			b.WriteByte(letters[random.IntN(len(letters))])
		}
		scalars = append(scalars, b.String())
	}
	usual := 0
	for _, s := range scalars {
		s = strings.TrimSpace(s)
		for _, text := range []string{"- " + s + "\n", "a:\n  b: " + s + "\n", "a: &x " + s + "\nb: *x\n", "a: {b: " + s + "}\n"} {
			if same(t, text) {
				usual++
			}
		}
	}
	if usual < 3*more {
		t.Errorf("only %d documents were read without the detour", usual)
	}
	for _, text := range []string{
		"a: |\n  x\n  y\nb: >-\n  x\n  y\n\n  z\n", "a: x\n  y\n\n  z\n", "a: 1\n  2\n", "{a: 1, b: [x, {c: d}]}",
		"- - 1\n  - - x\n", "a:\nb: \nc: ~\n", "a: &a {x: 1}\nb: {<<: *a, y: 2}\n", "a: &a [*a]\n", "a: &a {b: *a}\n",
		"&a {<<: *a}\n", "? {a: 1}\n: 2\n", "*x : 1\n", "? a\n: 1\n", "1: 2\n", "!!str 1: 2\n", "x: &a y\n*a : 1\n", "true: 1\n",
		"\"true\": 1\n", "a: \"\\ud83d\\ude00\"\n", "a: \"tab\\t\"\n", "\ufeffa: 1\n", "a: 1\r\nb: x\r\n", "# c\na: 1 # d\n", "a",
		"1", "~", "", "[]", "{}", "--- a\n", "---\n- 1\n...\n", "%YAML 1.1\n---\na: 1\n",
	} {
		same(t, text)
	}
}

func firstLine(doc *yamlnode.Node) int {
	if len(doc.Content) == 0 {
		return 1
	}
	return doc.Content[0].Line
}

// same compares the two ways to read a document, and reports whether the quick one was enough.
func same(t *testing.T, text string) bool {
	t.Helper()
	doc, err := parseYAML(text)
	if err != nil {
		return false
	}
	got, err := yamlReader{shared: map[*yamlnode.Node]cty.Value{}, plain: map[string]cty.Value{}}.value(doc)
	if err != nil {
		return false
	}
	want, err := unusualYAML(from(text, firstLine(doc)), doc)
	if err != nil {
		t.Errorf("%q was read as %#v, and kubectl refuses it: %v", text, got, err)
		return true
	}
	if !got.RawEquals(want) {
		t.Errorf("%q was read as %s, not %s", text, fmt.Sprintf("%#v", got), fmt.Sprintf("%#v", want))
	}
	return true
}
