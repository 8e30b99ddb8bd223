package plan

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"maps"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// shape is what a JSON Schema says about an object.
type shape struct {
	Properties map[string]any   `json:"properties"`
	Required   []string         `json:"required"`
	Enum       []string         `json:"enum"`
	Defs       map[string]shape `json:"$defs"`
}

// TestSchema holds docs/plan.schema.json against the format that Encode writes.
func TestSchema(t *testing.T) {
	text, err := os.ReadFile("../docs/plan.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var schema shape
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	for name, of := range map[string]any{"plan": savedPlan{}, "kind": savedKind{}, "change": savedChange{}, "output": savedOutput{},
		"variable": Variable{}} {
		described := schema.Defs[name]
		if name == "plan" {
			described = schema
		}
		fields, required := jsonFields(reflect.TypeOf(of))
		if diff := cmp.Diff(fields, slices.Sorted(maps.Keys(described.Properties))); diff != "" {
			t.Errorf("the fields of a %s (-code +schema):\n%s", name, diff)
		}
		if diff := cmp.Diff(required, slices.Sorted(slices.Values(described.Required))); diff != "" {
			t.Errorf("the fields that every %s has (-code +schema):\n%s", name, diff)
		}
	}
	words := constants(t, "plan.go")
	for name, typ := range map[string]string{"action": "Action", "reason": "Reason", "certainty": "Certainty"} {
		if diff := cmp.Diff(words[typ], slices.Sorted(slices.Values(schema.Defs[name].Enum))); diff != "" {
			t.Errorf("the words for a %s (-code +schema):\n%s", name, diff)
		}
	}
}

// jsonFields are the names of a struct's fields in JSON, and of those that are
// never left out.
func jsonFields(typ reflect.Type) (all, required []string) {
	for i := range typ.NumField() {
		name, options, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
		all = append(all, name)
		if options == "" {
			required = append(required, name)
		}
	}
	slices.Sort(all)
	slices.Sort(required)
	return all, required
}

// constants are the values of a file's string constants by their type, without
// the empty ones.
func constants(t *testing.T, file string) map[string][]string {
	source, err := parser.ParseFile(gotoken.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	byType := map[string][]string{}
	ast.Inspect(source, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		typ, isNamed := spec.Type.(*ast.Ident)
		value, isLiteral := spec.Values[0].(*ast.BasicLit)
		if isNamed && isLiteral && value.Value != `""` {
			text, err := strconv.Unquote(value.Value)
			if err != nil {
				t.Fatal(err)
			}
			byType[typ.Name] = append(byType[typ.Name], text)
		}
		return true
	})
	for _, words := range byType {
		slices.Sort(words)
	}
	return byType
}
