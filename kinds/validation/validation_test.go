package validation_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/kindstest"
	"kplan.dev/kplan/kinds/server"
	"kplan.dev/kplan/kinds/validation"
)

const widget = kindstest.Widget + `
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [size]
            x-kubernetes-validations:
            - {rule: self.min <= self.max, message: min must not exceed max}
            - {rule: self.size == oldSelf.size, message: size never changes}
            properties:
              size: {type: integer, minimum: 1, maximum: 5}
              min: {type: integer, default: 0}
              max: {type: integer, default: 10}
              color: {type: string, enum: [red, green]}
              name: {type: string, pattern: '^[a-z]+$', maxLength: 3}
              tags: {type: array, maxItems: 2, items: {type: string, minLength: 1}}
              ratio: {type: number, exclusiveMinimum: true, minimum: 0}
              labels: {type: object, minProperties: 1, additionalProperties: {type: string, maxLength: 1}}
              port: {x-kubernetes-int-or-string: true, anyOf: [{type: integer}, {type: string}]}
`

func widgetKind(t *testing.T) *kinds.Kind {
	return kindstest.FromCRD(t, kindstest.Decode(t, widget))[0]
}

func object(t *testing.T, k *kinds.Kind, spec string) map[string]any {
	return server.Complete(k, kindstest.Decode(t, `{apiVersion: example.com/v1, kind: Widget, metadata: {name: w}, spec: `+spec+`}`))
}

func texts(found []validation.Violation) string {
	var all []string
	for _, v := range found {
		all = append(all, v.Path.String()+": "+v.Text)
	}
	return strings.Join(all, "\n")
}

