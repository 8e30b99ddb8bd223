package spectest

// FormatCases are what source.Format does with what it is given.
var FormatCases = []struct{ Name, Given, Want string }{
	{"layout", `
resource "Pod"   "web"   {
 metadata   {
name="web"
    namespace   =   "acme"    # why
  longer_name = 1
}
}
`, `
resource "Pod" "web" {
  metadata {
    name        = "web"
    namespace   = "acme" # why
    longer_name = 1
  }
}
`},
	{"interpolation alone", "a = \"${var.x}\"\n", "a = var.x\n"},
	{"interpolation of a call", "a = \"${upper(\"x\")}\"\n", "a = upper(\"x\")\n"},
	{"interpolation of a template", "a = \"${\"${b}\"}\"\n", "a = b\n"},
	{"interpolation of a template with text", "a = \"${\"x${b}\"}\"\n", "a = \"x${b}\"\n"},
	{"interpolation with spaces", "a = \"${ var.x }\"\n", "a = var.x\n"},
	{"interpolation that trims", "a = \"${~ var.x ~}\"\n", "a = var.x\n"},
	{"interpolation over lines", "a = \"${\n  b\n}\"\n", "a = b\n"},
	{"interpolation with lines in it", "a = \"${b +\n  c}\"\n", "a = (b +\nc)\n"},
	{"two interpolations", "a = \"${b}${c}\"\n", "a = \"${b}${c}\"\n"},
	{"interpolation and text", "a = \"x${b}\"\n", "a = \"x${b}\"\n"},
	{"interpolation in a list", "a = [\"${b}\"]\n", "a = [\"${b}\"]\n"},
	{"interpolation with a comment", "a = \"${b # c\n}\"\n", "a = \"${b # c\n}\"\n"},
	{"interpolation as a key", "a = { \"${b}\" = 1 }\n", "a = { \"${b}\" = 1 }\n"},
	{"directive", "a = \"%{if b}c%{endif}\"\n", "a = \"%{if b}c%{endif}\"\n"},
	{"labels", "resource Pod web {\n}\nvariable a {}\n", "resource \"Pod\" \"web\" {\n}\nvariable \"a\" {}\n"},
	{"quoted type", "variable \"a\" {\n  type = \"string\"\n}\n", "variable \"a\" {\n  type = string\n}\n"},
	{"quoted list", "variable \"a\" {\n  type = \"list\"\n}\n", "variable \"a\" {\n  type = list(string)\n}\n"},
	{"bare map", "variable \"a\" {\n  type = map\n}\n", "variable \"a\" {\n  type = map(any)\n}\n"},
	{"right type", "variable \"a\" {\n  type = list(string)\n}\n", "variable \"a\" {\n  type = list(string)\n}\n"},
	{"type elsewhere", "resource \"A\" \"b\" {\n  type = \"string\"\n}\n", "resource \"A\" \"b\" {\n  type = \"string\"\n}\n"},
	{"order stays", "b = 1\na = 2\n\n\nc {}\na2 = 3\n", "b = 1\na = 2\n\n\nc {}\na2 = 3\n"},
	{"heredoc", "a = <<-EOT\n    x ${y}\n  EOT\n", "a = <<-EOT\n    x ${y}\n  EOT\n"},
	{"CRLF", "a=1\r\nbc=2\r\n", "a  = 1\r\nbc = 2\r\n"},
	{"no newline at the end", "a=1", "a = 1"},
	{"empty", "", ""},
	{"only a comment", "# x", "# x"},
	{"variables", "a=[1,\n2]\n", "a = [1,\n2]\n"},
}
