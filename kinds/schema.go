package kinds

import (
	"maps"
	"slices"
	"strings"

	"kplan.dev/kplan/kinds/internal/manifest"
)

// schemaReader makes descriptions from JSON schemas, those of a
// CustomResourceDefinition or of an OpenAPI document.
type schemaReader struct {
	components map[string]any          // what a $ref may name; nil in a CustomResourceDefinition
	seen       map[component]*children // so that a component can hold itself
}

// component is a named schema at a field path with certain rules.
type component struct {
	name      string
	pathRules pathRules
	open      bool
}

// goTypes are the components of the API machinery whose values the server
// reads into a Go type and writes back in that type's own form.
var goTypes = map[string]Field{
	"io.k8s.apimachinery.pkg.api.resource.Quantity":                 {Type: Quantity},
	"io.k8s.apimachinery.pkg.util.intstr.IntOrString":               {Type: IntOrString, verbatim: true},
	"io.k8s.apimachinery.pkg.apis.meta.v1.Time":                     {Type: Time},
	"io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime":                {Type: Time, micro: true},
	"io.k8s.apimachinery.pkg.apis.meta.v1.Duration":                 {Type: Duration},
	"io.k8s.apimachinery.pkg.runtime.RawExtension":                  {Type: Any, Atomic: true},
	"io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON": {Type: Any},
}

const objectMetaComponent = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"

// field describes what a schema allows. Below a schema that preserves unknown
// fields, open is true: structured merge then takes any field in any object.
func (r *schemaReader) field(name string, s map[string]any, at pathRules, open bool) *Field {
	ref, s := r.dereference(s)
	at.byRule = at.byRule || isImmutableByRule(s)
	at.immutable = at.immutable || at.byRule
	at.sensitive = at.sensitive || manifest.Text(s, "format") == "password"
	f := &Field{
		Name:      name,
		Default:   s["default"],
		Sensitive: at.sensitive, Immutable: at.immutable, Allocated: at.allocated,
		KeepsEmpty: true, ImmutableByCEL: at.byRule, Nullable: manifest.Flag(s, "nullable"),
	}
	f.keyDefault = f.Default
	for _, v := range manifest.List(s, "enum") {
		if v, ok := v.(string); ok {
			f.Enum = append(f.Enum, v)
		}
	}
	if known, ok := goTypes[ref]; ok {
		f.Type, f.Atomic, f.micro, f.verbatim = known.Type, known.Atomic, known.micro, known.verbatim
		return f
	}
	if ref == objectMetaComponent {
		f.Type, f.children = Object, builtin().children("meta/v1.ObjectMeta", at)
		return f
	}
	r.shape(f, ref, s, at, open)
	return f
}

// dereference follows a $ref, alone or as the one part of an allOf. What stands
// beside it wins over what it names.
func (r *schemaReader) dereference(s map[string]any) (ref string, merged map[string]any) {
	target := manifest.Text(s, "$ref")
	if parts := manifest.List(s, "allOf"); target == "" && len(parts) == 1 {
		if part, ok := parts[0].(map[string]any); ok {
			target = manifest.Text(part, "$ref")
		}
	}
	ref = target[strings.LastIndexByte(target, '/')+1:]
	named := manifest.Object(r.components, ref)
	if ref == "" || named == nil {
		return ref, s
	}
	merged = maps.Clone(named)
	for key, v := range s {
		if key != "$ref" && key != "allOf" {
			merged[key] = v
		}
	}
	return ref, merged
}

func (r *schemaReader) shape(f *Field, ref string, s map[string]any, at pathRules, open bool) {
	preserves := manifest.Flag(s, "x-kubernetes-preserve-unknown-fields")
	open = open || preserves
	switch typ := manifest.Text(s, "type"); {
	case manifest.Flag(s, "x-kubernetes-int-or-string"), manifest.Text(s, "format") == "int-or-string":
		f.Type, f.verbatim = IntOrString, true
	case typ == "string":
		f.Type, f.verbatim = stringType(manifest.Text(s, "format")), true
	case typ == "integer":
		f.Type, f.Int32 = Integer, manifest.Text(s, "format") == "int32"
	case typ == "number":
		f.Type = Number
	case typ == "boolean":
		f.Type = Boolean
	case typ == "array":
		r.list(f, s, at, open)
	case typ == "object":
		r.object(f, ref, s, at, open, preserves)
	default:
		f.Type = Any
	}
}

