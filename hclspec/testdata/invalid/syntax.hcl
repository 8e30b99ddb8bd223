variable "a" {
  default = [1, 2
}
#<1,1 Missing item separator: Expected a comma to mark the beginning of the next item.

variable "b" {
  bogus = 1
}
---
locals {
  a = 1 +
#        ^^^ Invalid expression: Expected the start of an expression, but found an invalid expression token.
}
---
resource "Pod" "web" {
#                    ^ Unclosed configuration block: There is no closing brace for this block before the end of the file. This may be caused by incorrect brace nesting elsewhere in this file.
---
locals {
  a = "unclosed
#     ^ Missing quote: The text that begins with this quote does not end in its line: in line 19, a quote is missing, or there is one too many. A text of several lines is written <<-EOT â€¦ EOT.
}
---
locals {
  a = 'single'
#     ^ Invalid character: Single quotes are not valid. Use double quotes (") to enclose strings.
}
---
locals {
  a = "${
#     ^ Missing quote: The text that begins with this quote does not end in its line: in line 29, a quote is missing, or there is one too many. A text of several lines is written <<-EOT â€¦ EOT.
}
---
variable "early" {
  typ = string
# ^^^ Unsupported argument: An argument named "typ" is not expected here. Did you mean "type"?
}
locals {
  a = = 1
#     ^ Invalid expression: Expected the start of an expression, but found an invalid expression token.
}
---
locals { a = 1, b = 2 }
#             ^ Invalid single-argument block definition: Single-line block syntax can include only one argument definition. To define multiple arguments, use the multi-line block syntax with one argument definition per line.
---
locals {
  a = <<EOT
#     ^^^^^ Missing end of heredoc: The text that begins here has no end: a line with nothing but EOT.
text
}
---
locals {
  a = var.x y
#           ^ Missing newline after argument: An argument definition must end with a newline.
}
---
variable "a" { type = string default = "x" }
#                            ^^^^^^^ Invalid single-argument block definition: A single-line block definition must end with a closing brace immediately after its single argument definition.
---
locals {
  a = 1e99999999
#     ^^^^^^^^^^ Number out of range: A number has at most 153 digits, of which none is lost, and its exponent has at most three.
}
---
locals {
  a = "Ã¼"
  b = "ÿ"
#      ^ Invalid character encoding: The file is not text in UTF-8 from here on. Let the editor save it in that encoding.
}
---
A"" Ô0{}
#   ^ Invalid character encoding: The file is not text in UTF-8 from here on. Let the editor save it in that encoding.
