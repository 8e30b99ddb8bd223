kplan {
  required_version = ">= 1.0"
#                    ^^^^^^^^ Unsupported kplan version: This configuration needs kplan >= 1.0, and this is 0.4.0. Run a kplan of such a version, or change required_version if this one will do.
}
---
kplan {
  required_version = "latest"
#                    ^^^^^^^^ Invalid version constraint: required_version is a list of conditions such as ">= 0.3, < 2.0" or "~> 1.2".
}
---
kplan {
  required_version = var.v
#                    ^^^^^ Constant value required: required_version is read before anything is evaluated, so its value must be written out: it can't refer to var.v.
}
---
kplan {
  required_version = ">= 0.1"
}
kplan {
  required_version = ">= 0.2"
# ^^^^^^^^^^^^^^^^ Duplicate setting: A configuration has one required_version at most; there is one at main.kplan.hcl:17,3-19 already.
}
---
kplan {
  requird_version = ">= 0.1"
# ^^^^^^^^^^^^^^^ Unsupported argument: An argument named "requird_version" is not expected here. Did you mean "required_version"?
}
---
kplan {
  backnd "local" {}
# ^^^^^^ Unsupported block type: Blocks of type "backnd" are not expected here. Did you mean "backend"?
}
---
kplan {
  backend "consul" {}
#         ^^^^^^^^ Unsupported backend type: This version of kplan can't keep its state in a backend of that type. Available: http, kubernetes, local, postgres, s3.
}
---
kplan {
  backend "pg" {}
#         ^^^^ Unsupported backend type: This version of kplan can't keep its state in a backend of that type. Available: http, kubernetes, local, postgres, s3. What Terraform calls pg is called postgres, with the same arguments and the name of the state.
}
---
kplan {
  backend "s3" {
    bucket         = "states"
    key            = "shop.json"
    dynamodb_table = "locks"
#   ^^^^^^^^^^^^^^ Unsupported argument: A backend of type s3 has no argument dynamodb_table. The lock is in the state's object itself, and always taken. Remove this argument.
    encrypt        = true
#   ^^^^^^^ Unsupported argument: A backend of type s3 has no argument encrypt. What the bucket says applies to its objects: set its default encryption, or its policy.
    regin          = "x"
#   ^^^^^ Unsupported argument: An argument named "regin" is not expected here. Did you mean "region"?
  }
}
---
kplan {
  backend "s3" {
    bucket     = "states/eu"
#                ^^^^^^^^^^^ Invalid value: bucket is the name of a bucket alone; what stands behind a slash belongs to key.
    key        = "/shop.json"
#                ^^^^^^^^^^^^ Invalid value: key is the name of an object, such as "states/shop.json": of at most 900 bytes, without control characters, and without a slash at its ends or two in a row.
    endpoint   = "https://me:hunter2@s3.example.com"
#                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ Invalid value: endpoint is the URL of a server, with nothing behind its port, such as "https://s3.example.com:9000".
    profile    = "eu"
    access_key = "id"
#   ^^^^^^^^^^ Missing argument: access_key needs secret_key beside it.
#   ^^^^^^^^^^ Conflicting arguments: profile and access_key can't be set together: each has the credentials.
  }
}
---
kplan {
  backend "postgres" {
    name                 = ""
#                          ^^ Invalid value: name is that of the state, of 1 to 200 characters.
    schema_name          = ""
#                          ^^ Invalid value: schema_name is the name of a schema, of 1 to 63 characters.
  }
}
---
kplan {
  backend "postgres" {
    name                 = "shop"
    skip_schema_creation = true
#   ^^^^^^^^^^^^^^^^^^^^ Unsupported argument: A backend of type postgres has no argument skip_schema_creation. The schema and its tables are created by the first run that finds none and may. Remove this argument.
  }
}
---
kplan {
  backend "locl" {}
#         ^^^^^^ Unsupported backend type: This version of kplan can't keep its state in a backend of that type. Available: http, kubernetes, local, postgres, s3. Did you mean "local"?
}
---
kplan {
  backend {}
#         ^ Missing type for backend: All backend blocks must have 1 labels (type).
}
---
kplan {
  backend "local" {
    pth = "x"
#   ^^^ Unsupported argument: An argument named "pth" is not expected here. Did you mean "path"?
  }
}
---
kplan {
  backend "local" {
    path = ""
#          ^^ Invalid value: path must name a file.
  }
}
---
kplan {
  backend "local" {
    path = ["x"]
#          ^^^^^ Invalid value: path must be a string.
  }
}
---
kplan {
  backend "http" {
    address        = "gitlab.example.com/api"
#                    ^^^^^^^^^^^^^^^^^^^^^^^^ Invalid value: address must begin with https:// or http://.
    lock_address   = "https://me:secret@host:port/"
#                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ Invalid value: lock_address is not a valid URL.
    unlock_address = "https://"
#                    ^^^^^^^^^^ Invalid value: unlock_address must have a host in it.
    lock_method    = "PO ST"
#                    ^^^^^^^ Invalid value: lock_method is a method of HTTP, such as "POST".
    retry_max      = -1
#                    ^^ Invalid value: retry_max is a whole number from 0 to 100.
    retry_wait_min = "soon"
#                    ^^^^^^ Invalid value: retry_wait_min must be a number.
    client_certificate_pem = "x"
#   ^^^^^^^^^^^^^^^^^^^^^^ Missing argument: client_certificate_pem needs client_private_key_pem beside it.
  }
}
---
kplan {
  backend "http" {
    lock_adress = ""
#   ^^^^^^^^^^^ Unsupported argument: An argument named "lock_adress" is not expected here. Did you mean "lock_address"?
    headers     = { Authorization = "Bearer x" }
#   ^^^^^^^ Unsupported argument: A backend of type http has no argument headers. Credentials are username and password; a token is a password.
  }
}
---
kplan {
  backend "local" {}
  backend "local" {}
# ^^^^^^^^^^^^^^^ Duplicate setting: A configuration has one backend block at most; there is one at main.kplan.hcl:149,3-18 already.
}
---
kplan {
  cluster {}
}
kplan {
  cluster {}
# ^^^^^^^ Duplicate setting: A configuration has one cluster block at most; there is one at main.kplan.hcl:155,3-10 already.
}
---
kplan {
  cluster {
    config_pth = "x"
#   ^^^^^^^^^^ Unsupported argument: An argument named "config_pth" is not expected here. Did you mean "config_path"?
  }
}
---
kplan {
  cluster {
    host           = "https://10.0.0.1"
    context        = "prod"
#   ^^^^^^^ Conflicting arguments: host and context can't be set together: host names the cluster here, context names it in a kubeconfig file.
    config_path    = "kubeconfig"
#   ^^^^^^^^^^^ Conflicting arguments: host and config_path can't be set together: host names the cluster here, config_path names it in a kubeconfig file.
    token          = "x"
    username       = "x"
#   ^^^^^^^^ Conflicting arguments: token and username can't be set together: each is a way to prove who kplan is.
#   ^^^^^^^^ Missing argument: username needs password beside it.
    client_key     = "x"
#   ^^^^^^^^^^ Missing argument: client_key needs client_certificate beside it.
    insecure       = true
    cluster_ca_certificate = "x"
#   ^^^^^^^^^^^^^^^^^^^^^^ Conflicting arguments: insecure and cluster_ca_certificate can't be set together: insecure turns off the check that the other one is for.
  }
}
---
kplan {
  cluster {
    token = "x"
#   ^^^^^ Conflicting arguments: token and exec can't be set together: each is a way to prove who kplan is.
    exec {
      api_version = "client.authentication.k8s.io/v1"
      command     = "login"
    }
  }
}
---
kplan {
  cluster {
    exec {
#        ^ Missing required argument: The argument "api_version" is required, but no definition was found.
#        ^ Missing required argument: The argument "command" is required, but no definition was found.
      comand = "login"
#     ^^^^^^ Unsupported argument: An argument named "comand" is not expected here. Did you mean "command"?
    }
  }
}
---
kplan {
  cluster {
    exec {
      api_version = "client.authentication.k8s.io/v1"
      command     = "login"
      args        = "x"
#                   ^^^ Invalid value: args must be a list of strings.
      env         = ["x"]
#                   ^^^^^ Invalid value: env must be a map of strings.
    }
    exec {
#   ^^^^ Duplicate setting: A cluster has one exec block at most.
      api_version = "v1"
      command     = "login"
    }
  }
}
---
kplan {
  cluster {
    insecure           = "perhaps"
#                        ^^^^^^^^^ Invalid value: insecure must be true or false.
    impersonate_groups = ["a", null]
#                        ^^^^^^^^^^^ Invalid value: impersonate_groups must be a list of strings without null in it.
    request_timeout    = "1 hour"
#                        ^^^^^^^^ Invalid duration: request_timeout is a length of time such as "30s" or "5m".
    host               = {}
#                        ^^ Invalid value: host must be a string.
    context            = null
  }
}
---
kplan {
  cluster {
    context = Namespace.tenant.metadata.name
#             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ Invalid reference in kplan block: The kplan block is read before any object is known, so it can refer to variables, and to local values made of variables, but not to Namespace.tenant.metadata.
  }
}
---
kplan {
  cluster {
    context = local.name
  }
}
locals {
  name  = "x-${local.other}"
  other = Namespace.tenant.metadata.name
#         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ Invalid reference in kplan block: The kplan block is read before any object is known, so it can refer to variables, and to local values made of variables, but not to Namespace.tenant.metadata. The kplan block needs it through local.name, local.other.
}
---
kplan {
  cluster {
    context = local.a
  }
}
locals {
  a = local.b
  b = local.a
#     ^^^^^^^ Cycle of local values: local.a refers to itself through a, b.
}
---
kplan {
  cluster {
    context = local.contxt
#             ^^^^^^^^^^^^ Reference to undeclared local value: There is no local value "contxt". Did you mean "context"?
    host    = var.hots
#             ^^^^^^^^ Reference to undeclared variable: There is no variable "hots". Did you mean "host"?
  }
}
locals {
  context = "x"
}
variable "host" {
  default = "x"
}
---
kplan {
  cluster {
    context = file("/etc/passwd")
#                   ^^^^^^^^^^^ Invalid function argument: Invalid value for "path" parameter: "/etc/passwd" can't be read: it leads out of the configuration's directory, which is all that a configuration may read.
    host    = file("../x")
#                   ^^^^ Invalid function argument: Invalid value for "path" parameter: "../x" can't be read: it leads out of the configuration's directory, which is all that a configuration may read.
    token   = file("missing")
#                   ^^^^^^^ Invalid function argument: Invalid value for "path" parameter: "missing" can't be read: there is no such file.
  }
}