func stringType(format string) Type {
	switch format {
	case "byte":
		return Bytes
	case "date-time":
		return Time
	case "duration":
		return Duration
	}
	return String
}

func (r *schemaReader) list(f *Field, s map[string]any, at pathRules, open bool) {
	f.Type = List
	f.Elem = r.field("", manifest.Object(s, "items"), at, open)
	switch manifest.Text(s, "x-kubernetes-list-type") {
	case "set":
		f.Set = true
	case "map":
		f.ListKeys = manifest.Texts(s, "x-kubernetes-list-map-keys")
	case "":
		r.patchStrategy(f, s)
	}
}

// patchStrategy reads how lists were distinguished before there was a list type.
func (r *schemaReader) patchStrategy(f *Field, s map[string]any) {
	if !strings.HasPrefix(manifest.Text(s, "x-kubernetes-patch-strategy"), "merge") {
		return
	}
	if key := manifest.Text(s, "x-kubernetes-patch-merge-key"); key != "" {
		f.ListKeys = []string{key}
	} else {
		f.Set = true
	}
}

func (r *schemaReader) object(f *Field, ref string, s map[string]any, at pathRules, open, preserves bool) {
	f.Atomic = manifest.Text(s, "x-kubernetes-map-type") == "atomic"
	properties := manifest.Object(s, "properties")
	embedded := manifest.Flag(s, "x-kubernetes-embedded-resource")
	if len(properties) == 0 && !embedded {
		f.Type = Map
		f.Elem = anyBelow(f)
		if elem := manifest.Object(s, "additionalProperties"); elem != nil {
			f.Elem = r.field("", elem, at, open)
		}
		return
	}
	f.Type = Object
	if preserves || manifest.Flag(s, "additionalProperties") {
		f.Elem = anyBelow(f)
	}
	f.lenient = open && !preserves
	load := func() []*Field { return r.properties(s, at, open, embedded) }
	if ref == "" {
		f.children = &children{load: load}
		return
	}
	key := component{ref, at, open}
	if r.seen[key] == nil {
		r.seen[key] = &children{load: load}
	}
	f.children = r.seen[key]
}

// properties are the declared fields, in the order of their names: a schema has
// no other.
func (r *schemaReader) properties(s map[string]any, at pathRules, open, embedded bool) []*Field {
	required := manifest.Texts(s, "required")
	properties := maps.Clone(manifest.Object(s, "properties"))
	if embedded {
		if properties == nil {
			properties = map[string]any{}
		}
		stringSchema := map[string]any{"type": "string"}
		properties["apiVersion"], properties["kind"] = stringSchema, stringSchema
		properties["metadata"] = map[string]any{"$ref": objectMetaComponent}
		required = append(required, "apiVersion", "kind")
	}
	fields := make([]*Field, 0, len(properties))
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		child := r.field(name, manifest.Object(properties, name), at.below(name), open)
		child.Required = slices.Contains(required, name)
		fields = append(fields, child)
	}
	return fields
}

// isImmutableByRule reports whether a validation rule of the schema is that the
// value never changes. Any other rule on the old value needs a program to judge.
func isImmutableByRule(s map[string]any) bool {
	for _, v := range manifest.List(s, "x-kubernetes-validations") {
		rule, _ := v.(map[string]any)
		switch strings.Join(strings.Fields(manifest.Text(rule, "rule")), "") {
		case "self==oldSelf", "oldSelf==self":
			return true
		}
	}
	return false
}

// ownObject gives a root what every object has: apiVersion, kind and metadata.
func ownObject(root *Field, all pathRules) {
	declared := root.children
	root.children = &children{load: func() []*Field {
		fields := standardFields(all)
		if declared != nil {
			for _, f := range declared.resolve().list {
				if f.Name != "apiVersion" && f.Name != "kind" && f.Name != "metadata" {
					fields = append(fields, f)
				}
			}
		}
		return fields
	}}
}

// standardFields are what every object has, as the built-in kinds have it.
func standardFields(all pathRules) []*Field {
	var fields []*Field
	for _, f := range builtin().children("core/v1.ConfigMap", all).resolve().list {
		if f.Name == "apiVersion" || f.Name == "kind" || f.Name == "metadata" {
			fields = append(fields, f)
		}
	}
	return fields
}
