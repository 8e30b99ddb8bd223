package config

import (
	"errors"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/source"
)

func fieldPath(expr hcl.Expression) (addrs.Path, error) {
	if value, diags := expr.Value(nil); !diags.HasErrors() {
		if value.Type() != cty.String || value.IsNull() || !value.IsKnown() {
			return addrs.Path{}, errors.New("this is a value and names no field")
		}
		return addrs.ParsePath(value.AsString())
	}
	traversal, diags := hcl.AbsTraversalForExpr(expr)
	if diags.HasErrors() {
		return addrs.Path{}, errors.New("only names, dots and keys in brackets are allowed")
	}
	return source.TraversalPath(traversal)
}

// paths reads a list of field paths, each written as a reference or as a string.
func (p *parser) paths(attr *hcl.Attribute, at map[addrs.Path]hcl.Range) []addrs.Path {
	if attr == nil {
		return nil
	}
	exprs, diags := hcl.ExprList(attr.Expr)
	if diags.HasErrors() {
		p.problem("Invalid field path", attr.Expr.Range(),
			"%s is a list of fields of the object, such as [spec.replicas, metadata.annotations].%s", attr.Name, notAll(attr.Expr))
		return nil
	}
	var paths []addrs.Path
	for _, expr := range exprs {
		path, err := fieldPath(expr)
		if hint := notAll(expr); hint != "" {
			p.problem("Invalid field path", expr.Range(), "%s holds fields of the object.%s", attr.Name, hint)
			continue
		}
		if err != nil {
			p.problem("Invalid field path", expr.Range(),
				"%s holds fields of the object, such as spec.replicas or metadata.annotations[\"a.b/c\"]: %v.", attr.Name, err)
			continue
		}
		paths = append(paths, path)
		at[path] = expr.Range()
	}
	return paths
}

// notAll says what to write instead of Terraform's keyword for all fields, "" for any other expression.
func notAll(expr hcl.Expression) string {
	if hcl.ExprAsKeyword(expr) != "all" {
		return ""
	}
	return " There is no \"all\": name the top-level fields instead, such as [spec]."
}
