variable "greeting" {
  description = "The text of the page."
  default     = "Hello from kplan"
}

variable "namespace" {
  description = "The namespace of all objects."
  default     = "hello"
}

resource "Namespace" "hello" {
  metadata {
    name = var.namespace
  }
}

resource "ConfigMap" "page" {
  metadata {
    name      = "page"
    namespace = Namespace.hello.metadata.name
  }
  data = {
    "index.html" = "<h1>${var.greeting}</h1>"
  }
}

resource "Pod" "web" {
  metadata {
    name      = "web"
    namespace = Namespace.hello.metadata.name
    labels    = { app = "hello" }
  }
  spec {
    containers {
      name  = "web"
      image = "nginx:1.29"
      ports {
        containerPort = 80
      }
      volumeMounts {
        name      = "page"
        mountPath = "/usr/share/nginx/html"
      }
    }
    volumes {
      name = "page"
      configMap {
        name = ConfigMap.page.metadata.name
      }
    }
  }
}

resource "Service" "web" {
  metadata {
    name      = "web"
    namespace = Namespace.hello.metadata.name
  }
  spec {
    selector = Pod.web.metadata.labels
    ports {
      port = 80
    }
  }
}

output "address" {
  description = "The URL of the page inside the cluster."
  value       = "http://${Service.web.metadata.name}.${Namespace.hello.metadata.name}.svc"
}
