output "node_port" {
  description = "The port on each node where the app listens."
  value       = Service.app.spec.ports[0].nodePort
}

output "instances" {
  value = ReplicationController.app.spec.replicas
}
