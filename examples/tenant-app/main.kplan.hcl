# A tenant is a namespace. Its app runs in it as a single pod and as a
# replication controller with a configurable number of replicas, behind a
# service of type NodePort.

kplan {
  required_version = ">= 0.1"
}

locals {
  # These labels connect the controller and the service to the pods. The single
  # pod has a different name label: otherwise the controller would adopt it.
  labels = {
    tenant = var.tenant
    name   = var.app.name
  }
}

resource "Namespace" "tenant" {
  metadata {
    name = var.tenant
  }
}

resource "Pod" "app" {
  metadata {
    name      = "${var.app.name}-single"
    namespace = Namespace.tenant.metadata.name
    labels    = merge(local.labels, { name = "${var.app.name}-single" })
  }
  spec {
    containers {
      name  = var.app.name
      image = var.app.image
      ports {
        containerPort = var.app.port
      }
      resources {
        requests = { cpu = var.app.cpu, memory = var.app.memory }
      }
    }
  }
}

resource "ReplicationController" "app" {
  metadata {
    name      = var.app.name
    namespace = Namespace.tenant.metadata.name
    labels    = local.labels
  }
  spec {
    replicas = var.app.instances
    selector = local.labels
    template {
      metadata {
        labels = local.labels
      }
      spec {
        containers {
          name  = var.app.name
          image = var.app.image
          ports {
            containerPort = var.app.port
          }
          resources {
            requests = { cpu = var.app.cpu, memory = var.app.memory }
          }
        }
      }
    }
  }
}

resource "Service" "app" {
  metadata {
    name      = var.app.name
    namespace = Namespace.tenant.metadata.name
    labels    = local.labels
  }
  spec {
    type     = "NodePort"
    selector = ReplicationController.app.spec.selector
    ports {
      name       = "http"
      port       = var.app.port
      targetPort = var.app.port
    }
  }
}
