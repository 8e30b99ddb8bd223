package config

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/kinds"
)

// quotedFrom loads one file and returns its source with *** instead of each secret.
func quotedFrom(t *testing.T, name, source string) (string, Secrets) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	config, _ := Load(context.Background(), dir)
	secrets := config.Secrets(kinds.Builtin())
	slices.SortFunc(secrets.Ranges, func(a, b hcl.Range) int { return b.Start.Byte - a.Start.Byte })
	end := len(source)
	for _, r := range secrets.Ranges {
		if r.Start.Byte >= end {
			continue // inside of another
		}
		end = r.Start.Byte
		source = source[:r.Start.Byte] + "***" + source[min(r.End.Byte, len(source)):]
	}
	return source, secrets
}

func TestSecretsInSource(t *testing.T) {
	for name, test := range map[string]struct{ file, File, want string }{
		"fields of a Secret": {
			File: `resource "Secret" "a" {
  metadata { name = "a" }
  type = "Opaque"
  data = { plain = base64encode("s3cret"), "quoted" = "s3c${var.x}ret", n = 1234, f = file("a.pem") }
  stringData = {
    for k, v in { a = "s3cret" } : k => upper(v)
  }
}`,
			want: `resource "Secret" "a" {
  metadata { name = "a" }
  type = "Opaque"
  data = { plain = base64encode("***"), "quoted" = "***${var.x}***", n = ***, f = file("a.pem") }
  stringData = {
    for k, v in { a = "***" } : k => upper(v)
  }
}`,
		},
		"a manifest": {
			File: `resource "Secret" "a" {
  manifest = { apiVersion = "v1", metadata = { name = "a" }, stringData = { p = "s3cret" } }
}`,
			want: `resource "Secret" "a" {
  manifest = { apiVersion = "v1", metadata = { name = "a" }, stringData = { p = "***" } }
}`,
		},
		"quotes that were forgotten": {
			File: "resource \"Secret\" \"a\" {\n  stringData = { p = s3cret }\n}",
			want: "resource \"Secret\" \"a\" {\n  stringData = { p = *** }\n}",
		},
		"no Secret": {
			File: `resource "ConfigMap" "a" { data = { p = "shown" } }`,
			want: `resource "ConfigMap" "a" { data = { p = "shown" } }`,
		},
		"variables and outputs": {
			File: `variable "a" {
  default   = { p = "s3cret" }
  sensitive = true
}
variable "b" { default = "shown" }
output "c" {
  value     = "s3cret"
  sensitive = true
}`,
			want: `variable "a" {
  default   = { p = "***" }
  sensitive = true
}
variable "b" { default = "shown" }
output "c" {
  value     = "***"
  sensitive = true
}`,
		},
		"the function": {
			File: `resource "Pod" "a" { spec = { containers = [{ env = [{ name = "P", value = sensitive("s3cret") }] }] } }`,
			want: `resource "Pod" "a" { spec = { containers = [{ env = [{ name = "P", value = sensitive("***") }] }] } }`,
		},
		"what flows into a Secret": {
			File: `locals {
  creds = { user = "shown", password = "s3cret" }
  other = "shown"
  chain = local.creds.password
}
variable "token" { default = "s3cret" }
resource "Secret" "a" {
  stringData = { p = local.chain, t = "${var.token}" }
}
resource "Secret" "b" {
  for_each = { x = { p = "s3cret" } }
  stringData = { p = each.value.p }
}`,
			want: `locals {
  creds = { user = "shown", password = "***" }
  other = "shown"
  chain = local.creds.password
}
variable "token" { default = "***" }
resource "Secret" "a" {
  stringData = { p = local.chain, t = "${var.token}" }
}
resource "Secret" "b" {
  for_each = { x = { p = "***" } }
  stringData = { p = each.value.p }
}`,
		},
		"a heredoc": {
			File: "resource \"Secret\" \"a\" {\n  stringData = {\n    p = <<-EOT\n      s3cret\n      more\n    EOT\n  }\n}",
			want: "resource \"Secret\" \"a\" {\n  stringData = {\n    p = <<-EOT\n      ***    EOT\n  }\n}",
		},
		"JSON": {
			file: "main.kplan.json",
			File: `{"resource": {"Secret": {"a": {"metadata": {"name": "a"}, "stringData": {"p": "s3cret"}}}},
"locals": {"x": "${sensitive(\"s3cret\")}"},
"variable": {"v": {"default": "s3cret", "sensitive": true}, "w": {"default": "shown"}}}`,
			want: `{"resource": {"Secret": {"a": {"metadata": {"name": "a"}, "stringData": {"p": ***}}}},
"locals": {"x": ***},
"variable": {"v": {"default": ***, "sensitive": true}, "w": {"default": "shown"}}}`,
		},
		"what is misspelled in a Secret": {
			File: `resource "Secret" "a" {
  metadata {
    name     = "a"
    labels   = { x = "shown" }
    password = "s3cret"
  }
  stringdata = { password = "s3cret" }
  spec { password = "s3cret" }
  typo = "s3cret"
  type = "Opaque"
  dynamic "stringdata" {
    for_each = { a = "s3cret" }
    content { p = stringdata.value }
  }
  lifecycle {
    replace_on = ["type"]
    stringData = { p = "s3cret" }
  }
}`,
			want: `resource "Secret" "a" {
  metadata {
    name     = "a"
    labels   = { x = "shown" }
    password = "***"
  }
  stringdata = { password = "***" }
  spec { password = "***" }
  typo = "***"
  type = "Opaque"
  dynamic "stringdata" {
    for_each = { a = "***" }
    content { p = stringdata.value }
  }
  lifecycle {
    replace_on = ["type"]
    stringData = { p = "***" }
  }
}`,
		},
		"kinds that are misspelled": {
			File: `resource "Scret" "a" {
  stringData = { password = "s3cret", x = var.nope }
}
resource "secret" "b" { stringData = { a = "s3cret" } }
resource "kubernetes_secret_v1" "c" { data = { a = "s3cret" } }
resource "Secret" "d" {
  apiVersion = "v2"
  stringData = { a = "s3cret" }
}
resorce "Secret" "e" {
  metadata { name = "shown" }
  data = { a = "s3cret" }
}
Secret "f" { stringData = { a = "s3cret" } }
resource "MySecret" "g" { password = "s3cret" }
resource "Vault" "h" {
  spec       = { a = "shown" }
  string_data = { a = "s3cret" }
  data { a = "s3cret" }
}
resource "ConfigMap" "i" {
  dta        = { a = "shown" }
  stringData = { a = "s3cret" }
}
resource "Secret" "j" { manifest = merge({ stringData = { a = "s3cret" } }, {}) }`,
			want: `resource "Scret" "a" {
  stringData = { password = "***", x = var.nope }
}
resource "secret" "b" { stringData = { a = "***" } }
resource "kubernetes_secret_v1" "c" { data = { a = "***" } }
resource "Secret" "d" {
  apiVersion = "v2"
  stringData = { a = "***" }
}
resorce "Secret" "e" {
  metadata { name = "shown" }
  data = { a = "***" }
}
Secret "f" { stringData = { a = "***" } }
resource "MySecret" "g" { password = "***" }
resource "Vault" "h" {
  spec       = { a = "shown" }
  string_data = { a = "***" }
  data { a = "***" }
}
resource "ConfigMap" "i" {
  dta        = { a = "shown" }
  stringData = { a = "***" }
}
resource "Secret" "j" { manifest = merge({ stringData = { a = "***" } }, {}) }`,
		},
		"sensitive variables that are misspelled": {
			File: `variable "a" {
  sensitive   = true
  description = "shown"
  defalt      = "s3cret"
  validation {
    condition     = var.a != "s3cret"
    error_message = "shown"
  }
}
variable "b" {
  sensitve = true
  default  = "s3cret"
}
varable "c" {
  sensitive = "true"
  default   = "s3cret"
}
variable "d" {
  sensitive = false
  default   = "shown"
}
variable "e" { defualt = "s3cret" }
resource "Secret" "a" { stringData = { p = var.e } }
output "f" {
  sensitive = true
  vale      = "s3cret"
}`,
			want: `variable "a" {
  sensitive   = true
  description = "shown"
  defalt      = "***"
  validation {
    condition     = var.a != "***"
    error_message = "shown"
  }
}
variable "b" {
  sensitve = true
  default  = "***"
}
varable "c" {
  sensitive = "true"
  default   = "***"
}
variable "d" {
  sensitive = false
  default   = "shown"
}
variable "e" { defualt = "***" }
resource "Secret" "a" { stringData = { p = var.e } }
output "f" {
  sensitive = true
  vale      = "***"
}`,
		},
		"credentials for the cluster": {
			File: `kplan {
  required_version = ">= 0.1"
  cluster {
    host  = "shown"
    tokn  = "s3cret"
    token = var.t
    exec {
      command = "shown"
      env     = { P = "s3cret" }
    }
  }
}
variable "t" { default = "s3cret" }
provider "kubernetes" { token = "s3cret" }`,
			want: `kplan {
  required_version = ">= 0.1"
  cluster {
    host  = "shown"
    tokn  = "***"
    token = var.t
    exec {
      command = "shown"
      env     = { P = "***" }
    }
  }
}
variable "t" { default = "***" }
provider "kubernetes" { token = "***" }`,
		},
		"credentials for a backend": {
			File: `kplan {
  backend "s3" {
    bucket     = "shown"
    region     = "shown"
    access_key = "s3cret"
    secret_ky  = "s3cret"
    token      = local.t
  }
}
kplan {
  backend "postgres" {
    name        = "shown"
    schema_name = "shown"
    conn_str    = "postgres://me:s3cret@db.example/app"
  }
}
locals { t = "s3cret" }`,
			want: `kplan {
  backend "s3" {
    bucket     = "shown"
    region     = "shown"
    access_key = "***"
    secret_ky  = "***"
    token      = local.t
  }
}
kplan {
  backend "postgres" {
    name        = "shown"
    schema_name = "shown"
    conn_str    = "***"
  }
}
locals { t = "***" }`,
		},
		"what is public in settings": {
			File: `kplan {
  cluster {
    contxt                 = "shown"
    cluster_ca_certificate = "-----BEGIN CERTIFICATE-----"
    key                    = "-----BEGIN EC PRIVATE KEY-----s3cret"
    nothing                = "s3cret"
    exec {
      apiVersion = "shown"
      args       = ["s3cret"]
    }
  }
  encryption {
    recipients  = ["age1shown"]
    identities  = ["s3cret"]
    passphrases = ["s3cret"]
  }
  backend "s3" {
    keyy = "shown"
  }
}
module "a" {
  source  = "oci://registry.example/shown"
  version = "1.2"
  input   = "s3cret"
}
module "b" {
  source = "git::https://me:s3cret@git.example/x"
}
module "c" {
  source = "https://git.example/${local.x}?sig=s3cret"
}
module {}
terraform {
  required_version = "shown"
}`,
			want: `kplan {
  cluster {
    contxt                 = "shown"
    cluster_ca_certificate = "-----BEGIN CERTIFICATE-----"
    key                    = "***"
    nothing                = "***"
    exec {
      apiVersion = "shown"
      args       = ["***"]
    }
  }
  encryption {
    recipients  = ["age1shown"]
    identities  = ["***"]
    passphrases = ["***"]
  }
  backend "s3" {
    keyy = "shown"
  }
}
module "a" {
  source  = "oci://registry.example/shown"
  version = "1.2"
  input   = "***"
}
module "b" {
  source = "***"
}
module "c" {
  source = "***${local.x}***"
}
module {}
terraform {
  required_version = "shown"
}`,
		},
		"JSON that is misspelled": {
			file: "main.kplan.json",
			File: `{"resource": {
  "Scret": {"a": [{"metadata": {"name": "shown"}, "stringData": {"p": "s3cret"}}]},
  "Secret": {"b": {"stringdata": {"p": "s3cret"}, "wait": {"stringData": {"p": "s3cret"}}}},
  "ConfigMap": {"c": {"data": {"p": "shown"}}}
},
"resorce": {"secret": {"d": {"data": {"p": "s3cret"}}}},
"kplan": {"cluster": {"host": "shown", "tokn": "s3cret"}},
"variable": {"v": {"defalt": "s3cret", "sensitive": true}}}`,
			want: `{"resource": {
  "Scret": {"a": [{"metadata": {"name": "shown"}, "stringData": {"p": ***}}]},
  "Secret": {"b": {"stringdata": {"p": ***}, "wait": {"stringData": {"p": ***}}}},
  "ConfigMap": {"c": {"data": {"p": "shown"}}}
},
"resorce": {"secret": {"d": {"data": {"p": ***}}}},
"kplan": {"cluster": {"host": "shown", "tokn": ***}},
"variable": {"v": {"defalt": ***, "sensitive": true}}}`,
		},
		"a syntax error beside what is misspelled": {
			File: `resource "ConfigMap" "c" {
  data = { p = "shown" }
}
locals {
  password = "s3cret"
}
locals {
  other = "shown"
}
resource "Scret" "a" {
data = {
p = "s3cret"
}
}
resorce "secret" "b" {
  typo = local.password
}
varable "p" {
  defalt   = "s3cret
  sensitve = true
}`,
			want: `resource "ConfigMap" "c" {
  data = { p = "shown" }
}
locals {
  password = ***
}
locals {
  other = "shown"
}
resource "Scret" "a" {
data = {
p = ***
}
}
resorce "secret" "b" {
  typo = ***
}
varable "p" {
  defalt   = ***
  sensitve = ***
}`,
		},
		"broken JSON without secrets": {
			file: "main.kplan.json",
			File: `{"resource": {"ConfigMap": {"a": {"metadata": {"name": "a"}, "data": {"x": "y"},}}}}`,
			want: `{"resource": {"ConfigMap": {"a": {"metadata": {"name": "a"}, "data": {"x": "y"},}}}}`,
		},
		"broken JSON with a sensitive variable": {
			file: "main.kplan.json",
			File: "{\"variable\": {\"a\": {\n  \"sensitve\": true,\n  \"default\": \"s3cret\",\n}}}",
			want: "***\n  \"sensitve\": ***\n  \"default\": ***\n}}}",
		},
		"a string that is not closed": {
			File: `resource "ConfigMap" "c" {
  data = { p = "shown" }
}
resource "Secret" "a" {
  metadata {
    name = "a"
  stringData = {
    p = "s3cret
    "q" = <<EOT
s3cret
EOT
  }
}
variable "p" {
  default   = "s3cret"
  sensitive = true
}
resource "ConfigMap" "d" {
  data = { p = "shown", q = sensitive("s3cret") }
}`,
			want: `resource "ConfigMap" "c" {
  data = { p = "shown" }
}
resource "Secret" "a" {
  metadata {
    name = ***
  stringData = {
    p = ***
    "q" = ***
***
***
  }
}
variable "p" {
  default   = ***
  sensitive = ***
}
resource "ConfigMap" "d" {
  data = ***
}`,
		},
		"broken JSON": {
			file: "main.kplan.json",
			File: "{\"resource\": {\"Secret\": {\n  \"a\": {\"stringData\": {\"p\": \"s3cret\"}},\n  \"s3cret\"\n}",
			want: "***\n  \"a\": ***\n  ***\n}",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if test.file == "" {
				test.file = "main.kplan.hcl"
			}
			got, _ := quotedFrom(t, test.file, test.File)
			if got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
			if strings.Contains(got, "s3c") {
				t.Error("a secret is shown")
			}
		})
	}
}

func TestSecretNames(t *testing.T) {
	_, secrets := quotedFrom(t, "main.kplan.hcl", `locals { a = { p = "s3cret" } }
resource "Secret" "a" { stringData = { p = local.a.p } }`)
	if !secrets.Names["local.a.p"] || len(secrets.Names) != 1 {
		t.Errorf("names: %v", secrets.Names)
	}
}
