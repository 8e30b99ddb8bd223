output "node_port" {
  description = "The port of every node at which the app answers."
  value       = Service.app.spec.ports[0].nodePort
}

output "instances" {
  value = ReplicationController.app.spec.replicas
}
