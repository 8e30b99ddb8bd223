tenant = "acme"

app = {
  name      = "shop"
  image     = "registry.example/shop:1.4.2"
  cpu       = "250m"
  memory    = "128Mi"
  instances = 2
}
