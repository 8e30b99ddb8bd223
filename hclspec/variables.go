package hclspec

import "github.com/zclconf/go-cty/cty"

// Values are the values of a configuration's variables, converted to their
// types and checked by their validations.
type Values struct{ values map[string]cty.Value }
