resource "Pd" "a" {}
#^^^^^^^^^^^^^^^^ Unknown kind: There is no kind "Pd". Did you mean "Pod"?
---
resource "Widget" "a" {
#^^^^^^^^^^^^^^^^^^^^ Unknown kind: There is no kind "Widget". A custom kind needs its CustomResourceDefinition, in the cluster or in this configuration. Where kplan asks no cluster, it needs the object's apiVersion, too.
  metadata { name = "a" }
}
---
resource "Deployment" "a" {
  apiVersion = "apps/v2"
#              ^^^^^^^^^ Unknown kind: There is no Deployment in API version apps/v2. It is in apps/v1.
  metadata { name = "a" }
}
---
resource "Deployment" "a" {
  apiVersion = 1.5
#              ^^^ Unknown kind: There is no Deployment in API version 1.5. It is in apps/v1.
}
---
resource "Deployment" "a" {
  apiVersion = Deployment.b.metadata.uid
#              ^^^^^^^^^^^^^^^^^^^^^^^^^ Invalid API version: apiVersion is a string such as "apps/v1" that is the same for all instances and known from the start.
}
resource "Deployment" "b" {
  kind = "Deploymnt"
# ^^^^ Different kinds: The kind of the object is the block's first label, Deployment. Remove kind.
  metadata { name = "b" }
  spec {
    selector {}
    template {}
#   ^^^^^^^^ Missing field: spec.template needs the field spec, which is an object.
  }
}
---
resource "Pod" "a" {
  metdata { name = "a" }
# ^^^^^^^ Unknown field: A Pod has no field "metdata". Did you mean "metadata"?
  spec {
    container { name = "a" }
#   ^^^^^^^^^ Unknown field: spec of a Pod has no field "container". Did you mean "containers"?
    restart_policy = "Never"
#   ^^^^^^^^^^^^^^ Unknown field: spec of a Pod has no field "restart_policy". Did you mean "restartPolicy"?
    containers { 
      name = "a"
      imag = "x"
#     ^^^^ Unknown field: spec.containers[0] of a Pod has no field "imag". Did you mean "image"?
      ports { container_port = 8080 }
#             ^^^^^^^^^^^^^^ Unknown field: spec.containers[0].ports[0] of a Pod has no field "container_port". Did you mean "containerPort"?
      resource = { limits = {} }
#     ^^^^^^^^ Unknown field: spec.containers[0] of a Pod has no field "resource". Did you mean "resources"?
    }
  }
}
---
resource "Pod" "a" {}
#^^^^^^^^^^^^^^^^^ Missing field: A Pod needs the field spec, which is an object.
#^^^^^^^^^^^^^^^^^ Missing name: A Pod needs metadata.name, or metadata.generateName for a name that the server makes up.
---
resource "Pod" "a" {
  metadata {}
# ^^^^^^^^ Missing name: A Pod needs metadata.name, or metadata.generateName for a name that the server makes up.
  spec {}
# ^^^^ Missing field: spec needs the field containers, which is a list of objects.
}
---
resource "Pod" "a" {
  metadata { name = "a" }
  spec {
    containers {
#   ^^^^^^^^^^ Missing field: spec.containers[0] needs the field name, which is a string.
      image = "x"
    }
    hostNetwork = "maybe"
#                 ^^^^^^^ Invalid value: spec.hostNetwork must be true or false, and this is a string.
    terminationGracePeriodSeconds = 1.5
#                                   ^^^ Invalid value: spec.terminationGracePeriodSeconds must be a whole number, and this one has a fraction.
    priority = "high"
#              ^^^^^^ Invalid value: spec.priority must be a whole number, and this string is none.
    nodeSelector = "x"
#                  ^^^ Invalid value: spec.nodeSelector must be a map, and this is a string.
    tolerations = { key = "a" }
#                 ^^^^^^^^^^^^^ Invalid value: spec.tolerations must be a list of objects, and this is an object. Put it in brackets, or write it as a block without the equals sign.
    activeDeadlineSeconds { x = 1 }
#   ^^^^^^^^^^^^^^^^^^^^^ Invalid block: spec.activeDeadlineSeconds is a whole number and no block: write activeDeadlineSeconds = ….
    imagePullSecrets = ["x"]
#                       ^^^ Invalid value: spec.imagePullSecrets[0] must be an object, and this is a string.
    hostAliases = [{ ip = "1.2.3.4", hostnames = "a" }, { ipp = "1" }]
#                                                ^^^ Invalid value: spec.hostAliases[0].hostnames must be a list of strings, and this is a string. Put it in brackets.
#                                                         ^^^ Unknown field: spec.hostAliases[1] of a Pod has no field "ipp". Did you mean "ip"?
  }
}
---
resource "Pod" "a" {
  metadata { 
    name = "a"
  }
  metadata { 
# ^^^^^^^^ Duplicate block: metadata is a single object, and there is a block for it at line 94 already.
    namespace = "b"
  }
  spec {
    containers {
      name = "a"
    }
    containers = []
#   ^^^^^^^^^^ Field set twice: spec.containers is written as a block and as an attribute. Use one of the two.
    volumes = [null]
#              ^^^^ Null in a list: spec.volumes can't hold null. The API server reads it as an empty object, which may mean everything. Write {} if that is meant, or leave the element out to have none.
    containers {
      name = "a"
      ports = [{ containerPort = 80 }, { containerPort = 80, protocol = "TCP" }]
    }
    containers "web" {
      name = "b"
      command {}
      args = [["a"]]
    }
  }
}
---
resource "Pod" "a" {
  metadata { 
    name = "a"
    labels = { a = "x", "b c" = "z", c = "not ok!" }
#                       ^^^^^^^^^^^ Invalid label: "b c" can't be the key of a label: name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character.
#                                    ^^^^^^^^^^^^^ Invalid label: The value of label "c" is not valid: a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character.
    annotations = { "/x" = "a" }
#                   ^^^^^^^^^^ Invalid annotation: "/x" can't be the key of an annotation: prefix part must be non-empty.
  }
  spec {
    containers = [{ name = "a", resources = { limits = { cpu = "lots", memory = true } } }]
#                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ Missing field: spec.containers[0] needs the field image, which is a string.
#                                                              ^^^^^^ Invalid value: spec.containers[0].resources.limits.cpu must be a quantity such as "500m" or "2Gi", and this string is none.
#                                                                               ^^^^ Invalid value: spec.containers[0].resources.limits.memory must be a quantity such as "500m" or "2Gi", and this is a boolean.
    dynamic "volumes" {
#   ^^^^^^^^^^^^^^^^^ Invalid dynamic block: A dynamic block needs for_each, which sets how often to repeat it, and a content block.
      content {}
    }
    dynamic "volumes" {
#   ^^^^^^^^^^^^^^^^^ Invalid dynamic block: A dynamic block needs for_each, which sets how often to repeat it, and a content block.
      for_each = []
    }
    dynamic "volumes" {
      for_each = 3
#                ^ Invalid for_each argument: The for_each of a dynamic block is a list, a set or a map, and this is a number.
      iterator = "x"
#                ^^^ Invalid dynamic block: iterator is the name of a variable, without quotes.
      labels = []
#     ^^^^^^ Invalid dynamic block: A dynamic block has for_each, iterator and content. The fields of spec.volumes belong in content.
      content { name = "a" }
      content { name = "b" }
#     ^^^^^^^ Invalid dynamic block: A dynamic block holds one content block and no other.
      other {}
#     ^^^^^ Invalid dynamic block: A dynamic block holds one content block and no other.
    }
    dynamic "volumes" {
      for_each = null
#                ^^^^ Invalid for_each argument: The for_each of a dynamic block is null. For no block at all give an empty list.
      iterator = var
#                ^^^ Invalid dynamic block: iterator can't be called var, since other references begin with that.
      content { name = "a" }
    }
    dynamic "volumes" {
      for_each = ["a", "a"]
      content { name = volumes.value }
    }
    dynamic "securityContext" {
      for_each = [1, 2]
      content {}
#     ^^^^^^^ Duplicate block: spec.securityContext is a single object, and the dynamic blocks make 2 of it.
    }
  }
}
---
resource "Secret" "a" {
  metadata { name = "a" }
  data = { password = "hunter2!", other = 5 }
#                     ^^^^^^^^^^ Invalid value: data.password must be binary data in base64, and this string is not. Plain text goes into stringData, or through base64encode().
#                                         ^ Invalid value: data.other must be binary data in base64, and this is a number.
}
---
resource "Secret" "a" {
  metadata { name = "a" }
  data = { password = sensitive("hunter2!") }
#                     ^^^^^^^^^^^^^^^^^^^^^ Invalid value: data.password must be binary data in base64, and this string is not. Plain text goes into stringData, or through base64encode().
  type = ["x"]
#        ^^^^^ Invalid value: type must be a string, and this is a list.
}
---
resource "Namespace" "a" {
  metadata {
    name      = "a.b"
#   ^^^^^^^^^^^^^^^^^ Invalid name: metadata.name is not valid for a Namespace: must not contain dots.
    namespace = "x"
#   ^^^^^^^^^^^^^^^ Unexpected namespace: A Namespace is cluster-scoped. Remove metadata.namespace.
  }
}
---
resource "ConfigMap" "a" {
  metadata {
    name      = "A_b"
#   ^^^^^^^^^^^^^^^^^ Invalid name: metadata.name is not valid for a ConfigMap: a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character.
    namespace = "X"
#   ^^^^^^^^^^^^^^^ Invalid name: metadata.namespace is not valid for a ConfigMap: a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character.
    generateName = "bad_"
#   ^^^^^^^^^^^^^^^^^^^^^ Invalid name: metadata.generateName is not valid for a ConfigMap: a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character.
  }
}
---
resource "ConfigMap" "a" {
  metadata {
    name = "a"
    uid = "x"
#   ^^^^^^^^^ Field set by the server: metadata.uid is written by the API server. Remove it.
    resourceVersion = "1"
#   ^^^^^^^^^^^^^^^^^^^^^ Field set by the server: metadata.resourceVersion is written by the API server. Remove it.
    managedFields = []
#   ^^^^^^^^^^^^^^^^^^ Field set by the server: metadata.managedFields is written by the API server. Remove it.
  }
  status {}
# ^^^^^^ Unknown field: A ConfigMap has no field "status".
}
---
resource "Pod" "a" {
  metadata { name = "a" }
  spec { 
    containers { name = "a" }
#   ^^^^^^^^^^ Missing field: spec.containers[0] needs the field image, which is a string.
  }
  status { phase = "Running" }
# ^^^^^^ Field set by the server: The status of an object is written by its controller. Remove it.
}
---
resource "ConfigMap" "a" {
  manifest = { metadata = { name = "a" } }
  data = {}
# ^^^^ Field beside manifest: manifest is the whole object, so nothing else can be set beside it. Put data into it.
}
---
resource "ConfigMap" "a" {
  manifest = { apiVersion = "v1", kind = "Secret", metadata = { name = "a" } }
#                                 ^^^^^^^^^^^^^^^ Different kinds: The block's first label is ConfigMap, but the manifest has "Secret".
}
---
resource "ConfigMap" "a" {
  manifest = { apiVersion = "v2", metadata = { name = "a" } }
#                           ^^^^ Unknown kind: There is no ConfigMap in API version v2. It is in v1.
}
---
resource "ConfigMap" "a" {
  manifest = "x"
#            ^^^ Invalid value: The manifest must be an object, and this is a string.
}
---
resource "ConfigMap" "a" {
#^^^^^^^^^^^^^^^^^^^^^^^ Missing name: A ConfigMap needs metadata.name, or metadata.generateName for a name that the server makes up.
  for_each = { a = { apiVersion = "v1", kind = "ConfigMap", metadata = { nam = "a" } }, b = { apiVersion = "v9" }, c = 3 }
  manifest = each.value
#            ^^^^^^^^^^ Unknown field: metadata of a ConfigMap has no field "nam". Did you mean "name"?
#            ^^^^^^^^^^ Unknown kind: There is no ConfigMap in API version v9. It is in v1.
#            ^^^^^^^^^^ Invalid value: The manifest must be an object, and this is a number.
}
---
resource "ConfigMap" "a" {
  metadata { name = "a" }
  data = { x = { y = 1 }, z = [], n = null }
#              ^^^^^^^^^ Invalid value: data.x must be a string, and this is an object.
#                             ^^ Invalid value: data.z must be a string, and this is a list.
  binaryData = { (1) = "!" }
#                      ^^^ Invalid value: binaryData.1 must be binary data in base64, and this string is not. Plain text goes through base64encode().
  immutable = "2"
#             ^^^ Invalid value: immutable must be true or false, and this is a string.
}
---
resource "Lease" "a" {
  metadata { name = "a" }
  spec {
    renewTime = "yesterday"
#               ^^^^^^^^^^^ Invalid value: spec.renewTime must be a time such as "2006-01-02T15:04:05Z", and this string is not.
    leaseDurationSeconds = 1e30
#                          ^^^^ Invalid value: spec.leaseDurationSeconds must be a whole number of at most 64 bits.
    acquireTime = 5
#                 ^ Invalid value: spec.acquireTime must be a time such as "2006-01-02T15:04:05Z", and this is a number.
  }
}
---
resource "ConfigMap" "a" {
  metadata { name = "a" }
  lifecycle {
    ignore_changes = [data.x, metadta.labels, metadata.labels.x.y]
#                             ^^^^^^^^^^^^^^ Unknown field: In ignore_changes, metadta.labels: ConfigMap has no field "metadta". Did you mean "metadata"?
#                                             ^^^^^^^^^^^^^^^^^^^ Unknown field: In ignore_changes, metadata.labels.x.y: metadata.labels.x is a string.
    replace_on = [immutable, spec]
#                            ^^^^ Unknown field: In replace_on, spec: ConfigMap has no field "spec".
  }
}
---
resource "Pod" "a" {
  metadata { name = "a" }
  spec {
    containers {
#   ^^^^^^^^^^ Missing field: spec.containers[0] needs the field image, which is a string.
      name = "a"
      imagePullPolicy = "ifnotpresent"
#                       ^^^^^^^^^^^^^^ Warning: Unusual value: As far as kplan knows, spec.containers[0].imagePullPolicy is "Always", "Never" or "IfNotPresent". Did you mean "IfNotPresent"?
    }
    restartPolicy = sensitive("Nevr")
#                   ^^^^^^^^^^^^^^^^^ Warning: Unusual value: As far as kplan knows, spec.restartPolicy is "Always", "OnFailure" or "Never". Did you mean "Never"?
  }
}
---
resource "Service" "a" {
  metadata { name = "a" }
  spec {
    ports { 
      port = 80 
      targetPort = 8080.5
#                  ^^^^^^ Invalid value: spec.ports[0].targetPort must be a whole number or a string, and this one has a fraction.
    }
    ports { 
      port = true
#            ^^^^ Invalid value: spec.ports[1].port must be a whole number, and this is a boolean.
      targetPort = []
#                  ^^ Invalid value: spec.ports[1].targetPort must be a whole number or a string, and this is a list.
    }
    selector { 
      app = "x"
      nested { y = 1 }
#     ^^^^^^ Invalid block: spec.selector.nested is a string and no block: write nested = ….
    }
  }
}
---
resource "Role" "a" {
  metadata { name = "a:b/c" }
#            ^^^^^^^^^^^^^^ Invalid name: metadata.name is not valid for a Role: it can't hold / or %.
  rules {
    verbs = ["get", 5, null]
#                      ^^^^ Null in a list: rules[0].verbs can't hold null. The API server reads it as an empty string, or refuses it. Write "" if that is meant, or leave the element out to have none.
    apiGroups = { x = 1 }
#               ^^^^^^^^^ Invalid value: rules[0].apiGroups must be a list of strings, and this is an object.
  }
}
---
output "secret" { value = Secret.a.data }
#                         ^^^^^^^^^^^^^ Output refers to sensitive values: The value of this output is sensitive, so showing it would give a secret away. If the output is meant to hold a secret, say sensitive = true in it; if the value is none, wrap it in nonsensitive().
resource "Secret" "a" {
  metadata { name = "a" }
  stringData = { x = "y" }
}
---
output "secret" { value = { a = [sensitive("x")] } }
#                         ^^^^^^^^^^^^^^^^^^^^^^^^ Output refers to sensitive values: The value of this output is sensitive, so showing it would give a secret away. If the output is meant to hold a secret, say sensitive = true in it; if the value is none, wrap it in nonsensitive().
---
output "x" { 
  value = 1
  precondition {
    condition = local.n > 3
#               ^^^^^^^^^^^ Precondition failed: n is 2.
    error_message = "n is ${local.n}."
  }
}
locals { n = 2 }
---
output "x" { 
  value = 1
  precondition {
    condition = null
#               ^^^^ Invalid condition: A condition must be true or false.
    error_message = "n"
  }
  precondition {
    condition = sensitive(1) == 2
#               ^^^^^^^^^^^^^^^^^ Precondition failed: The condition is not met. (Its error message holds a sensitive value and is not shown.)
    error_message = "it is ${sensitive("x")}"
  }
}
---
resource "ConfigMap" "a" {
  metadata { name = "a" }
  data = { "${"k"}" = undefined() }
#                     ^^^^^^^^^ Call to unknown function: There is no function "undefined".
}
---
variable "token" {
  sensitive = true
  default   = "c4n4ry"
}
resource "ConfigMap" "a" {
  metadata {
    name        = var.token
#   ^^^^^^^^^^^^^^^^^^^^^^^ Sensitive name: metadata.name is sensitive, and the names of objects are shown in plans. If it is no secret, wrap it in nonsensitive().
    labels      = { (var.token) = "not valid!", x = var.token }
    annotations = merge({ (var.token) = [] }, {})
#                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ Invalid value: A value inside of metadata.annotations must be a string, and this is a list.
  }
  data       = { (var.token) = [], other = { (var.token) = 1 } }
#                              ^^ Invalid value: A value inside of data must be a string, and this is a list.
#                                          ^^^^^^^^^^^^^^^^^^^ Invalid value: A value inside of data must be a string, and this is an object.
  binaryData = sensitive({ c4n4ry = "?" })
#              ^^^^^^^^^^^^^^^^^^^^^^^^^^^ Invalid value: A value inside of binaryData must be binary data in base64, and this string is not. Plain text goes through base64encode().
}
resource "ConfigMap" "b" {
  apiVersion = var.token
#              ^^^^^^^^^ Invalid API version: apiVersion is a string such as "apps/v1" that is the same for all instances and known from the start.
}
resource "ConfigMap" "c" {
  manifest = { apiVersion = var.token, kind = var.token, metadata = { name = "c" } }
#            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ Unknown kind: There is no ConfigMap in the API version of the manifest. It is sensitive, so it is not shown.
}
resource "Role" "d" {
#^^^^^^^^^^^^^^^^^^ Sensitive name: metadata.name is sensitive, and the names of objects are shown in plans. If it is no secret, wrap it in nonsensitive().
  manifest = sensitive({ metadata = { name = "d", c4n4ry = 1 } })
#            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ Unknown field: The manifest has a field that a Role does not have. It is sensitive, so its name is not shown.
}
---
resource "ClusterRole" "all" {
  metadata { name = "all" }
  aggregationRule {
    clusterRoleSelectors { matchLabels = { into = "all" } }
  }
  rules {
# ^^^^^ Rules beside an aggregation rule: A ClusterRole with an aggregationRule gets its rules from the roles that it selects: the control plane overwrites whatever is set here. Put these rules into a ClusterRole of their own, with the labels that are selected.
    apiGroups = [""]
    resources = ["pods"]
    verbs     = ["get"]
  }
}
---
locals { key = "a" }
resource "ConfigMap" "a" {
  for_each = toset(["a"])
  metadata { name = "a" }
  data = { a = "1", (each.key) = "2" }
#                   ^^^^^^^^^^ Duplicate key: data has this key already. Only one of the two values would count.
}
resource "ConfigMap" "b" {
  for_each = toset(["a"])
  metadata { name = "b" }
  data = { (local.key) = "1", a = "2" }
#                             ^ Duplicate key: data has this key twice.
}
---
resource "ConfigMap" "a" {
  metadata {
    name   = "a"
    labels = { a = "x", b = "y", "a" = "y" }
#                                ^^^ Duplicate key: This object has the key "a" already, in line 447. Only one of the two values would count: take one away.
  }
}
---
resource "Pod" "a" {
  manifest = yamldecode(<<-YAML
#            ^^^ Invalid value: metadata.annotations.a must be a string, and YAML reads n as false. Put it in quotes.
#            ^^^ Invalid value: metadata.annotations.b must be a string, and YAML has 8080 there. Put it in quotes.
#            ^^^ Invalid value: metadata.annotations.c must be a string, and YAML reads 1.10 as 1.1. Put it in quotes.
#            ^^^ Invalid value: metadata.annotations.d must be a string, and YAML has false there. Put it in quotes.
#            ^^^ Invalid value: metadata.annotations.e must be a string, and YAML has false there. Put it in quotes.
#            ^^^ Invalid value: spec.containers[0].args[1] must be a string, and YAML reads yes as true. Put it in quotes.
    apiVersion: v1
    kind: Pod
    metadata:
      name: a
      annotations:
        a: n
        b: 8080
        c: 1.10
        d: &d false
        e: *d
    spec:
      containers:
      - {name: a, image: a, args: [x, yes], ports: [{containerPort: 0x50}]}
  YAML
  )
}
---
resource "Secret" "a" {
  manifest = yamldecode("{apiVersion: v1, kind: Secret, metadata: {name: a}, stringData: {pin: 0400}}")
#            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ Invalid value: stringData.pin must be a string, and YAML has a number there. Put it in quotes.
}
---
locals {
  settings = yamldecode("{country: no, version: 1.10, port: 8080, enabled: true}")
}
resource "ConfigMap" "a" {
  metadata { name = "a" }
  data = {
    country = local.settings.country
#             ^^^^^^^^^^^^^^^^^^^^^^ Invalid value: data.country must be a string, and YAML reads no as false. Put it in quotes.
    version = "${local.settings.version}"
#             ^^^^^^^^^^^^^^^^^^^^^^^^^^^ Invalid value: data.version must be a string, and YAML reads 1.10 as 1.1. Put it in quotes.
    port    = local.settings.port
    enabled = local.settings.enabled
    next    = local.settings.version + 1
    chosen  = local.settings.country ? "a" : "b"
  }
}
---
resource "ConfigMap" "a" {
  metadata {
    name        = "a"
    annotations = { port = 8080, on = true, mode = 0400 }
#                                                  ^^^^ Invalid value: metadata.annotations.mode must be a string, and 0400 without quotes is the number 400. Put it in quotes.
  }
  data = {
    version = 1.10
#             ^^^^ Invalid value: data.version must be a string, and 1.10 without quotes is the number 1.1. Put it in quotes.
    factor  = 1e3
#             ^^^ Invalid value: data.factor must be a string, and 1e3 without quotes is the number 1000. Put it in quotes.
    ratio   = 0.5
    big     = 12345678901234567890
  }
}
resource "Secret" "a" {
  metadata { name = "a" }
  stringData = { pin = 0471 }
#                      ^^^^ Invalid value: stringData.pin must be a string, and without quotes this is another number. Put it in quotes.
}
---
locals { long = join("", [for i in range(1024) : join("", [for j in range(128) : "0123456789"])]) }
resource "ConfigMap" "large" {
  metadata {
    name        = "a"
    annotations = { a = local.long }
#   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ Object is too large: All annotations of an object together hold 256 KiB at most.
  }
  data = { a = local.long, "b c" = "x" }
#          ^^^^^^^^^^^^^^ Object is too large: All values of a ConfigMap together hold 1 MiB at most.
#                          ^^^^^^^^^^^ Invalid key: "b c" can't be a key in a ConfigMap: a valid config key must consist of alphanumeric characters, '-', '_' or '.'.
}
resource "Secret" "large" {
  metadata { name = "a" }
  stringData = { a = local.long }
#                ^^^^^^^^^^^^^^ Object is too large: All values of a Secret together hold 1 MiB at most.
}
---
variable "token" {
  sensitive = true
  default   = "c4n4ry"
}
resource "Pod" "keys" {
  metadata {
    name       = "keys"
    finalizers = ["example.com/kept", var.token]
#                                     ^^^^^^^^^ Sensitive key: metadata.finalizers[1] is sensitive, and it identifies the element in its list, which plans and errors show. If it is no secret, wrap it in nonsensitive().
  }
  spec {
    hostAliases = [{ ip = var.token, hostnames = [var.token] }]
#                  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ Sensitive key: spec.hostAliases[0].ip is sensitive, and it identifies the element in its list, which plans and errors show. If it is no secret, wrap it in nonsensitive().
    containers {
#   ^^^^^^^^^^ Sensitive key: spec.containers[0].name is sensitive, and it identifies the element in its list, which plans and errors show. If it is no secret, wrap it in nonsensitive().
      name  = var.token
      image = var.token
      env {
#     ^^^ Sensitive key: spec.containers[0].env[0].name is sensitive, and it identifies the element in its list, which plans and errors show. If it is no secret, wrap it in nonsensitive().
        name  = var.token
        value = var.token
      }
      env {
        name  = nonsensitive("B${var.token}")
        value = var.token
      }
    }
  }
}
---
resource "Widget" "all" {
  for_each = toset(["a", "b"])
  manifest = { apiVersion = "${each.key}/v1", kind = "Widget", metadata = { name = "a" } }
#            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ Unknown kind: There is no kind "Widget" in API version a/v1. A custom kind needs its CustomResourceDefinition, in the cluster or in this configuration.
#            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ Unknown kind: There is no kind "Widget" in API version b/v1. A custom kind needs its CustomResourceDefinition, in the cluster or in this configuration.
}
