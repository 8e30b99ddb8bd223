resource "CustomResourceDefinition" "widgets" {
  metadata { name = "widgets.example.com" }
  spec {
    group = "example.com"
    scope = "Cluster"
    names {
      kind   = "Widget"
      plural = "widgets"
    }
    versions {
      name    = "v1"
      served  = true
      storage = true
      schema {
        openAPIV3Schema = {
          type = "object"
          properties = {
            spec = {
              type     = "object"
              required = ["size"]
              properties = {
                size   = { type = "integer" }
                colour = { type = "string", enum = ["red", "green"] }
              }
            }
          }
        }
      }
    }
  }
}
resource "Widget" "a" {
  metadata {
    name      = "a"
    namespace = "x"
#   ^^^^^^^^^^^^^^^ Unexpected namespace: A Widget is cluster-scoped. Remove metadata.namespace.
  }
  spec {
    colour = "gren"
#   ^^^^^^^^^^^^^^^ Value not allowed: spec.colour must be red or green. Did you mean "green"?
    sise   = 1
#   ^^^^ Unknown field: spec of a Widget has no field "sise". Did you mean "size"?
  }
}
resource "Widget" "b" {
  apiVersion = "example.com/v2"
#              ^^^^^^^^^^^^^^^^ Unknown kind: There is no Widget in API version example.com/v2. It is in example.com/v1.
  metadata { name = "b" }
}
resource "Widgt" "c" {
#^^^^^^^^^^^^^^^^^^^ Unknown kind: There is no kind "Widgt". Did you mean "Widget"?
  metadata { name = Widget.a.spec.colr }
#                                ^^^^^ Unknown field: spec of a Widget has no field "colr".
}
---
resource "CustomResourceDefinition" "widgets" {
  metadata { name = "widgets.example.com" }
  spec {
    group = "example.com"
    scope = "Cluster"
    names {
      kind   = "Widget"
      plural = ""
    }
    versions {
#   ^^^^^^^^ Missing field: spec.versions[0] needs the field schema, which is an object.
      name    = "v1"
      served  = true
      storage = true
    }
  }
}
---
resource "CustomResourceDefinition" "pods" {
  metadata { name = "pods.example.com" }
  spec {
    group = "example.com"
    scope = "Namespaced"
    names {
      kind   = "Pod"
      plural = "pods"
    }
    versions {
      name    = "v1"
      served  = true
      storage = true
      schema { 
        openAPIV3Schema { type = "object" } 
      }
    }
  }
}
resource "Pod" "which" {
#^^^^^^^^^^^^^^^^^^^^^ Missing field: A Pod needs the field spec, which is an object.
  metadata { name = "which" }
}
---
resource "CustomResourceDefinition" "gadgets" {
  for_each = toset(["a.com", "b.com"])
  metadata { name = "gadgets.${each.key}" }
  spec {
    group = each.key
    scope = "Namespaced"
    names {
      kind   = "Gadget"
      plural = "gadgets"
    }
    versions {
      name    = "v1"
      served  = true
      storage = true
      schema { 
        openAPIV3Schema { type = "object" } 
      }
    }
  }
}
resource "Gadget" "which" {
#^^^^^^^^^^^^^^^^^^^^^^^^ Ambiguous kind: Several API groups have a kind Gadget. Say which one is meant: apiVersion = "a.com/v1" or "b.com/v1".
  metadata { name = "which" }
}
---
resource "Deployment" "a" {
  metadata { name = "a" }
  spec {
    selector {}
    containers { name = "x" }
#   ^^^^^^^^^^ Unknown field: spec of a Deployment has no field "containers". It belongs into spec.template.spec.
    template {
#   ^^^^^^^^ Missing field: spec.template needs the field spec, which is an object.
      metadata { labels = { a = "b" } }
      containers { name = "x" }
#     ^^^^^^^^^^ Unknown field: spec.template of a Deployment has no field "containers". It belongs into spec.template.spec.
    }
  }
}
