package funcs

import (
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/hclspec/source"
)

// TestNumbersAreExact: a number beyond what computers calculate with keeps all its digits on each way that it may take,
// or is refused.
func TestNumbersAreExact(t *testing.T) {
	dir := t.TempDir()
	ways := []string{
		`tostring(N)`, `"${N}"`, `tostring(tonumber("N"))`, `jsonencode(N)`, `tostring(jsondecode("N"))`, `tostring(jsondecode("{\"a\": N}").a)`,
		`tostring(yamldecode("N"))`, `tostring(yamldecode("a: [N]").a[0])`, `tostring(yamldecode("<<: {a: N}\nb: 1").a)`,
		`trimspace(trimsuffix(yamlencode(N), "...\n"))`, `tostring(convert("N", number))`, `convert(N, string)`, `join("", [N])`,
		`format("%s", N)`, `format("%#v", N)`, `formatlist("%s", [N])[0]`, `tostring(min(N, 1e153))`, `tostring(sum([N]))`, `keys({ (N) = 1 })[0]`,
		`tostring(try(N, 1))`, `tostring(one([N]))`, `tolist(toset([N, "N"]))[0]`, `templatestring("$${x}", { x = N })`, `tostring(abs(N))`,
		`tostring(csvdecode("a\nN")[0].a * 1)`, `upper(N)`, `tostring(N + 0)`, `tostring(-(-N))`,
	}
	whole := append(ways, `tostring(parseint("N", 10))`, `format("%d", N)`, `tostring(ceil(N))`, `tostring(floor(N))`, `tostring(pow(N, 1))`)
	for number, ways := range map[string][]string{
		"9007199254740993": whole, "18446744073709551616": whole, "123456789012345678901234567890": whole,
		strings.Repeat("1234567891", 15) + "987": whole, "0.1234567890123456789012345": ways, "12345678901234567.125": ways,
	} {
		for _, way := range ways {
			call := strings.ReplaceAll(way, "N", number)
			if got, diags := evalText(t, dir, call); got != number {
				t.Errorf("%s = %s, %v", call, got, diags)
			}
		}
	}
	for _, way := range []string{ // that are a number as a text; one that is written out is refused before it is evaluated
		`tostring(tonumber("N"))`, `tostring(jsondecode("N"))`, `tostring(jsondecode("{\"a\": N}").a)`, `tostring(yamldecode("N"))`,
		`tostring(yamldecode("a: [N]").a[0])`, `tostring(convert("N", number))`, `tostring(convert({ a = ["N"] }, map(list(number))).a[0])`,
		`convert({ a = "N" }, object({ a = string })).a`, `tostring(convert(["N"], object({ a = optional(number) })).a)`, `abs("N")`,
		`tostring(convert(["N"], tuple([number]))[0])`,
	} {
		for _, number := range []string{strings.Repeat("1234567891", 18), "0." + strings.Repeat("1234567891", 18), "1e1234"} {
			call := strings.ReplaceAll(way, "N", number)
			if got, diags := evalText(t, dir, call); !diags.HasErrors() && got != number { // 1e1234 is a text to kubectl
				t.Errorf("%s = %s", call, got)
			}
		}
	}
	for call, want := range map[string]string{
		`pow(2, 64)`: "18446744073709551616", `pow(-3, 99)`: "-171792506910670443678820376588540424234035840667", `pow(2, 0.5) > 1.4`: "true",
		`pow(10, 308)`: "1" + strings.Repeat("0", 308), `pow(1, 1000000)`: "1", `pow(4, -1)`: "0.25", `pow(0, 0)`: "1",
		`yamldecode("010")`: "8", `yamldecode("0x1F")`: "31", `yamldecode("1_000.5")`: "1000.5", `yamldecode("-0")`: "0",
		`jsondecode("1e400") > 1e300`:        "true",
		`jsondecode(jsonencode(1/3)) == 1/3`: "true",
	} {
		if got, diags := evalText(t, dir, call); got != want {
			t.Errorf("%s = %s, %v", call, got, diags)
		}
	}
	for call, want := range map[string]string{
		`yamldecode("a: .inf")`:                                    "line 1 has the number .inf, which no object can have: put it in quotes.",
		`yamldecode("\n- -.Inf")`:                                  "line 2 has the number -.Inf",
		`yamldecode("[.nan]")`:                                     "the number .nan",
		`yamldecode("a: 1` + strings.Repeat("23456789", 20) + `")`: "line 1 has a number with too many digits",
		`tonumber("Inf")`:                                          "",
	} {
		if _, diags := eval(t, dir, call); !diags.HasErrors() || !strings.Contains(diags[0].Detail, want) {
			t.Errorf("%s: %v", call, diags)
		}
	}
}

// evalText is what the result of an expression is as a text.
func evalText(t *testing.T, dir, expr string) (string, hcl.Diagnostics) {
	got, diags := eval(t, dir, expr)
	if diags.HasErrors() {
		return "", diags
	}
	got, _ = got.Unmark()
	return source.Text(got), nil
}
