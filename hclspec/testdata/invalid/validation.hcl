variable "a" {
  default = 1
  validation {}
#            ^ Missing required argument: The argument "condition" is required, but no definition was found.
#            ^ Missing required argument: The argument "error_message" is required, but no definition was found.
}
---
variable "a" {
  default = 1
  validation {
    condition     = local.x > 1
#                   ^^^^^^^ Invalid reference in validation: Variables are validated before anything else is evaluated, so a validation can refer to variables only, not to local.x.
    error_message = "Too small."
  }
}
---
variable "a" {
  default = 1
  validation {
    condition     = Pod.web.metadata.name == var.a
#                   ^^^^^^^^^^^^^^^^^^^^^ Invalid reference in validation: Variables are validated before anything else is evaluated, so a validation can refer to variables only, not to Pod.web.metadata.
    error_message = "No."
  }
}
---
variable "a" {
  default = 1
  validation {
    condition     = 1 > 0
#                   ^^^^^ Validation of another value: The condition never refers to var.a, so it does not check that variable.
    error_message = "Never."
  }
}
---
variable "replicas" {
#^^^^^^^^^^^^^^^^^^ Invalid value for variable: At most 9 replicas, not 99. The value of var.replicas from its default breaks the rule at main.kplan.hcl:38,3-13.
  default = 99
  validation {
    condition     = var.replicas < 10
    error_message = "At most 9 replicas, not ${var.replicas}."
  }
}
---
variable "password" {
#^^^^^^^^^^^^^^^^^^ Invalid value for variable: The condition is not met. (Its error message holds a sensitive value and is not shown.) The value of var.password from its default breaks the rule at main.kplan.hcl:48,3-13.
  default   = "short"
  sensitive = true
  validation {
    condition     = length(var.password) > 8
    error_message = "The password ${var.password} is too short."
  }
}
---
variable "a" {
  default = 1
  validation {
    condition     = "maybe ${var.a}"
#                   ^^^^^^^^^^^^^^^^ Invalid condition: A condition must be true or false.
    error_message = "No."
  }
}
---
variable "a" {
#^^^^^^^^^^^ Invalid value for variable: The condition is not met. The value of var.a from its default breaks the rule at main.kplan.hcl:66,3-13.
  default = 1
  validation {
    condition     = var.a > 1
    error_message = []
#                   ^^ Invalid error message: An error message must be a string.
  }
}
---
variable "a" {
  default = 1
  validation {
    condition     = var.b > var.a
#                   ^^^^^ Reference to undeclared variable: There is no variable "b".
    error_message = "No."
  }
}
---
variable "a" {
  default = 1
  validation {
    condition     = lenth(var.a) > 1
#                   ^^^^^ Call to unknown function: There is no function "lenth". Did you mean "length"?
    error_message = "No."
  }
}
---
variable "a" {
  default = "x"
  validation {
    condition     = timestamp() == var.a
#                   ^^^^^^^^^ Call to unknown function: There is no function "timestamp": kplan's functions are pure, and none returns the time: apply would get another result than plan. Pass the time in as a variable.
    error_message = "No."
  }
}
---
variable "a" {
  default = "x"
  validation {
#            ^ Missing required argument: The argument "condition" is required, but no definition was found.
    conditoin     = var.a == "x"
#   ^^^^^^^^^ Unsupported argument: An argument named "conditoin" is not expected here. Did you mean "condition"?
    error_message = "No."
    message       = "No."
#   ^^^^^^^ Unsupported argument: An argument named "message" is not expected here.
  }
}
---
variable "token" {
  default   = "hunter2"
  sensitive = true
  validation {
    condition     = tonumber(var.token) > 1
#                   ^^^^^^^^^ Error in function call: Call to function "tonumber" failed: an argument is sensitive, so the reason is not shown.
    error_message = "No."
  }
}
