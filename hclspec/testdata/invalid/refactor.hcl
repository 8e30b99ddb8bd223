resource "ConfigMap" "a" {
  metadata { name = "a" }
}
import { to = ConfigMap.a }
import { to = ConfigMap.a }
#^^^^^ Duplicate import: ConfigMap.a is imported at main.kplan.hcl:4,1-7 already. Remove one of the two blocks.
---
moved {
  from = ConfigMap.b
  to   = ConfigMap.c
}
moved {
#^^^^ Ambiguous move: ConfigMap.b is moved to ConfigMap.c already, at main.kplan.hcl:8,1-6.
  from = ConfigMap.b
  to   = ConfigMap.d
}
---
moved {
  from = ConfigMap.x
  to   = ConfigMap.y
}
moved {
  from = ConfigMap.y
  to   = ConfigMap.z
}
moved {
#^^^^ Moves in a circle: The moved blocks lead from ConfigMap.z back to it, so no address is the last. Remove one of them.
  from = ConfigMap.z
  to   = ConfigMap.x
}
---
removed { from = ConfigMap.z }
removed { from = ConfigMap.z }
#^^^^^^ Duplicate removed block: There is a block for ConfigMap.z at main.kplan.hcl:32,1-8 already. Remove one of the two.
---
resource "ConfigMap" "a" {
  for_each = { a = 1, b = 2 }
  metadata { name = each.key }
}
import {
  for_each = { x = "a", y = "c" }
  to       = ConfigMap.a[each.value]
#            ^^^^^^^^^^^^^^^^^^^^^^^ Reference to undeclared instance: There is no instance ConfigMap.a["c"] to import into. Did you mean ConfigMap.a["a"]?
}
---
resource "ConfigMap" "a" {
  for_each = { a = 1, b = 2 }
  metadata { name = each.key }
}
import { to = ConfigMap.a["a"] }
import {
  for_each = { a = 1 }
  to       = ConfigMap.a[each.key]
#            ^^^^^^^^^^^^^^^^^^^^^ Duplicate import: ConfigMap.a["a"] is imported at main.kplan.hcl:50,1-7 already.
}
---
resource "ConfigMap" "a" {
  for_each = { a = 1, b = 2 }
  metadata { name = each.key }
}
import {
  for_each = { a = 1 }
  to       = ConfigMap.a
#            ^^^^^^^^^^^ Invalid resource address: With for_each, to is the address of an instance with each.key or each.value in brackets, such as Pod.web[each.key], without quotes.
}
---
resource "ConfigMap" "a" {
  for_each = { a = 1, b = 2 }
  metadata { name = each.key }
}
import {
  for_each = { a = true }
  to       = ConfigMap.a[each.value]
#                        ^^^^^^^^^^ Invalid import: The key of an instance is a string or a whole number.
}
import {
  for_each = ["a"]
#            ^^^^^ Invalid for_each argument: for_each is a map or a set of strings, and this is a list, which may hold an element twice. Write toset(…) around it.
  to       = ConfigMap.a[each.value]
}
import {
  for_each = { a = sensitive("a") }
  to       = ConfigMap.a[each.value]
#                        ^^^^^^^^^^ Invalid import: An address can't be secret, and this key is sensitive.
}
import {
  for_each = { (ConfigMap.a["a"].metadata.uid) = "a" }
#            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ Unknown for_each: The keys of for_each must be known before anything is made, and these depend on what only the cluster will decide. Use a map whose keys are written in the configuration, and let only its values depend on the cluster.
  to       = ConfigMap.a[each.value]
}
import {
  for_each = { a = ConfigMap.a["a"].metadata.uid }
  to       = ConfigMap.a[each.value]
#            ^^^^^^^^^^^^^^^^^^^^^^^ Unknown import: What is imported must be known before anything is made, and this address depends on what only the cluster will decide.
}
---
resource "ConfigMap" "a" {
  for_each = { a = 1, b = 2 }
  metadata { name = each.key }
}
import {
  for_each = { a = "acme/a" }
  to       = ConfigMap.a[each.key]
#            ^^^^^^^^^^^^^^^^^^^^^ Import of another object: ConfigMap.a["a"] describes the object default/a, and the id is "acme/a". Correct one of them; the id may also be left out.
  id       = each.value
}
import {
  for_each = { b = 1 }
  to       = ConfigMap.a[each.key]
  id       = each.value
#            ^^^^^^^^^^ Invalid import: An id is a text that is not sensitive, such as acme/web.
}
import {
  for_each = { b = ConfigMap.a["a"].metadata.uid }
  to       = ConfigMap.a[each.key]
#            ^^^^^^^^^^^^^^^^^^^^^ Unknown import: What is imported must be known before anything is made, and this address depends on what only the cluster will decide.
  id       = each.value
}
---
resource "ConfigMap" "a" {
  for_each = { a = 1, b = 2, c = 3, d = 4, e = 5 }
  metadata { name = each.key }
}
import {
  to = ConfigMap.a["a"]
  id = "default/a"
}
import {
  to = ConfigMap.a["c"]
  id = ConfigMap.a["b"].metadata.name
#      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ Invalid reference in import block: The import block is read before any object is known, so it can refer to variables, and to local values made of variables, but not to ConfigMap.a.
}
import {
  to = ConfigMap.a["d"]
  id = ["d"]
#      ^^^^^ Invalid value: id must be a string.
}
import {
  to = ConfigMap.a["e"]
#      ^^^^^^^^^^^^^^^^ Import of another object: ConfigMap.a["e"] describes the object default/e, and the id is "acme/e". Correct one of them; the id may also be left out.
  id = "${local.place}/e"
}
locals { place = "acme" }
import {
  to = ConfigMap.a["b"]
#      ^^^^^^^^^^^^^^^^ Import of another object: ConfigMap.a["b"] describes the object default/b, and the id is "b". Correct one of them; the id may also be left out.
  id = "b"
}
---
resource "ConfigMap" "a" {
  for_each = { a = 1, b = 2 }
  metadata { name = each.key }
}
import {
  for_each = { a = "a" }
  to       = ConfigMap.b[each.value]
#            ^^^^^^^^^^^^^^^^^^^^^^^ Reference to undeclared resource: There is no resource ConfigMap.b to import into. Did you mean "ConfigMap.a"?
}
import {
  for_each = { a = "a" }
  to       = each.value
#            ^^^^^^^^^^ Invalid resource address: With for_each, to is the address of an instance with each.key or each.value in brackets, such as Pod.web[each.key], without quotes.
}
import {
  to = ConfigMap.c
#      ^^^^^^^^^^^ Reference to undeclared resource: There is no resource ConfigMap.c to import into. Did you mean "ConfigMap.a"?
  id = "acme/c"
}
import {
  to = Secret.written_later
#      ^^^^^^^^^^^^^^^^^^^^ Reference to undeclared resource: There is no resource Secret.written_later to import into. To have its block written: kplan plan -generate-config-out='imported.kplan.hcl'
  id = "acme/c"
}
import { to = ConfigMap.a[each.key] }
#             ^^^^^^^^^^^^^^^^^^^^^ Invalid resource address: to is the address of a resource or of one of its instances, such as Pod.web or Pod.web["key"], or that of a module, such as module.app, without quotes.

