tenant = "globex"

app = {
  name      = "reports"
  image     = "registry.example/reports:0.9.0"
  port      = 8080
  instances = 3
}
