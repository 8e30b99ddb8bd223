package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"go/ast"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// kindRow is one kind in one version.
type kindRow struct {
	apiVersion, name, plural string
	namespaced, status       bool
	decl                     *typeDecl
}

// typeRow is one struct type that some kind holds.
type typeRow struct {
	name   string // core/v1.PodSpec
	atomic bool
	fields []*fieldRow
}

// fieldRow is one field of a struct type.
type fieldRow struct {
	name string
	typ  string // []core/v1.Container

	keys       []string
	set        bool
	relation   string // atomic or granular, where the field itself has it
	required   bool
	immutable  bool
	pointer    bool   // absent and empty are two things
	zero       bool   // the schema's default is the type's zero value
	deflt      string // of the schema, which also stands in for an absent list key
	fills      string // what code of the server fills in
	enum       []string
	references []*typeDecl
}

// kinds finds every kind that a user can create and keep: those with a client
// of their own, less what only answers a question (SubjectAccessReview), what
// only acts on another object (policy/v1 Eviction) and what this release does
// not serve, or serves for reading only.
func (s *source) kinds(unserved []string) ([]kindRow, error) {
	paths, err := s.apiPackages()
	if err != nil {
		return nil, err
	}
	var rows []kindRow
	for _, importPath := range paths {
		p, err := s.load(importPath)
		if err != nil {
			return nil, err
		}
		apiVersion := strings.TrimPrefix(p.group+"/"+path.Base(importPath), "/")
		for _, decl := range p.types {
			m := markers(decl.detached + decl.doc)
			gone, ever := p.removed[decl.name]
			switch {
			case !m.has("genclient"), m.has("genclient:noVerbs"), m.has("genclient:onlyVerbs"),
				ever && gone <= s.minor, slices.Contains(unserved, apiVersion), slices.Contains(unserved, apiVersion+"."+decl.name):
				continue
			}
			rows = append(rows, kindRow{
				apiVersion: apiVersion,
				name:       decl.name,
				plural:     plural(decl.name, m),
				namespaced: !m.has("genclient:nonNamespaced"),
				status:     hasField(decl, "Status") && !m.has("genclient:noStatus"),
				decl:       decl,
			})
		}
	}
	slices.SortFunc(rows, func(a, b kindRow) int {
		return cmp.Or(cmp.Compare(a.apiVersion, b.apiVersion), cmp.Compare(a.name, b.name))
	})
	return rows, nil
}

func hasField(decl *typeDecl, name string) bool {
	st, ok := decl.expr.(*ast.StructType)
	return ok && slices.ContainsFunc(st.Fields.List, func(f *ast.Field) bool {
		return slices.ContainsFunc(f.Names, func(n *ast.Ident) bool { return n.Name == name })
	})
}

// plural is the name of a kind's resource, as client-gen derives it.
func plural(kind string, m markerSet) string {
	if name, ok := m.last("resourceName"); ok {
		return name
	}
	name := strings.ToLower(kind)
	switch {
	case name == "endpoints":
		return name
	case strings.HasSuffix(name, "s"), strings.HasSuffix(name, "x"), strings.HasSuffix(name, "ch"), strings.HasSuffix(name, "sh"):
		return name + "es"
	case strings.HasSuffix(name, "y") && !strings.ContainsRune("aeiou", rune(name[len(name)-2])):
		return name[:len(name)-1] + "ies"
	}
	return name + "s"
}

// reachable is every struct type that the kinds hold, by name.
func (s *source) reachable(kinds []kindRow) ([]*typeRow, error) {
	rows := map[string]*typeRow{}
	var queue []*typeDecl
	for _, k := range kinds {
		queue = append(queue, k.decl)
	}
	for len(queue) > 0 {
		decl := queue[0]
		queue = queue[1:]
		if rows[decl.tableName()] != nil {
			continue
		}
		row, err := s.typeRow(decl)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", decl.tableName(), err)
		}
		rows[row.name] = row
		for _, f := range row.fields {
			queue = append(queue, f.references...)
		}
	}
	var sorted []*typeRow
	for _, row := range rows {
		sorted = append(sorted, row)
	}
	slices.SortFunc(sorted, func(a, b *typeRow) int { return cmp.Compare(a.name, b.name) })
	return sorted, nil
}

