output "x" { value = var.nam }
#                    ^^^^^^^ Undeclared variable: There is no variable named "nam". Did you mean "name"?
variable "name" { default = "a" }
---
output "x" { value = var.other }
#                    ^^^^^^^^^ Undeclared variable: There is no variable named "other". Did you mean "local.other"?
locals { other = 1 }
---
output "x" { value = local.lables }
#                    ^^^^^^^^^^^^ Undeclared local value: There is no local value named "lables". Did you mean "labels"?
locals { labels = {} }
---
output "x" { value = local.labels }
#                    ^^^^^^^^^^^^ Undeclared local value: There is no local value named "labels". Did you mean "var.labels"?
variable "labels" { default = {} }
---
output "x" { value = var }
#                    ^^^ Incomplete reference: The name of the variable is missing: a reference looks like var.name.
---
output "x" { value = vars.name }
#                    ^^^^^^^^^ Unknown name: No reference begins with "vars". Did you mean "var"?
---
output "x" { value = variable.name }
#                    ^^^^^^^^^^^^^ Unknown name: No reference begins with "variable". Did you mean "var"?
---
output "x" { value = foo }
#                    ^^^ Unknown name: There is nothing named foo. To write text, put it in quotes: "foo".
---
output "x" { value = resource.ConfigMap.a.data }
#                    ^^^^^^^^^^^^^^^^^^^^^^^^^ Unknown name: No reference begins with "resource". A resource is referred to by its kind: leave out "resource".
---
output "x" { value = a.data }
#                    ^^^^^^ Unknown name: No reference begins with "a". A resource is referred to by its kind: ConfigMap.a.
resource "ConfigMap" "a" {
  metadata { name = "a" }
}
---
output "x" { value = ConfigMap.a.id }
#                               ^^^ Unknown field: A ConfigMap has no field "id". An object has no ID of its own: it is known by its metadata.name and metadata.namespace.
resource "ConfigMap" "a" {
  metadata { name = "a" }
}
---
output "x" { value = foo.bar }
#                    ^^^^^^^ Unknown name: No reference begins with "foo".
---
output "x" { value = each.key }
#                    ^^^^^^^^ Reference outside of for_each: each exists only in a block with for_each.
---
output "x" { value = path.dir }
#                    ^^^^^^^^ Unsupported reference: A reference to path is path.module, path.root or path.cwd.
---
output "x" { value = data.Secret.tls.data }
#                    ^^^^^^^^^^^^^^^^^^^^ Undeclared data block: There is no data block "Secret" "tls".
---
output "x" { value = module.m.out }
#                    ^^^^^^^^^^^^ Undeclared module: There is no module "m".
---
output "x" { value = output.y }
#                    ^^^^^^^^ Unsupported reference: An output can't be referred to. Put the expression into a local value, and refer to that from both places.
---
output "x" { value = terraform.workspace }
#                    ^^^^^^^^^^^^^^^^^^^ Unsupported reference: terraform has no values that expressions can refer to. Declare a variable for what differs between runs.
---
output "x" { value = kubernetes_namespace.tenant.metadata }
#                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ Unknown name: No reference begins with "kubernetes_namespace". A resource is referred to by its kind: Namespace.tenant.
resource "Namespace" "tenant" {
  metadata { name = "a" }
}
---
output "x" { value = namespace.tenant.metadata }
#                    ^^^^^^^^^^^^^^^^^^^^^^^^^ Unknown name: No reference begins with "namespace". A resource is referred to by its kind: Namespace.tenant.
---
output "x" { value = pod.web.metadata }
#                    ^^^^^^^^^^^^^^^^ Unknown name: No reference begins with "pod". A resource is referred to by its kind: Pod.web.
resource "Pod" "web" {
  metadata { name = "a" }
  spec { 
    containers { 
#   ^^^^^^^^^^ Missing field: spec.containers[0] needs the field image, which is a string.
      name = "a" 
    } 
  }
}
---
output "x" { value = Namespace.tenant.metadata.name }
#                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ Undeclared resource: There is no resource "Namespace" "tenant". Did you mean "tenants"?
resource "Namespace" "tenants" {
  metadata { name = "a" }
}
---
output "x" { value = Service.app.metadata.name }
#                    ^^^^^^^^^^^^^^^^^^^^^^^^^ Undeclared resource: There is no resource "Service" "app". Did you mean "ServiceAccount.app"?
resource "ServiceAccount" "app" {
  metadata { name = "a" }
}
---
output "x" { value = Namepace.shop.metadata.name }
#                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^ Undeclared resource: There is no resource "Namepace" "shop". Did you mean "Namespace.shop1"?
resource "Namespace" "shop1" {
  metadata { name = "a" }
}
---
output "x" { value = Namespace }
#                    ^^^^^^^^^ Incomplete reference: The name of the resource is missing: a reference looks like Namespace.name. To write text, put it in quotes: "Namespace".
---
resource "ConfigMap" "a" {
  metadata { name = self.metadata.namespace }
#                   ^^^^^^^^^^^^^^^^^^^^^^^ Unsupported reference: There is self only in a postcondition. An object's values are known only after its whole block is evaluated.
}
---
resource "ConfigMap" "a" {
  metadata { name = count.index }
#                   ^^^^^^^^^^^ Reference outside of count: count exists only in a block with count.
}
---
resource "ConfigMap" "a" {
  for_each = { each = each.key }
#                     ^^^^^^^^ Reference outside of for_each: for_each itself can't refer to each: it sets how many instances there are, each of which has its own.
  metadata { name = each.key }
}
---
resource "ConfigMap" "a" {
  for_each = { a = 1 }
  metadata { name = each.name }
#                   ^^^^^^^^^ Unsupported reference: A reference to each is each.key or each.value.
}
---
resource "ConfigMap" "a" {
  for_each = { a = 1 }
  metadata { name = count.index }
#                   ^^^^^^^^^^^ Reference outside of count: count exists only in a block with count.
}
---
resource "ConfigMap" "a" {
  metadata { name = "a" }
}
output "x" { value = ConfigMap.a["k"].metadata.name }
#                               ^^^^^ Unexpected instance key: ConfigMap.a has neither for_each nor count, so it is a single object. Leave out the brackets.
---
resource "ConfigMap" "a" {
  for_each = { a = 1 }
  metadata { name = each.key }
}
output "x" { value = ConfigMap.a.metadata.name }
#                    ^^^^^^^^^^^^^^^^^^^^^^^^^ Missing instance key: ConfigMap.a has for_each, so it refers to several objects. Add the key of one, as in ConfigMap.a["key"].metadata.
output "y" { value = ConfigMap.a[*].metadata.name }
#                               ^^^ Invalid splat: ConfigMap.a has for_each, so it is a map and not a list. Write values(ConfigMap.a)[*] for all its instances.
output "z" { value = ConfigMap.a[0].metadata.name }
#                               ^^^ Invalid instance key: ConfigMap.a has for_each, so the keys of its instances are strings, as in ConfigMap.a["key"].
---
resource "ConfigMap" "a" {
  count = 2
  metadata { name = "a${count.index}" }
}
output "x" { value = ConfigMap.a.metadata.name }
#                    ^^^^^^^^^^^^^^^^^^^^^^^^^ Missing instance key: ConfigMap.a has count, so it refers to several objects. Add the key of one, as in ConfigMap.a[0].metadata.
output "y" { value = ConfigMap.a["x"].metadata.name }
#                               ^^^^^ Invalid instance key: ConfigMap.a has count, so the keys of its instances are numbers, as in ConfigMap.a[0].
output "z" { value = ConfigMap.a[7].metadata.name }
#                               ^^^ No such instance: ConfigMap.a has no instance [7]. It has 2 instances.
---
resource "ConfigMap" "a" {
  for_each = { a = 1 }
  metadata { name = each.key }
}
output "x" { value = ConfigMap.a["b"].metadata.name }
#                               ^^^^^ No such instance: ConfigMap.a has no instance ["b"]. It has 1 instance.
---
resource "ConfigMap" "a" {
  metadata {
    name   = "a"
    labels = { app.kubernetes.io/name = "x" }
#              ^^^^^^^^^^^^^^^^^ Ambiguous key: Put a key that is not a plain word in quotes: "app.kubernetes.io/name" = …. To use a value as the key, put it in parentheses.
#                                ^^^^ Ambiguous key: Put a key that is not a plain word in quotes: "app.kubernetes.io/name" = …. To use a value as the key, put it in parentheses.
  }
}
---
resource "ConfigMap" "a" {
  metadata { name = "a" }
  data       = { ConfigMap = ConfigMap }
#                            ^^^^^^^^^ Incomplete reference: The name of the resource is missing: a reference looks like ConfigMap.name. To write text, put it in quotes: "ConfigMap".
  depends_on = [ConfigMap.b]
#               ^^^^^^^^^^^ Undeclared resource: There is no resource "ConfigMap" "b". Did you mean "ConfigMap.a"?
}
---
resource "Namespace" "tenant" {
  metadata { name = "a" }
}
output "a" { value = Namespace.tenant.metadata.nam }
#                                             ^^^^ Unknown field: metadata of a Namespace has no field "nam". Did you mean "name"?
output "b" { value = Namespace.tenant.metadata["name"].first }
#                                                     ^^^^^^ Invalid reference: metadata.name of Namespace.tenant is a string: there is nothing inside of it.
output "c" { value = Namespace.tenant.spec.finalizers.x }
#                                                    ^^ Invalid reference: spec.finalizers of Namespace.tenant is a list: pick an element first, as in finalizers[0], or all of them with finalizers[*].
output "d" { value = Namespace.tenant.metadata[0] }
#                                             ^^^ Invalid reference: metadata of Namespace.tenant is an object and no list: it has no positions.
output "e" { value = Namespace.tenant.metdata.name }
#                                    ^^^^^^^^ Unknown field: A Namespace has no field "metdata". Did you mean "metadata"?
output "f" { value = "${Namespace.tenant.metadata.lables["x"]}-" }
#                                                ^^^^^^^ Unknown field: metadata of a Namespace has no field "lables". Did you mean "labels"?
---
resource "Service" "a" {
  metadata { name = "a" }
  spec {
    ports { port = 80 }
  }
}
output "a" { value = Service.a.spec.ports.nodePort }
#                                        ^^^^^^^^^ Invalid reference: spec.ports of Service.a is a list: pick an element first, as in ports[0], or all of them with ports[*].
output "b" { value = Service.a.spec.ports[*].nodeport }
#                                           ^^^^^^^^^ Unknown field: spec.ports of a Service has no field "nodeport". Did you mean "nodePort"?
output "c" { value = [for p in Service.a.spec.ports : p.port][3] }
#                                                            ^^^ Invalid index: The given key does not identify an element in this collection value.
---
resource "ConfigMap" "a" {
  metadata { name = "a" }
  data = { x = ConfigMap.a.metadata.uid }
#              ^^^^^^^^^^^^^^^^^^^^^^^^ Reference to itself: ConfigMap.a depends on itself. Its own values are known only after it is evaluated.
}
---
resource "ConfigMap" "a" {
  metadata { name = "a" }
  data = { x = local.b }
}
resource "ConfigMap" "b" {
  metadata { name = "b" }
  data = { x = ConfigMap.a.metadata.uid }
}
locals { b = ConfigMap.b.metadata.uid }
#            ^^^^^^^^^^^^^^^^^^^^^^^^ Dependency cycle: These depend on one another, so none can be first: local.b (main.kplan.hcl:230) -> ConfigMap.b (main.kplan.hcl:228) -> ConfigMap.a (main.kplan.hcl:224) -> local.b. Remove one of the references.
---
locals {
  a = local.b
#     ^^^^^^^ Dependency cycle: These depend on one another, so none can be first: local.a (main.kplan.hcl:234) -> local.b (main.kplan.hcl:236) -> local.c (main.kplan.hcl:237) -> local.a. Remove one of the references.
  b = local.c
  c = local.a
}
---
resource "ConfigMap" "a" {
  metadata { name = "a" }
  depends_on = [ConfigMap.b]
#               ^^^^^^^^^^^ Dependency cycle: These depend on one another, so none can be first: ConfigMap.a (main.kplan.hcl:242) -> ConfigMap.b (main.kplan.hcl:247) -> ConfigMap.a. Remove one of the references.
}
resource "ConfigMap" "b" {
  metadata { name = "b" }
  depends_on = [ConfigMap.a]
}
---
output "x" { 
  value      = 1
  depends_on = [ConfigMap.b] 
#               ^^^^^^^^^^^ Undeclared resource: There is no resource "ConfigMap" "b".
}
---
locals {
  x = [for k in ["a"] : k.y]
#                        ^^ Unsupported attribute: Can't access attributes on a primitive-typed value (string).
  y = 1 + "a"
#         ^^^ Invalid operand: Unsuitable value for right operand: a number is required.
  z = [1, 2][5]
#           ^^^ Invalid index: The given key does not identify an element in this collection value.
}
---
resource "ConfigMap" "u" {
  metadata { name = "u" }
}
resource "Service" "s" {
  metadata { name = "s" }
  spec {
    ports { port = 80 }
  }
}
resource "Pod" "p" {
  metadata {
    name   = "p"
    labels = ConfigMap.u.metadata.uid
#            ^^^^^^^^^^^^^^^^^^^^^^^^ Invalid value: metadata.labels must be a map, and this is a string.
  }
  spec {
    hostNetwork = Service.s.spec.ports[0].nodePort
#                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ Invalid value: spec.hostNetwork must be true or false, and this is a number.
    containers {
      name  = Service.s.status
#             ^^^^^^^^^^^^^^^^ Invalid value: spec.containers[0].name must be a string, and this is an object.
      image = "a/${ConfigMap.u.metadata.uid}"
      args  = ConfigMap.u.metadata.uid
#             ^^^^^^^^^^^^^^^^^^^^^^^^ Invalid value: spec.containers[0].args must be a list of strings, and this is a string. Put it in brackets.
      env   = Service.s.spec.clusterIPs
#             ^^^^^^^^^^^^^^^^^^^^^^^^^ Invalid value: spec.containers[0].env must be a list of objects, and this is a list.
      ports = Service.s.status.loadBalancer
#             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ Invalid value: spec.containers[0].ports must be a list of objects, and this is an object.
    }
  }
}
