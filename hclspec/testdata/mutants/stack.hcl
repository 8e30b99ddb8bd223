kplan {
  required_version = ">= 0.1"
  backend "local" { path = "states/${var.name}.json" }
}

variable "name" {
  type        = string
  description = "The tenant's name."
  default     = "acme"
  validation {
    condition     = can(regex("^[a-z]+$", var.name))
    error_message = "A name has small letters."
  }
}
variable "ports" {
  type    = list(object({ name = string, port = number, open = optional(bool, true) }))
  default = [{ name = "web", port = 80 }, { name = "admin", port = 8080, open = false }]
}
variable "password" {
  type      = string
  sensitive = true
  default   = "hunter2"
}

locals {
  labels = { app = var.name, tier = "front" }
  open   = [for p in var.ports : p if p.open]
  motd   = <<-EOT
    Welcome to ${var.name}.
    %{for p in local.open~}
    ${p.name} is at ${p.port}
    %{endfor~}
  EOT
}

resource "Namespace" "tenant" {
  metadata {
    name   = var.name
    labels = merge(local.labels, { "kplan.dev/kind" = "tenant" })
  }
}

resource "Secret" "login" {
  metadata {
    name      = "login"
    namespace = Namespace.tenant.metadata.name
  }
  stringData = { password = var.password }
}

resource "ConfigMap" "settings" {
  for_each = toset(["a", "b"])
  metadata {
    name      = "settings-${each.key}"
    namespace = Namespace.tenant.metadata.name
  }
  data = {
    motd   = local.motd
    size   = length(local.open)
    policy = jsonencode({ name = each.value, on = true, limits = [1, 2, 3] })
  }
}

resource "Pod" "web" {
  depends_on = [ConfigMap.settings]
  metadata {
    name      = "web"
    namespace = Namespace.tenant.metadata.name
    labels    = local.labels
  }
  spec {
    restartPolicy = "Always"
    containers {
      name  = "web"
      image = "registry.example/web:1.4"
      dynamic "ports" {
        for_each = local.open
        content {
          name          = ports.value.name
          containerPort = ports.value.port
        }
      }
      resources {
        limits = { cpu = "500m", memory = "64Mi" }
      }
      env = [
        { name = "NAME", value = var.name },
        { name = "PASSWORD", valueFrom = { secretKeyRef = { name = Secret.login.metadata.name, key = "password" } } },
      ]
    }
    volumes {
      name = "settings"
      configMap { name = ConfigMap.settings["a"].metadata.name }
    }
  }
  lifecycle {
    prevent_destroy = true
    ignore_changes  = [metadata.annotations["example.com/seen"]]
  }
  wait {
    timeout = "90s"
  }
}

resource "Service" "web" {
  count = length(local.open) > 0 ? 1 : 0
  metadata {
    name      = "web"
    namespace = Namespace.tenant.metadata.name
  }
  spec {
    selector = Pod.web.metadata.labels
    ports {
      name       = "web"
      port       = 80
      targetPort = "web"
    }
  }
}

resource "NetworkPolicy" "web" {
  manifest = yamldecode(<<-EOT
    metadata: {name: web, namespace: ${Namespace.tenant.metadata.name}}
    spec:
      podSelector: {matchLabels: {app: ${var.name}}}
      policyTypes: [Ingress]
  EOT
  )
}

output "ip" {
  value = try(Service.web[0].spec.clusterIP, "none")
}
output "uid" {
  value       = Pod.web.metadata.uid
  description = "Of the pod."
}
