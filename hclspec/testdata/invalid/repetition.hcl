resource "ConfigMap" "a" {
  for_each = ["a", "b"]
#            ^^^^^^^^^^ Invalid for_each argument: for_each is a map or a set of strings, and this is a list, which may hold an element twice. Write toset(…) around it.
  metadata { name = each.key }
}
---
resource "ConfigMap" "a" {
  for_each = null
#            ^^^^ Invalid for_each argument: for_each is null. For no instance at all give an empty map: {}.
  metadata { name = each.key }
}
---
resource "ConfigMap" "a" {
  for_each = "x"
#            ^^^ Invalid for_each argument: for_each is a map or a set of strings, and this is a string.
  metadata { name = each.key }
}
---
resource "ConfigMap" "a" {
  for_each = 3
#            ^ Invalid for_each argument: for_each is a map or a set of strings, and this is a number.
  metadata { name = each.key }
}
---
resource "ConfigMap" "a" {
  for_each = toset([1, 2])
#            ^^^^^^^^^^^^^ Invalid for_each argument: for_each is a map or a set of strings, and this set holds something else.
  metadata { name = each.key }
}
---
resource "ConfigMap" "a" {
  for_each = toset(["a", null])
#            ^^^^^^^^^^^^^^^^^^ Invalid for_each argument: for_each is a map or a set of strings, and this set holds something else.
  metadata { name = each.key }
}
---
resource "ConfigMap" "a" {
  for_each = sensitive({ a = 1 })
#            ^^^^^^^^^^^^^^^^^^^^ Invalid for_each argument: The keys of for_each name objects, so they can't be secret, and this value is sensitive. Where only the values are secret and not the keys, write nonsensitive(keys(…)) and look the values up in the body.
  metadata { name = each.key }
}
---
resource "ConfigMap" "a" {
  for_each = toset([sensitive("a")])
#            ^^^^^^^^^^^^^^^^^^^^^^^ Invalid for_each argument: The keys of for_each name objects, so they can't be secret, and this value is sensitive. Where only the values are secret and not the keys, write nonsensitive(keys(…)) and look the values up in the body.
  metadata { name = each.key }
}
---
resource "Service" "a" {
  metadata { name = "a" }
  spec {
    ports { port = 80 }
  }
}
resource "ConfigMap" "a" {
  for_each = toset([Service.a.spec.clusterIP])
#            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ Unknown for_each: The keys of for_each must be known before anything is made, and these depend on what only the cluster will decide. Use a map whose keys are written in the configuration, and let only its values depend on the cluster.
  metadata { name = each.key }
}
resource "ConfigMap" "b" {
  count = Service.a.spec.ports[0].nodePort
#         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ Unknown count: How many instances there are must be known before anything is made, and this depends on what only the cluster will decide.
  metadata { name = "b" }
}
resource "ConfigMap" "c" {
  for_each = Service.a.status
#            ^^^^^^^^^^^^^^^^ Unknown for_each: The keys of for_each must be known before anything is made, and these depend on what only the cluster will decide. Use a map whose keys are written in the configuration, and let only its values depend on the cluster.
  metadata { name = "b" }
}
---
resource "ConfigMap" "a" {
  count = -1
#         ^^ Invalid count argument: count is a whole number that is not negative.
  metadata { name = "a" }
}
---
resource "ConfigMap" "a" {
  count = 1.5
#         ^^^ Invalid count argument: count is a whole number that is not negative.
  metadata { name = "a" }
}
---
resource "ConfigMap" "a" {
  count = null
#         ^^^^ Invalid count argument: count is null. For no instance at all write 0.
  metadata { name = "a" }
}
---
resource "ConfigMap" "a" {
  count = true
#         ^^^^ Invalid count argument: count is a whole number, and this is a boolean.
  metadata { name = "a" }
}
---
resource "ConfigMap" "a" {
  count = "many"
#         ^^^^^^ Invalid count argument: count is a whole number, and this is a string.
  metadata { name = "a" }
}
---
resource "ConfigMap" "a" {
  count = sensitive(2)
#         ^^^^^^^^^^^^ Invalid count argument: How many objects there are can't be secret, and this value is sensitive.
  metadata { name = "a" }
}
---
resource "ConfigMap" "a" {
  count = 100001
#         ^^^^^^ Invalid count argument: count is at most 100000.
  metadata { name = "a" }
}
---
resource "ConfigMap" "a" {
  count = 100
  metadata { name = "a${count.index}" }
}
resource "ConfigMap" "b" {
#^^^^^^^^^^^^^^^^^^^^^^^ Too many objects: With this block the configuration makes more than 100000 objects. Split it into several stacks.
  count = 99901
  metadata { name = "b${count.index}" }
}
---
resource "ConfigMap" "a" {
  for_each = { a = 1, b = 2 }
  metadata { name = "same" }
#            ^^^^^^^^^^^^^ Duplicate object: ConfigMap.a["b"] and ConfigMap.a["a"] (main.kplan.hcl:125) are the same object, ConfigMap default/same. Give one of them another name.
}
---
resource "ConfigMap" "a" {
  metadata { name = "same" }
}
resource "ConfigMap" "b" {
  metadata {
    name      = "same"
#   ^^^^^^^^^^^^^^^^^^ Duplicate object: ConfigMap.b and ConfigMap.a (main.kplan.hcl:130) are the same object, ConfigMap default/same. Give one of them another name.
    namespace = "default"
  }
}
---
resource "ConfigMap" "a" {
  for_each = { a = "x", b = 1.5, c = [] }
  metadata { name = each.key }
  data = { x = each.value }
#              ^^^^^^^^^^ Invalid value: data.x must be a string, and this is a list.
}
---
resource "ConfigMap" "a" {
  for_each {
# ^^^^^^^^ Invalid block: for_each is an argument: for_each = …. If a field of the object is meant, write manifest = { for_each = … }.
    a = 1
  }
  metadata { name = "a" }
  count { x = 1 }
# ^^^^^ Invalid block: count is an argument: count = …. If a field of the object is meant, write manifest = { count = … }.
  lifecycle = {}
# ^^^^^^^^^ Invalid argument: lifecycle is a block: it is written without an equals sign. If a field of the object is meant, write manifest = { lifecycle = … }.
  wait = true
# ^^^^ Invalid argument: wait is a block: it is written without an equals sign. If a field of the object is meant, write manifest = { wait = … }.
}
---
resource "ConfigMap" "a" {
  for_each = var.maps
  metadata { name = each.value.nam }
#                             ^^^^ Unsupported attribute: This object does not have an attribute named "nam".
}
variable "maps" { default = { a = { name = "x" } } }
