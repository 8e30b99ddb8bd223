locals {
  a = 1
}
locals {
  a = 2
# ^ Duplicate local value: local.a was already declared at main.kplan.hcl:2,3-4. Each local value needs a name of its own: rename one of the two, or remove it.
}
---
locals {
  nested {
# ^^^^^^ Unsupported block type: A locals block holds lines such as name = value and no blocks: write nested = { … }.
    a = 1
  }
}
---
locals {
  a = 1
  a = 2
# ^ Attribute redefined: The argument "a" was already set at main.kplan.hcl:17,3-4. Each argument may be set only once.
}
---
output "a" {}
#          ^ Missing required argument: The argument "value" is required, but no definition was found.
---
output "a" {
  value = 1
}
output "a" {
#^^^^^^^^^ Duplicate output: output.a was already declared at main.kplan.hcl:25,1-11. Each output needs a name of its own: rename one of the two, or remove it.
  value = 2
}
---
output "a.b" {
#      ^^^^^ Invalid name: The name of an output starts with a letter or an underscore and holds only letters, digits, underscores and dashes. For example "a_b".
  value = 1
}
---
output "a" {
  value     = 1
  senstive  = true
# ^^^^^^^^ Unsupported argument: An argument named "senstive" is not expected here. Did you mean "sensitive"?
}
---
output "a" {
  value     = 1
  sensitive = var.x
#             ^^^^^ Constant value required: sensitive is read before anything is evaluated, so its value must be written out: it can't refer to var.x.
}
---
output "a" {
  value      = 1
  depends_on = [pod.web, var.x, "Pod.web", Pod, Pod.web.metadata, 5]
#               ^^^^^^^ Invalid depends_on: depends_on names resources, such as Namespace.tenant. "pod" is none: a kind begins with a capital letter.
#                        ^^^^^ Invalid depends_on: depends_on names resources, such as Namespace.tenant. "var" is none: a kind begins with a capital letter.
#                               ^^^^^^^^^ Invalid depends_on: A reference is written without quotes: [Pod.web].
#                                          ^^^ Invalid depends_on: The name of the resource is missing: a reference looks like Pod.name.
#                                               ^^^^^^^^^^^^^^^^ Invalid depends_on: depends_on waits for whole objects: leave out what follows Pod.web.
#                                                                 ^ Invalid depends_on: depends_on holds references to resources, such as Namespace.tenant, and no other expressions.
}
---
output "a" {
  value = 1
  precondition {
#              ^ Missing required argument: The argument "error_message" is required, but no definition was found.
    condition = true
  }
}
---
output "a" {
  value = { n = [1, 1e400] }
#         ^^^^^^^^^^^^^^^^^^ Number too large: The state holds outputs as JSON, which keeps whole numbers of 64 bits. Convert a longer one to text with tostring().
}
---
output "a" {
  value = { n = [1e22, 0.1, 1/3, 9223372036854775808] }
#         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ Number too large: The state holds outputs as JSON, which keeps whole numbers of 64 bits. Convert a longer one to text with tostring().
}
output "b" {
  value = [9223372036854775807, tostring(9223372036854775808)]
}
