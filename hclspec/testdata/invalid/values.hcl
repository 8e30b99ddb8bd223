variable "a" {
  type = number
}
-- default.kpvars.hcl --
a = "many"
#   ^^^^^^ Invalid value for variable: The value of var.a from default.kpvars.hcl:5 does not fit: its type is number, and the value is a string. The reason: a number is required.
b = 2
#<1,1 Warning: Value for undeclared variable: The configuration declares no variable "b", so this value is not used.
---
variable "app" {
  type = object({ name = string, ports = list(number) })
}
-- default.kpvars.hcl --
app = {
#     ^^^ Invalid value for variable: The value of var.app from default.kpvars.hcl:14 does not fit: its type is object({name=string,ports=list(number)}), and the value is an object. The reason: at ports[1]: a number is required.
  name  = "x"
  ports = [80, "http"]
}
---
variable "app" {
  default = 1
}
-- prod.auto.kpvars.hcl --
ap = 2
#^ Warning: Value for undeclared variable: The configuration declares no variable "ap", so this value is not used. Did you mean "app"?
---
variable "a" {
#^^^^^^^^^^^ No value for required variable: var.a has no default, and nothing gives it a value. Set it with -var 'a=…', in a file named with -var-file, in default.kpvars.hcl, or in the environment as KPLAN_VAR_a.
  type = string
}
-- default.kpvars.hcl --
variable "a" {
#^^^^^^^ Variable declaration in file of variables: A file of variables gives values, it declares nothing: write a = … here, and put the variable block into a file named *.kplan.hcl.
  type = string
}
---
variable "a" {
  default = {}
}
-- default.kpvars.hcl --
a {
#<1,1 Unexpected block in file of variables: A file of variables holds lines such as name = value and no blocks. If a is a variable, write a = { … }.
  b = 1
}
---
variable "a" {
  default = 1
}
-- default.kpvars.hcl --
a = prod
#   ^^^^ Constant value required: A file of variables holds constant values, so var.a can't refer to prod here. A string needs quotes.
---
variable "a" {
  default = 1
}
-- default.kpvars.hcl --
a = upper("x")
#   ^^^^^ Constant value required: A file of variables holds constant values, so that of var.a can't call functions.
---
variable "a" {
  default = 1
}
-- default.kpvars.hcl --
a = 
#   ^^^ Invalid expression: Expected the start of an expression, but found an invalid expression token.
---
variable "a" {
  type     = string
  nullable = false
}
-- default.kpvars.hcl --
a = null
#   ^^^^ Invalid value for variable: The value of var.a from default.kpvars.hcl:72 is null, which nullable = false rules out.
---
variable "keys" {
  type      = map(number)
  sensitive = true
}
-- default.kpvars.hcl --
keys = { hunter2 = "hunter3" }
#      ^^^^^^^^^^^^^^^^^^^^^^^ Invalid value for variable: The value of var.keys from default.kpvars.hcl:80 does not fit: its type is map(number), and the value is an object.
---
variable "a" {
  type = list(string)
}
-- default.kpvars.json --
{
  "a": {"x": 1},
#      ^^^^^^^^ Invalid value for variable: The value of var.a from default.kpvars.json:88 does not fit: its type is list(string), and the value is an object. The reason: list of string required.
  "b": "y"
# ^^^ Warning: Value for undeclared variable: The configuration declares no variable "b", so this value is not used.
}
---
variable "a" {
  default = 1
}
-- default.kpvars.json --
[1]
#<1,1 Incorrect JSON value type: A JSON object is required here, setting the arguments for this block.
---
variable "a" {
  default = 1
  validation {
    condition     = var.a < 3
    error_message = "Too many."
  }
}
-- default.kpvars.hcl --
a = 4
#   ^ Invalid value for variable: Too many. The value of var.a from default.kpvars.hcl:109 breaks the rule at main.kplan.hcl:103,3-13.
---
variable "a" {
  default = { a = 1, "a" = 2 }
#                    ^^^ Duplicate key: This object has the key "a" already, in line 113. Only one of the two values would count: take one away.
}
locals {
  a = { 5 = 1, "5" = 2, (local.b) = 3 }
#              ^^^ Duplicate key: This object has the key "5" already, in line 117. Only one of the two values would count: take one away.
  b = concat([{ x = { y = 1, y = 1 } }], [])
#                            ^ Duplicate key: This object has the key "y" already, in line 119. Only one of the two values would count: take one away.
}
output "a" { value = true ? {} : { a = 1, a = 1 } }
#                                         ^ Duplicate key: This object has the key "a" already, in line 122. Only one of the two values would count: take one away.
---
resource "Deployment" "d" {
  metadata { name = "d" }
  spec {
    replicas = 3000000000
#              ^^^^^^^^^^ Invalid value: spec.replicas must be a whole number of at most 32 bits, which is 2147483647.
    selector { matchLabels = { a = "b" } }
    template {
      metadata { labels = { a = "b" } }
      spec {
        containers {
          name           = "c"
          image          = "x"
          livenessProbe = { httpGet = { port = 4294967376 } }
#                                              ^^^^^^^^^^ Invalid value: spec.template.spec.containers[0].livenessProbe.httpGet.port must be a whole number or a string of at most 32 bits, which is 2147483647.
        }
      }
    }
  }
}
