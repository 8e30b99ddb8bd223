# What the platform runs for a tenant: a namespace with an app in it.

variable "tenant" {
  type        = string
  description = "The name of the tenant, and of its namespace."

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]*$", var.tenant))
    error_message = "The name of a tenant consists of lowercase letters, digits and dashes."
  }
}

variable "image" {
  type        = string
  description = "The image of the app."
}

variable "replicas" {
  type    = number
  default = 2
}

locals {
  labels = { "app.kubernetes.io/name" = "app" }
}

resource "Namespace" "tenant" {
  metadata { name = var.tenant }
}

resource "Deployment" "app" {
  metadata {
    name      = "app"
    namespace = Namespace.tenant.metadata.name
    labels    = local.labels
  }
  spec {
    replicas = var.replicas
    selector { matchLabels = local.labels }
    template {
      metadata { labels = local.labels }
      spec {
        containers {
          name  = "app"
          image = var.image
          ports {
            name          = "http"
            containerPort = 8080
          }
        }
      }
    }
  }
}

resource "Service" "app" {
  metadata {
    name      = "app"
    namespace = Namespace.tenant.metadata.name
  }
  spec {
    selector = Deployment.app.spec.selector.matchLabels
    ports {
      name       = "http"
      port       = 80
      targetPort = "http"
    }
  }
}

output "url" {
  value = "http://${Service.app.metadata.name}.${Service.app.metadata.namespace}"
}
