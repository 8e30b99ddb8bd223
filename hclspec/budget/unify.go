package budget

import (
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// cty finds the type that values have in common by comparing the type of each with that of each, however often the same
// type is among them.

// manyTypes is how many types nobody has in one list.
const manyTypes = 500

// Unify is the type that values of some types can be converted to, NilType if there is none.
func Unify(types []cty.Type) cty.Type {
	once := distinctTypes(types)
	if len(once) > manyTypes {
		return cty.NilType
	}
	ty, _ := convert.UnifyUnsafe(once)
	return ty
}

// distinctTypes are types, each once, up to a few more than manyTypes.
func distinctTypes(types []cty.Type) []cty.Type {
	var once []cty.Type
next:
	for _, ty := range types {
		for _, other := range once {
			if other.Equals(ty) {
				continue next
			}
		}
		if once = append(once, ty); len(once) > manyTypes {
			break
		}
	}
	return once
}

// Concrete is the type that a conversion to a list, set or map of any has for values of a type.
func Concrete(to, from cty.Type) cty.Type {
	if !to.IsCollectionType() || to.ElementType() != cty.DynamicPseudoType {
		return to
	}
	types := partTypes(from)
	if len(types) == 0 {
		return to
	}
	element := Unify(types)
	switch {
	case element == cty.NilType:
		return to
	case to.IsListType():
		return cty.List(element)
	case to.IsSetType():
		return cty.Set(element)
	}
	return cty.Map(element)
}

// partTypes are the types of the elements of a tuple, or of the attributes of an object.
func partTypes(ty cty.Type) []cty.Type {
	switch {
	case ty.IsTupleType():
		return ty.TupleElementTypes()
	case ty.IsObjectType():
		types := make([]cty.Type, 0, len(ty.AttributeTypes()))
		for _, attribute := range ty.AttributeTypes() {
			types = append(types, attribute)
		}
		return types
	}
	return nil
}

// unifyPair is the type that two values have in common: of tuples of different lengths it is a list, of objects with
// different attributes a map.
func unifyPair(a, b cty.Type) cty.Type {
	switch {
	case a.IsTupleType() && b.IsTupleType() && a.Length() != b.Length():
		return collectionOf(cty.List, a, b)
	case a.IsObjectType() && b.IsObjectType() && !sameAttributes(a, b):
		return collectionOf(cty.Map, a, b)
	}
	ty, _ := convert.UnifyUnsafe([]cty.Type{a, b})
	return ty
}

func collectionOf(collection func(cty.Type) cty.Type, a, b cty.Type) cty.Type {
	element := Unify(append(partTypes(a), partTypes(b)...))
	if element == cty.NilType {
		return cty.NilType
	}
	return collection(element)
}

func sameAttributes(a, b cty.Type) bool {
	if len(a.AttributeTypes()) != len(b.AttributeTypes()) {
		return false
	}
	for name := range a.AttributeTypes() {
		if !b.HasAttribute(name) {
			return false
		}
	}
	return true
}

// typesCompared is the price of finding the type that the elements of a value have in common.
func typesCompared(v cty.Value) int64 {
	const pair = 8
	types := partTypes(v.Type())
	if len(types) < manyTypes || len(distinctTypes(types)) <= manyTypes {
		return 0
	}
	return pair * int64(len(types)) * int64(len(types))
}
