package config

import (
	"errors"
	"fmt"

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
func (p *parser) paths(attr *hcl.Attribute) []addrs.Path {
	if attr == nil {
		return nil
	}
	exprs, diags := hcl.ExprList(attr.Expr)
	if diags.HasErrors() {
		detail := fmt.Sprintf("%s is a list of fields of the object, such as [spec.replicas, metadata.annotations].", attr.Name)
		if hcl.ExprAsKeyword(attr.Expr) == "all" {
			detail += " There is no \"all\": name the top-level fields instead, such as [spec]."
		}
		p.problem("Invalid field path", attr.Expr.Range(), "%s", detail)
		return nil
	}
	var paths []addrs.Path
	for _, expr := range exprs {
		path, err := fieldPath(expr)
		if err != nil {
			p.problem("Invalid field path", expr.Range(),
				"%s holds fields of the object, such as spec.replicas or metadata.annotations[\"a.b/c\"]: %v.", attr.Name, err)
			continue
		}
		paths = append(paths, path)
	}
	return paths
}
