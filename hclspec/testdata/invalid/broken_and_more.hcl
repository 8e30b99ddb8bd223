-- a.kplan.hcl --
variable "a" {
  default = 1
  validation {
    condition     = var.a > var.b
    error_message = "No."
  }
}
-- b.kplan.hcl --
variable "b" {
  default = 
#           ^^^ Invalid expression: Expected the start of an expression, but found an invalid expression token.
}
resource "Pod" {}
-- c.kplan.hcl --
resource "pod" "x" {}
#        ^^^^^ Invalid kind: The first label of a resource is the Kubernetes kind, spelled as in a manifest: it begins with a capital and holds only letters and digits. Did you mean "Pod"?
