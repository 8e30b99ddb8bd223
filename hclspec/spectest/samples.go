package spectest

// WholeNative has every block and argument that loading a configuration reads.
const WholeNative = `
kplan {
  required_version = ">= 0.1"
  cluster { context = "prod" }
  backend "local" { path = "x.json" }
}
variable "app" {
  type        = object({ name = string, size = optional(number, 3) })
  description = "The app."
  default     = { name = "web" }
  nullable    = false
  sensitive   = true
  validation {
    condition     = var.app.size < 10
    error_message = "Too large."
  }
}
locals {
  b = 2
  a = 1
}
output "url" {
  value       = local.a
  description = "Where."
  sensitive   = true
  depends_on  = [Pod.web]
  precondition {
    condition     = local.a > 0
    error_message = "None."
  }
}
resource "Pod" "web" {
  for_each   = toset(["a"])
  depends_on = [Namespace.tenant, Pod.other["x"]]
  lifecycle {
    prevent_destroy = true
    ignore_changes  = [spec.replicas, spec.containers[0].image, metadata.annotations["a.b/c"], "spec.ports[port=80]"]
    force_conflicts = [data]
    replace_on      = ["metadata.labels.app"]
  }
  wait {
    enabled = false
    timeout = "90s"
  }
  metadata { name = each.key }
}
resource "Pod" "other" { count = 2 }
`

// WholeJSON is WholeNative in JSON.
const WholeJSON = `{
  "//": "a comment",
  "kplan": {
    "required_version": ">= 0.1",
    "cluster": {"context": "prod"},
    "backend": {"local": {"path": "x.json"}}
  },
  "variable": {"app": {
    "type": "object({ name = string, size = optional(number, 3) })",
    "description": "The app.",
    "default": {"name": "web"},
    "nullable": false,
    "sensitive": true,
    "validation": {"condition": "${var.app.size < 10}", "error_message": "Too large."}
  }},
  "locals": {"b": 2, "a": 1},
  "output": {"url": {
    "value": "${local.a}",
    "description": "Where.",
    "sensitive": true,
    "depends_on": ["Pod.web"],
    "precondition": [{"condition": "${local.a > 0}", "error_message": "None."}]
  }},
  "resource": {"Pod": {
    "web": {
      "for_each": "${toset([\"a\"])}",
      "depends_on": ["Namespace.tenant", "Pod.other[\"x\"]"],
      "lifecycle": {
        "prevent_destroy": true,
        "ignore_changes": ["spec.replicas", "spec.containers[0].image", "metadata.annotations[\"a.b/c\"]", "spec.ports[port=80]"],
        "force_conflicts": ["data"],
        "replace_on": ["metadata.labels.app"]
      },
      "wait": {"enabled": false, "timeout": "90s"},
      "metadata": {"name": "${each.key}"}
    },
    "other": {"count": 2}
  }}
}`

// SettingsNative has every argument of the kplan block.
const SettingsNative = `
variable "env" { default = "eu" }
variable "token" {
  default   = "hunter2"
  sensitive = true
}
variable "nothing" { default = null }
variable "later" {}
locals {
  region = "prod-${var.env}"
  host   = "https://${local.region}.example.com"
  pod    = Pod.web.metadata.name
}
kplan {
  backend "local" { path = "states/${local.region}.json" }
}
kplan {
  cluster {
    config_path            = var.nothing
    context                = var.nothing
    host                   = local.host
    token                  = var.token
    username               = null
    client_certificate     = file("ca.pem")
    client_key             = trimspace(" key ")
    cluster_ca_certificate = file("${path.module}/ca.pem")
    insecure               = null
    tls_server_name        = "name"
    proxy_url              = var.later
    impersonate_user       = "system:serviceaccount:acme:kplan"
    impersonate_groups     = [var.env, "x"]
    request_timeout        = "30s"
  }
}
`

// SettingsJSON is SettingsNative in JSON.
const SettingsJSON = `{
  "variable": {
    "env": {"default": "eu"}, "token": {"default": "hunter2", "sensitive": true},
    "nothing": {"default": null}, "later": {}
  },
  "locals": {"region": "prod-${var.env}", "host": "https://${local.region}.example.com", "pod": "${Pod.web.metadata.name}"},
  "kplan": [
    {"backend": {"local": {"path": "states/${local.region}.json"}}},
    {"cluster": {
      "config_path": "${var.nothing}", "context": null, "host": "${local.host}", "token": "${var.token}",
      "client_certificate": "${file(\"ca.pem\")}", "client_key": "${trimspace(\" key \")}",
      "cluster_ca_certificate": "${file(\"${path.module}/ca.pem\")}", "tls_server_name": "name", "proxy_url": "${var.later}",
      "impersonate_user": "system:serviceaccount:acme:kplan", "impersonate_groups": ["${var.env}", "x"],
      "request_timeout": "30s"
    }}
  ]
}`
