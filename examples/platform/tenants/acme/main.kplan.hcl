variable "tenant" {
  type    = string
  default = "acme"
}

module "app" {
  source  = "oci://registry.example/platform/app"
  version = "~> 1.4"
  tenant  = var.tenant
  image   = "registry.example/acme/app:7"
}

output "url" {
  value = module.app.url
}
