variable "a" {}
variable "a" {}
#^^^^^^^^^^^ Duplicate variable: var.a was already declared at main.kplan.hcl:1,1-13. Each variable needs a name of its own: rename one of the two, or remove it.
---
-- a.kplan.hcl --
variable "a" {
  default = 1
}
-- b.kplan.hcl --
variable "a" {
#^^^^^^^^^^^ Duplicate variable: var.a was already declared at a.kplan.hcl:6,1-13. Each variable needs a name of its own: rename one of the two, or remove it.
  default = 2
}
---
variable "1st" {}
#        ^^^^^ Invalid name: The name of a variable starts with a letter or an underscore and holds only letters, digits, underscores and dashes. For example "_1st".
---
variable "my var" {}
#        ^^^^^^^^ Invalid name: The name of a variable starts with a letter or an underscore and holds only letters, digits, underscores and dashes. For example "my_var".
---
variable "" {}
#        ^^ Invalid name: The name of a variable starts with a letter or an underscore and holds only letters, digits, underscores and dashes.
---
variable "count" {
#        ^^^^^^^ Reserved name: A variable can't be called "count": where a module is called, that is an argument of the call itself.
  default = 1
}
---
variable "a" {
  typ = string
# ^^^ Unsupported argument: An argument named "typ" is not expected here. Did you mean "type"?
}
---
variable "a" {
  validatoin {}
# ^^^^^^^^^^ Unsupported block type: Blocks of type "validatoin" are not expected here. Did you mean "validation"?
}
---
variable "a" {
  validation = true
# ^^^^^^^^^^ Unsupported argument: An argument named "validation" is not expected here. Did you mean to define a block of type "validation"?
}
---
variable "a" {
  default = var.b
#           ^^^^^ Constant value required: The default of a variable is read before anything is evaluated, so its value must be written out: it can't refer to var.b.
}
---
variable "a" {
  default = upper("x")
#           ^^^^^ Constant value required: The default of a variable is read before anything is evaluated, so its value must be written out: it can't call functions.
}
---
variable "a" {
  type    = number
  default = "x"
#           ^^^ Invalid default value: The default of var.a does not fit its type, number: a number is required.
}
---
variable "a" {
  type    = list(number)
  default = [1, "two"]
#           ^^^^^^^^^^ Invalid default value: The default of var.a does not fit its type, list(number): at [1]: a number is required.
}
---
variable "a" {
  type    = object({ name = string, size = number })
  default = { name = "x" }
#           ^^^^^^^^^^^^^^ Invalid default value: The default of var.a does not fit its type, object({name=string,size=number}): attribute "size" is required.
}
---
variable "a" {
  type    = map(object({ port = number }))
  default = { web = { port = "http" } }
#           ^^^^^^^^^^^^^^^^^^^^^^^^^^^ Invalid default value: The default of var.a does not fit its type, map(object({port=number})): at web.port: a number is required.
}
---
variable "a" {
  nullable = false
  default  = null
#            ^^^^ Invalid default value: The default of var.a is null, which nullable = false rules out.
}
---
variable "a" {
  description = 1 + var.b
#                   ^^^^^ Constant value required: description is read before anything is evaluated, so its value must be written out: it can't refer to var.b.
  sensitive   = "maybe"
#               ^^^^^^^ Invalid value: sensitive must be true or false.
  nullable    = null
#               ^^^^ Invalid value: nullable must not be null. Leave the argument out instead.
}
---
variable "a" {
  description = ["x"]
#               ^^^^^ Invalid value: description must be a string.
}
---
variable "required" {}
#^^^^^^^^^^^^^^^^^^ No value for required variable: var.required has no default, and nothing gives it a value. Set it with -var 'required=…', in a file named with -var-file, in default.kpvars.hcl, or in the environment as KPLAN_VAR_required.
variable "needed" {
#^^^^^^^^^^^^^^^^ No value for required variable: var.needed has no default, and nothing gives it a value. Set it with -var 'needed=…', in a file named with -var-file, in default.kpvars.hcl, or in the environment as KPLAN_VAR_needed.
  type = number
}
variable "fine" {
  default = 1
}
