resorce "Pod" "web" {}
#^^^^^^ Unsupported block type: A file holds no blocks of type "resorce". Did you mean "resource"?
---
variables "a" {}
#^^^^^^^^ Unsupported block type: A file holds no blocks of type "variables". Did you mean "variable"?
---
Pod "web" {}
#^^ Unsupported block type: A file holds no blocks of type "Pod". An object is declared by a resource block: resource "Pod" "name" { … }.
---
Pod {}
#^^ Unsupported block type: A file holds no blocks of type "Pod". An object is declared by a resource block: resource "Pod" "name" { … }.
---
terraform {
#^^^^^^^^ Unsupported block type: The block for kplan's own settings is called kplan.
  required_version = ">= 1.0"
}
---
provider "kubernetes" {}
#^^^^^^^ Unsupported block type: kplan has no providers. The cluster block inside the kplan block configures the cluster.
---
moved {
  from = "Pod.a"
#        ^^^^^^^ Invalid resource address: from is the address of a resource or of one of its instances, such as Pod.web or Pod.web["key"], or that of a module, such as module.app, without quotes.
  to   = Pod.b
}
---
removed {}
#       ^ Missing required argument: The argument "from" is required, but no definition was found.
---
import {
  to = Pod.a
#      ^^^^^ Reference to undeclared resource: There is no resource Pod.a to import into.
}
---
data "Secret" "tls" {}
#^^^^^^^^^^^^^^^^^^ Invalid data block: A data block has either a metadata block, with the name and the namespace of one object, or a list block, with what picks several.
---
check "health" {}
#^^^^^^^^^^^^^ Check without assertion: A check has at least one assert block, with a condition and an error_message.
---
backend "local" {}
#^^^^^^ Unsupported block type: The backend block belongs inside the kplan block.
---
cluster {}
#^^^^^^ Unsupported block type: The cluster block belongs inside the kplan block.
---
local {
#^^^^ Unsupported block type: Local values are declared in a block called locals.
  a = 1
}
---
replicas = 3
#^^^^^^^ Unsupported argument: An argument belongs in a block. Values that the configuration uses go into a locals block; values of variables go into default.kpvars.hcl.
---
locals = {
#^^^^^ Unsupported argument: An argument belongs in a block. locals is a block: it is written without an equals sign.
  a = 1
}
---
resource "Pod" {}
#              ^ Missing name for resource: All resource blocks must have 2 labels (kind, name).
---
resource {}
#        ^ Missing kind for resource: All resource blocks must have 2 labels (kind, name).
---
resource "Pod" "web" "more" {}
#                    ^^^^^^ Extraneous label for resource: Only 2 labels (kind, name) are expected for resource blocks.
---
variable {}
#        ^ Missing name for variable: All variable blocks must have 1 labels (name).
---
locals "x" {}
#      ^^^ Extraneous label for locals: No labels are expected for locals blocks.
---
kplan "x" {}
#     ^^^ Extraneous label for kplan: No labels are expected for kplan blocks.
---
resource Pod.web {}
#^^^^^^^ Missing name for resource: All resource blocks must have 2 labels (kind, name).
#           ^ Invalid block definition: Either a quoted string block label or an opening brace ("{") is expected here.
---
Resource "Pod" "web" {}
#^^^^^^^ Unsupported block type: A file holds no blocks of type "Resource". Did you mean "resource"?
---
Module "x" {}
#^^^^^ Unsupported block type: A file holds no blocks of type "Module". Did you mean "module"?
---
resource "ConfigMap" "a" {
  metadata { name = "a" }
}
moved {
  from = ConfigMap.a
#        ^^^^^^^^^^^ Moved object still exists: The configuration still declares ConfigMap.a. Rename its block to b, or delete this one.
  to   = ConfigMap.b
}
---
resource "ConfigMap" "a" {
  for_each = toset(["x", "yy"])
  metadata { name = each.key }
}
moved {
  from = ConfigMap.a["x"]
#        ^^^^^^^^^^^^^^^^ Moved object still exists: The configuration still declares ConfigMap.a["x"]. Remove that instance, or delete this block.
  to   = ConfigMap.a["z"]
}
removed {
  from = ConfigMap.a["yy"]
#        ^^^^^^^^^^^^^^^^^ Removed resource still exists: The configuration still declares ConfigMap.a["yy"]. Remove that instance, or delete this block.
}
import {
  to = ConfigMap.a["yz"]
#      ^^^^^^^^^^^^^^^^^ Reference to undeclared instance: There is no instance ConfigMap.a["yz"] to import into. Did you mean ConfigMap.a["yy"]?
}
---
resource "ConfigMap" "a" {
  metadata { name = "a" }
}
removed {
  from = ConfigMap.a
#        ^^^^^^^^^^^ Removed resource still exists: The configuration still declares ConfigMap.a. Delete its block, or this one.
}
moved {
  from = ConfigMap.a
  to   = ConfigMap.a["x"]
}
import {
  to = ConfigMap.a[0]
}
---
data "ConfigMap" "named" {
  name      = "settings"
# ^^^^ Unsupported argument: An argument named "name" is not expected here. One object is named in a block: metadata { name = … }
  namespace = "acme"
# ^^^^^^^^^ Unsupported argument: An argument named "namespace" is not expected here. The namespace is in a block, of one object metadata { namespace = … }, of several list { namespace = … }
}
data "ConfigMap" "picked" {
  label_selector = "app=web"
# ^^^^^^^^^^^^^^ Unsupported argument: An argument named "label_selector" is not expected here. What picks several objects is in a block: list { label_selector = … }
}
---
variable "on" { default = null }
resource "ConfigMap" "a" {
  metadata { name = "a" }
  lifecycle { enabled = var.on }
#                       ^^^^^^ Invalid enabled argument: enabled is true or false, and this is null.
}