func (s *source) typeRow(decl *typeDecl) (*typeRow, error) {
	fields, err := s.fields(decl)
	if err != nil {
		return nil, err
	}
	relation, _ := markers(decl.detached + decl.doc).last("structType")
	return &typeRow{name: decl.tableName(), atomic: relation == "atomic", fields: fields}, nil
}

// tableName is the type's name in the table: group directory, version, name.
func (d *typeDecl) tableName() string {
	parts := strings.Split(d.pkg.path, "/")
	return strings.Join(parts[len(parts)-2:], "/") + "." + d.name
}

// fields are the struct's fields in order, those of embedded structs in place.
func (s *source) fields(decl *typeDecl) ([]*fieldRow, error) {
	st, ok := decl.expr.(*ast.StructType)
	if !ok {
		named, err := s.named(decl, decl.expr)
		if err != nil || named == nil {
			return nil, fmt.Errorf("it is not a struct: %v", err)
		}
		return s.fields(named)
	}
	var rows []*fieldRow
	for _, f := range st.Fields.List {
		tag := reflect.StructTag("")
		if f.Tag != nil {
			text, _ := strconv.Unquote(f.Tag.Value)
			tag = reflect.StructTag(text)
		}
		name, options, _ := strings.Cut(tag.Get("json"), ",")
		switch {
		case name == "-":
		case name == "" && len(f.Names) == 0:
			embedded, err := s.named(decl, f.Type)
			if err != nil {
				return nil, err
			}
			inner, err := s.fields(embedded)
			if err != nil {
				return nil, err
			}
			rows = append(rows, inner...)
		case name == "":
			return nil, fmt.Errorf("field %s has no JSON name", f.Names[0].Name)
		default:
			row, err := s.field(decl, f, name, strings.Contains(options, "omitempty") || strings.Contains(options, "omitzero"))
			if err != nil {
				return nil, fmt.Errorf("field %s: %w", name, err)
			}
			rows = append(rows, row)
		}
	}
	return rows, nil
}

func (s *source) field(decl *typeDecl, f *ast.Field, name string, omitempty bool) (*fieldRow, error) {
	m := markers(f.Doc.Text())
	row := &fieldRow{name: name}
	_, row.pointer = f.Type.(*ast.StarExpr)
	if err := s.resolve(decl, f.Type, row); err != nil {
		return nil, err
	}
	switch listType, _ := m.last("listType"); listType {
	case "map":
		row.keys = m["listMapKey"]
	case "set":
		row.set = true
	}
	if relation, ok := m.last("structType"); ok {
		row.relation = relation
	}
	if relation, ok := m.last("mapType"); ok {
		row.relation = relation
	}
	scalar := row.typ == "string" || row.typ == "int" || row.typ == "int32" || row.typ == "number" || row.typ == "bool"
	row.immutable = isImmutable(m)
	row.zero = scalar && !row.pointer && !omitempty
	row.required = m.has("required") || m.has("k8s:required") || !m.has("optional") && !m.has("k8s:optional") && !omitempty && !row.pointer
	if value, ok := m.last("default"); ok {
		var err error
		if row.deflt, err = s.defaultValue(decl, value); err != nil {
			return nil, err
		}
	}
	return row, nil
}

// isImmutable reports whether a marker forbids any change of the field. Of some the
// marker still stands behind the release that will enforce it, as in
// +k8s:alpha(since: "1.37")=+k8s:immutable; a check in code enforces those now.
func isImmutable(m markerSet) bool {
	for name, values := range m {
		staged := strings.HasPrefix(name, "k8s:alpha(") || strings.HasPrefix(name, "k8s:beta(")
		if name == "k8s:immutable" || staged && slices.Contains(values, "+k8s:immutable") {
			return true
		}
	}
	return false
}

