package budget

import (
	"errors"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// Convert is convert.Convert, which compares the types of all elements of a tuple with one another.
func Convert(v cty.Value, to cty.Type) (cty.Value, error) {
	to = Concrete(to, v.Type())
	v, marks := v.Unmark()
	parts := elements(v)
	if parts == 0 || !v.Type().IsTupleType() && !v.Type().IsObjectType() || to.HasDynamicTypes() {
		converted, err := convert.Convert(v, to)
		return converted.WithMarks(marks), err
	}
	var converted cty.Value
	var err error
	switch {
	case to.IsCollectionType() && (v.Type().IsTupleType() || to.IsMapType()):
		converted, err = collection(v, to)
	case to.IsObjectType() && v.Type().IsObjectType():
		converted, err = object(v, to)
	default:
		converted, err = convert.Convert(v, to)
	}
	if err != nil {
		return cty.NilVal, err
	}
	return converted.WithMarks(marks), nil
}

// collection makes a list, set or map of a tuple or an object that is not empty.
func collection(v cty.Value, to cty.Type) (cty.Value, error) {
	if v.Type().IsTupleType() && to.IsMapType() {
		return convert.Convert(v, to) // an error
	}
	list, entries := make([]cty.Value, 0, elements(v)), map[string]cty.Value{}
	for it := v.ElementIterator(); it.Next(); {
		key, element := it.Element()
		converted, err := Convert(element, to.ElementType())
		if err != nil {
			return cty.NilVal, below(cty.IndexStep{Key: key}, err)
		}
		if to.IsMapType() {
			entries[key.AsString()] = converted
		} else {
			list = append(list, converted)
		}
	}
	switch {
	case to.IsMapType():
		return cty.MapVal(entries), nil
	case to.IsSetType():
		return cty.SetVal(list), nil
	}
	return cty.ListVal(list), nil
}

// object makes an object of another.
func object(v cty.Value, to cty.Type) (cty.Value, error) {
	attributes := make(map[string]cty.Value, len(to.AttributeTypes()))
	for name, ty := range to.AttributeTypes() {
		switch {
		case v.Type().HasAttribute(name):
			converted, err := Convert(v.GetAttr(name), ty)
			if err != nil {
				return cty.NilVal, below(cty.GetAttrStep{Name: name}, err)
			}
			attributes[name] = converted
		case to.AttributeOptional(name):
			attributes[name] = cty.NullVal(ty.WithoutOptionalAttributesDeep())
		default:
			return convert.Convert(v, to) // an error
		}
	}
	return cty.ObjectVal(attributes), nil
}

func below(step cty.PathStep, err error) error {
	path := cty.Path{step}
	if inner := (cty.PathError{}); errors.As(err, &inner) {
		return append(path, inner.Path...).NewErrorf("%s", inner.Error())
	}
	return path.NewError(err)
}