func TestCreate(t *testing.T) {
	for _, test := range []struct {
		name, spec, unknown, want string
	}{
		{name: "all well", spec: `{size: 1, color: red, name: abc, tags: [a], ratio: 0.5, labels: {a: b}, port: http}`},
		{name: "too small", spec: `{size: 0}`, want: "spec.size: should be greater than or equal to 1"},
		{name: "too large", spec: `{size: 6}`, want: "spec.size: should be less than or equal to 5"},
		{name: "not in the enumeration", spec: `{size: 1, color: blue}`, want: `spec.color: is not one of the supported values: "red", "green"`},
		{name: "pattern", spec: `{size: 1, name: A}`, want: `spec.name: should match '^[a-z]+$'`},
		{name: "too long", spec: `{size: 1, name: abcd}`, want: "spec.name: may not be more than 3 bytes"},
		{name: "too many", spec: `{size: 1, tags: [a, b, c]}`, want: "spec.tags: must have at most 2 items"},
		{name: "element", spec: `{size: 1, tags: [a, ""]}`, want: "spec.tags[1]: should be at least 1 chars long"},
		{name: "exclusive", spec: `{size: 1, ratio: 0}`, want: "spec.ratio: should be greater than 0"},
		{name: "entry", spec: `{size: 1, labels: {a: bc}}`, want: "spec.labels.a: may not be more than 1 byte"},
		{name: "entry with dots", spec: `{size: 1, labels: {a.b/c: bc, a: d}}`, want: `spec.labels["a.b/c"]: may not be more than 1 byte`},
		{name: "required", spec: `{color: red}`, want: "spec.size: is required"},
		{name: "rule", spec: `{size: 1, min: 3, max: 2}`, want: "spec: min must not exceed max"},
		{name: "rule with a default", spec: `{size: 1, min: 11}`, want: "spec: min must not exceed max"},
		{name: "several", spec: `{size: 6, color: blue}`,
			want: "spec.color: is not one of the supported values: \"red\", \"green\"\nspec.size: should be less than or equal to 5"},

		{name: "unknown and required", spec: `{color: red}`, unknown: "spec.size"},
		{name: "rule beside what is unknown", spec: `{size: 1, min: 3, max: 2}`, unknown: "spec.name"},
		{name: "wrong beside what is unknown", spec: `{size: 6}`, unknown: "spec.name", want: "spec.size: should be less than or equal to 5"},
	} {
		t.Run(test.name, func(t *testing.T) {
			k := widgetKind(t)
			unknown := addrs.PathSet{}
			if test.unknown != "" {
				unknown.Add(kindstest.Path(t, test.unknown))
			}
			got := texts(validation.New(k).Create(object(t, k, test.spec), unknown))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestUpdate: what has been wrong before and stays, the server accepts.
func TestUpdate(t *testing.T) {
	k := widgetKind(t)
	v := validation.New(k)
	for _, test := range []struct{ name, before, after, want string }{
		{"nothing wrong", `{size: 1}`, `{size: 1, color: red}`, ""},
		{"wrong as before", `{size: 1, name: ABCDE}`, `{size: 1, name: ABCDE, color: red}`, ""},
		{"newly wrong", `{size: 1, name: abc}`, `{size: 1, name: abcd}`, "spec.name: may not be more than 3 bytes"},
		{"otherwise wrong", `{size: 1, name: ABCDE}`, `{size: 1, name: ABCD}`, "spec.name: may not be more than 3 bytes"},
		{"rule on the old value", `{size: 1}`, `{size: 2}`, "spec: size never changes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := texts(v.Update(object(t, k, test.after), object(t, k, test.before), nil))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestNone: what no definition describes has no validator, nor has a schema that the
// server would refuse.
func TestNone(t *testing.T) {
	configMap, err := kinds.Builtin().Lookup("ConfigMap", "")
	if err != nil {
		t.Fatal(err)
	}
	refused := kindstest.Decode(t, kindstest.Widget+`
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, patternProperties: {a: {type: string}}}}}}
`)
	for _, k := range slices.Concat([]*kinds.Kind{configMap}, kindstest.FromCRD(t, kindstest.Decode(t, kindstest.Widget+"\n")),
		kindstest.FromCRD(t, refused)) {
		if validation.New(k) != nil {
			t.Errorf("%s has a validator, with the schema %v", k.Name, k.Schema)
		}
	}
}

// TestFaults: what does not compile is a fault of the definition, and its objects are not
// judged by it.
func TestFaults(t *testing.T) {
	for _, test := range []struct{ name, spec, want string }{
		{"all well", `{type: object, properties: {a: {type: string, pattern: "^[a-z]+$"}}, x-kubernetes-validations: [{rule: has(self.a)}]}`, ""},
		{"pattern", `{type: object, properties: {a: {type: string, pattern: "["}}}`,
			"properties.spec.properties.a.pattern: is no regular expression: error parsing regexp: missing closing ]: `[`"},
		{"pattern of entries", `{type: object, additionalProperties: {type: string, pattern: "("}}`,
			"properties.spec.additionalProperties.pattern: is no regular expression: error parsing regexp: missing closing ): `(`"},
		{"pattern of elements", `{type: array, items: {type: string, pattern: "*"}}`,
			"properties.spec.items.pattern: is no regular expression: error parsing regexp: missing argument to repetition operator: `*`"},
		{"pattern of one of several", `{type: object, properties: {a: {type: string, anyOf: [{pattern: a}, {pattern: "["}]}}}`,
			"properties.spec.properties.a.anyOf[1].pattern: is no regular expression: error parsing regexp: missing closing ]: `[`"},
		{"rule", `{type: object, properties: {a: {type: string}}, x-kubernetes-validations: [{rule: has(self.a)}, {rule: self.b == 1}]}`,
			`properties.spec.x-kubernetes-validations[1].rule: is no valid expression: compilation failed: ERROR: <input>:1:5: undefined field 'b'`},
		{"message of a rule", `{type: object, properties: {a: {type: string}},
			x-kubernetes-validations: [{rule: has(self.a), messageExpression: self.c}]}`,
			`properties.spec.x-kubernetes-validations[0].messageExpression: is no valid expression: `},
		{"rule that is no condition", `{type: object, properties: {a: {type: string}}, x-kubernetes-validations: [{rule: self.a}]}`,
			`properties.spec.x-kubernetes-validations[0].rule: is no valid expression: cel expression must evaluate to a bool`},
	} {
		t.Run(test.name, func(t *testing.T) {
			definition := kindstest.Decode(t, kindstest.Widget+`
    schema: {openAPIV3Schema: {type: object, properties: {spec: `+test.spec+`}}}
`)
			got := strings.ReplaceAll(texts(validation.Faults(definition)), "spec.versions[0].schema.openAPIV3Schema.", "")
			if !strings.HasPrefix(got, test.want) || test.want == "" && got != "" || strings.Contains(got, "\nproperties") {
				t.Errorf("got %s\nwant %s", got, test.want)
			}
			if judged := validation.New(kindstest.FromCRD(t, definition)[0]) != nil; judged != (test.want == "") {
				t.Errorf("its objects are judged: %v", judged)
			}
		})
	}
}
