variable "tenant" {
  type    = string
  default = "globex"
}

module "app" {
  source  = "oci://registry.example/platform/app"
  version = "1.4.2"
  tenant  = var.tenant
  image   = "registry.example/globex/app:3"
}

output "url" {
  value = module.app.url
}
