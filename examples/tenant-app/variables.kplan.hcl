variable "tenant" {
  description = "The tenant's name. It becomes the namespace."
  type        = string

  validation {
    condition     = can(regex("^[a-z]([-a-z0-9]*[a-z0-9])?$", var.tenant))
    error_message = "A tenant's name consists of small letters, digits and dashes."
  }
}

variable "app" {
  description = "What the tenant runs."
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
