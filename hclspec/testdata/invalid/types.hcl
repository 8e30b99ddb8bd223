variable "a" {
  type = "string"
#        ^^^^^^^^ Quoted type: A type is written without quotes: type = string.
}
---
variable "a" {
  type = "list"
#        ^^^^^^ Quoted type: A type is written without quotes: type = list(any).
}
---
variable "a" {
  type = strin
#        ^^^^^ Invalid type specification: The keyword "strin" is not a valid type specification. Did you mean "string"?
}
---
variable "a" {
  type = integer
#        ^^^^^^^ Invalid type specification: The keyword "integer" is not a valid type specification. Did you mean "number"?
}
---
variable "a" {
  type = list(boolean)
#             ^^^^^^^ Invalid type specification: The keyword "boolean" is not a valid type specification. Did you mean "bool"?
}
---
variable "a" {
  type = list
#        ^^^^ Invalid type specification: The list type constructor requires one argument specifying the element type.
}
---
variable "a" {
  type = object({ name = sting })
#                        ^^^^^ Invalid type specification: The keyword "sting" is not a valid type specification. Did you mean "string"?
}
---
variable "a" {
  type = object({ name = "string" })
#                        ^^^^^^^^ Invalid type specification: A type specification is either a primitive type keyword (bool, number, string) or a complex type constructor call, like list(string).
}
---
variable "a" {
  type = lst(string)
#        ^^^^^^^^^^^ Invalid type specification: Keyword "lst" is not a valid type constructor. Did you mean "list"?
}
---
variable "a" {
  type = list(string, number)
#                     ^^^^^^ Invalid type specification: The list type constructor requires one argument specifying the element type.
}
---
variable "a" {
  type = object([string])
#               ^^^^^^^^ Invalid type specification: Object type constructor requires a map whose keys are attribute names and whose values are the corresponding attribute types.
}
---
variable "a" {
  type = optional(string)
#        ^^^^^^^^ Invalid type specification: Keyword "optional" is valid only as a modifier for object type attributes.
}
---
variable "a" {
  type = object({ n = optional(number, "x") })
#                                      ^^^ Invalid default value for optional attribute: This default value is not compatible with the attribute's type constraint: a number is required.
}
---
variable "a" {
  type = [string]
#        ^^^^^^^^ Invalid type specification: A type specification is either a primitive type keyword (bool, number, string) or a complex type constructor call, like list(string).
}
---
variable "a" {
  type = string | number
#               ^ Unsupported operator: Bitwise operators are not supported. Did you mean boolean OR ("||")?
}
---
variable "a" {
  type = {}
#        ^^ Invalid type specification: A type specification is either a primitive type keyword (bool, number, string) or a complex type constructor call, like list(string).
}