// defaultValue is the JSON of a +default marker, which may name a constant.
func (s *source) defaultValue(decl *typeDecl, marker string) (string, error) {
	if ref, ok := strings.CutPrefix(marker, "ref("); ok {
		value, ok := decl.pkg.consts[strings.TrimSuffix(ref, ")")]
		if !ok {
			return "", fmt.Errorf("no constant for default %s", marker)
		}
		return strconv.Quote(value), nil
	}
	return compactJSON(marker)
}

func compactJSON(text string) (string, error) {
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return "", fmt.Errorf("%s is not JSON: %w", text, err)
	}
	out, err := json.Marshal(v)
	return strings.ReplaceAll(string(out), " ", `\u0020`), err
}

// special are the types whose JSON is not that of their Go structure.
var special = map[string]string{
	"k8s.io/apimachinery/pkg/api/resource.Quantity":                                         "quantity",
	"k8s.io/apimachinery/pkg/util/intstr.IntOrString":                                       "intorstring",
	"k8s.io/apimachinery/pkg/apis/meta/v1.Time":                                             "time",
	"k8s.io/apimachinery/pkg/apis/meta/v1.MicroTime":                                        "microtime",
	"k8s.io/apimachinery/pkg/apis/meta/v1.Duration":                                         "duration",
	"k8s.io/apimachinery/pkg/apis/meta/v1.FieldsV1":                                         "object",
	"k8s.io/apimachinery/pkg/runtime.RawExtension":                                          "raw",
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSON":                         "any",
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrArray":       "any",
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrBool":        "any",
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaPropsOrStringArray": "any",
}

var builtinTypes = map[string]string{
	"string": "string", "bool": "bool",
	"int": "int", "int32": "int32", "int64": "int", "uint8": "int", "uint32": "int", "uint64": "int",
	"float32": "number", "float64": "number",
}

// resolve writes the field's type in the table's notation.
func (s *source) resolve(decl *typeDecl, expr ast.Expr, row *fieldRow) error {
	switch e := expr.(type) {
	case *ast.StarExpr:
		return s.resolve(decl, e.X, row)
	case *ast.ArrayType:
		if id, ok := e.Elt.(*ast.Ident); ok && id.Name == "byte" {
			row.typ += "bytes"
			return nil
		}
		row.typ += "[]"
		return s.resolve(decl, e.Elt, row)
	case *ast.MapType:
		row.typ += "{}"
		return s.resolve(decl, e.Value, row)
	case *ast.Ident:
		if name, ok := builtinTypes[e.Name]; ok {
			row.typ += name
			return nil
		}
	}
	if sel, ok := expr.(*ast.SelectorExpr); ok {
		if name, ok := special[decl.imports[sel.X.(*ast.Ident).Name]+"."+sel.Sel.Name]; ok {
			row.typ += name
			return nil
		}
	} else if id, ok := expr.(*ast.Ident); ok {
		if name, ok := special[decl.pkg.path+"."+id.Name]; ok {
			row.typ += name
			return nil
		}
	}
	named, err := s.named(decl, expr)
	if err != nil {
		return err
	}
	if _, ok := named.expr.(*ast.StructType); ok {
		row.typ += named.tableName()
		row.references = append(row.references, named)
		return nil
	}
	if markers(named.doc+named.detached).has("enum") && row.typ == "" {
		row.enum = named.pkg.members[named.name]
	}
	return s.resolve(named, named.expr, row)
}

// named is the declaration that a name in decl's file stands for.
func (s *source) named(decl *typeDecl, expr ast.Expr) (*typeDecl, error) {
	p, name := decl.pkg, ""
	switch e := expr.(type) {
	case *ast.Ident:
		name = e.Name
	case *ast.SelectorExpr:
		name = e.Sel.Name
		var err error
		if p, err = s.load(decl.imports[e.X.(*ast.Ident).Name]); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("a type of the form %T is not known", expr)
	}
	if found := p.types[name]; found != nil {
		return found, nil
	}
	return nil, fmt.Errorf("%s.%s is not declared", p.path, name)
}
