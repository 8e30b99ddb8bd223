variable "tenant" {
  type        = string
  description = "The name of the tenant, and of its namespace."
}

variable "release" {
  type        = string
  description = "What is released: the tag or commit of the build."
}

kplan {
  backend "kubernetes" { # each tenant has a state of its own, in the namespace of access.yaml
    namespace = "kplan-states"
    name      = var.tenant
  }
}

locals {
  regions = toset([for n in range(100) : format("region-%03d", n)])
}

resource "Namespace" "tenant" {
  metadata { name = var.tenant }
}

resource "ConfigMap" "settings" {
  for_each = local.regions
  metadata {
    name      = each.key
    namespace = Namespace.tenant.metadata.name
  }
  data = {
    release = var.release
  }
}

resource "Service" "web" {
  metadata {
    name      = "web"
    namespace = Namespace.tenant.metadata.name
  }
  spec {
    selector = { app = "web" }
    ports {
      port = 80
    }
  }
}

output "release" {
  value = var.release
}
