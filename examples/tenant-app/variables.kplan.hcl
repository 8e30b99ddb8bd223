variable "tenant" {
  description = "The name of the tenant, and of its namespace."
  type        = string

  validation {
    condition     = can(regex("^[a-z]([-a-z0-9]*[a-z0-9])?$", var.tenant))
    error_message = "The name of a tenant consists of lowercase letters, digits and dashes."
  }
}

variable "app" {
  description = "The app that the tenant runs."
  type = object({
    name      = string
    image     = string
    cpu       = optional(string, "100m")
    memory    = optional(string, "64Mi")
    port      = optional(number, 9080)
    instances = optional(number, 1)
  })

  validation {
    condition     = var.app.instances >= 1 && var.app.instances <= 20
    error_message = "An app has 1 to 20 instances."
  }
}
