resource "pod" "web" {}
#        ^^^^^ Invalid kind: The first label of a resource is the Kubernetes kind, spelled as in a manifest: it begins with a capital and holds only letters and digits. Did you mean "Pod"?
---
resource "deploy" "web" {}
#        ^^^^^^^^ Invalid kind: The first label of a resource is the Kubernetes kind, spelled as in a manifest: it begins with a capital and holds only letters and digits. Did you mean "Deployment"?
---
resource "kubernetes_namespace" "web" {}
#        ^^^^^^^^^^^^^^^^^^^^^^ Invalid kind: The first label of a resource is the Kubernetes kind, spelled as in a manifest: it begins with a capital and holds only letters and digits. Did you mean "Namespace"? There is no provider, so there is no prefix either.
---
resource "kubernetes_stateful_set_v1" "web" {}
#        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ Invalid kind: The first label of a resource is the Kubernetes kind, spelled as in a manifest: it begins with a capital and holds only letters and digits. Did you mean "StatefulSet"? There is no provider, so there is no prefix either.
---
resource "kubernetes_manifest" "web" {}
#        ^^^^^^^^^^^^^^^^^^^^^ Invalid kind: The first label of a resource is the Kubernetes kind, spelled as in a manifest: it begins with a capital and holds only letters and digits. There is no provider, so there is no prefix either.
---
resource "Config-Map" "web" {}
#        ^^^^^^^^^^^^ Invalid kind: The first label of a resource is the Kubernetes kind, spelled as in a manifest: it begins with a capital and holds only letters and digits. Did you mean "ConfigMap"?
---
resource "apps/v1.Deployment" "web" {}
#        ^^^^^^^^^^^^^^^^^^^^ Invalid kind: The first label of a resource is the Kubernetes kind, spelled as in a manifest: it begins with a capital and holds only letters and digits.
---
resource "" "web" {}
#        ^^ Invalid kind: The first label of a resource is the Kubernetes kind, spelled as in a manifest: it begins with a capital and holds only letters and digits.
---
resource "Pod" "my web" {}
#              ^^^^^^^^ Invalid name: The name of a resource starts with a letter or an underscore and holds only letters, digits, underscores and dashes. For example "my_web".
---
resource "Pod" "web" {}
resource "Pod" "web" {}
#^^^^^^^^^^^^^^^^^^^ Duplicate resource: Pod.web was already declared at main.kplan.hcl:28,1-21. Each resource needs a name of its own: rename one of the two, or remove it.
---
resource "Pod" "web" {
  for_each = toset(["a"])
  count    = 2
# ^^^^^ Both for_each and count: A resource has either for_each or count. Keep for_each where its instances have names of their own.
}
---
resource "Pod" "web" {
  lifecycle {}
  lifecycle {}
# ^^^^^^^^^ Duplicate block: A resource has one lifecycle block at most; there is one at main.kplan.hcl:39,3-12 already.
}
---
resource "Pod" "web" {
  lifecycle "x" {}
#           ^^^ Extraneous label for lifecycle: No labels are expected for lifecycle blocks.
}
---
resource "Pod" "web" {
  lifecycle {
    create_before_destroy = true
#   ^^^^^^^^^^^^^^^^^^^^^ Unsupported argument: An argument named "create_before_destroy" is not expected here. Two objects can't have one name, so the old one is always deleted first. To have both for a while, declare the new one under another name, and remove the old one later.
    prevent_destory       = true
#   ^^^^^^^^^^^^^^^ Unsupported argument: An argument named "prevent_destory" is not expected here. Did you mean "prevent_destroy"?
  }
}
---
resource "Pod" "web" {
  lifecycle {
    prevent_destroy = "sometimes"
#                     ^^^^^^^^^^^ Invalid value: prevent_destroy must be true or false.
  }
}
---
resource "Pod" "web" {
#^^^^^^^^^^^^^^^^^^^ Missing field: A Pod needs the field spec, which is an object.
#^^^^^^^^^^^^^^^^^^^ Missing name: A Pod needs metadata.name, or metadata.generateName for a name that the server makes up.
  lifecycle {
    prevent_destroy = var.protected
#                     ^^^^^^^^^^^^^ Undeclared variable: There is no variable named "protected". Declare it: variable "protected" {}.
  }
}
---
resource "Pod" "web" {
  lifecycle {
    ignore_changes = all
#                    ^^^ Invalid field path: ignore_changes is a list of fields of the object, such as [spec.replicas, metadata.annotations]. There is no "all": name the top-level fields instead, such as [spec].
  }
}
---
resource "Pod" "web" {
  lifecycle {
    ignore_changes = spec.replicas
#                    ^^^^^^^^^^^^^ Invalid field path: ignore_changes is a list of fields of the object, such as [spec.replicas, metadata.annotations].
  }
}
---
resource "Pod" "web" {
  lifecycle {
    ignore_changes = [
      all,
#     ^^^ Invalid field path: ignore_changes holds fields of the object. There is no "all": name the top-level fields instead, such as [spec].
      spec.containers[*].image,
#     ^^^^^^^^^^^^^^^^^^^^^^^^ Invalid field path: ignore_changes holds fields of the object, such as spec.replicas or metadata.annotations["a.b/c"]: only names, dots and keys in brackets are allowed.
      "spec..image",
#     ^^^^^^^^^^^^^ Invalid field path: ignore_changes holds fields of the object, such as spec.replicas or metadata.annotations["a.b/c"]: "spec..image" is not a field path: a name is missing beside a dot.
      "spec[",
#     ^^^^^^^ Invalid field path: ignore_changes holds fields of the object, such as spec.replicas or metadata.annotations["a.b/c"]: "spec[" is not a field path: a bracket is not closed.
      "",
#     ^^ Invalid field path: ignore_changes holds fields of the object, such as spec.replicas or metadata.annotations["a.b/c"]: "" is not a field path: it is empty.
      1,
#     ^ Invalid field path: ignore_changes holds fields of the object, such as spec.replicas or metadata.annotations["a.b/c"]: this is a value and names no field.
      null,
#     ^^^^ Invalid field path: ignore_changes holds fields of the object, such as spec.replicas or metadata.annotations["a.b/c"]: this is a value and names no field.
      spec.containers[1.5],
#     ^^^^^^^^^^^^^^^^^^^^ Invalid field path: ignore_changes holds fields of the object, such as spec.replicas or metadata.annotations["a.b/c"]: a key in brackets is a string or a whole number.
      spec.containers[true],
#     ^^^^^^^^^^^^^^^^^^^^^ Invalid field path: ignore_changes holds fields of the object, such as spec.replicas or metadata.annotations["a.b/c"]: a key in brackets is a string or a whole number.
      upper("x"),
#     ^^^^^^^^^^ Invalid field path: ignore_changes holds fields of the object, such as spec.replicas or metadata.annotations["a.b/c"]: only names, dots and keys in brackets are allowed.
      "${var.x}",
#     ^^^^^^^^^^ Invalid field path: ignore_changes holds fields of the object, such as spec.replicas or metadata.annotations["a.b/c"]: only names, dots and keys in brackets are allowed.
    ]
    force_conflicts = ["a b["]
#                      ^^^^^^ Invalid field path: force_conflicts holds fields of the object, such as spec.replicas or metadata.annotations["a.b/c"]: "a b[" is not a field path: a bracket is not closed.
    replace_on      = [spec.a + 1]
#                      ^^^^^^^^^^ Invalid field path: replace_on holds fields of the object, such as spec.replicas or metadata.annotations["a.b/c"]: only names, dots and keys in brackets are allowed.
  }
}
---
resource "Pod" "web" {
  wait {
    enabled = 5
#             ^ Invalid value: enabled must be true or false.
    timeout = "soon"
#             ^^^^^^ Invalid duration: timeout is a length of time such as "30s" or "5m".
  }
}
---
resource "Pod" "web" {
  wait {
    timeout = "-5m"
#             ^^^^^ Invalid duration: timeout is a length of time such as "30s" or "5m".
    condition = "Ready"
#   ^^^^^^^^^ Unsupported argument: An argument named "condition" is not expected here. Did you mean to define a block of type "condition"?
  }
}
---
resource "Pod" "web" {
  wait {
    timeout = 30
#             ^^ Invalid duration: timeout is a length of time such as "30s" or "5m".
  }
}
---
resource "Pod" "web" {
  wait {}
  wait {}
# ^^^^ Duplicate block: A resource has one wait block at most; there is one at main.kplan.hcl:147,3-7 already.
}
---
resource "Pod" "web" {
  depends_on = Namespace.tenant
#              ^^^^^^^^^^^^^^^^ Invalid depends_on: depends_on is a list of references to resources, such as [Namespace.tenant].
}
---
resource "Pod" "web" {
  depends_on = [namespace.tenant, module.x, data.Secret.x, Namespace.tenant.metadata.name, Namespace["x"], Namespace]
#               ^^^^^^^^^^^^^^^^ Invalid depends_on: depends_on names resources, such as Namespace.tenant. "namespace" is none: a kind begins with a capital letter.
#                                           ^^^^^^^^^^^^^ Invalid depends_on: A data block reads what is there already, so nothing waits for it. Name what has to be ready.
#                                                          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ Invalid depends_on: depends_on waits for whole objects: leave out what follows Namespace.tenant.
#                                                                                          ^^^^^^^^^^^^^^ Invalid depends_on: The name of the resource is missing: a reference looks like Namespace.name.
#                                                                                                          ^^^^^^^^^ Invalid depends_on: The name of the resource is missing: a reference looks like Namespace.name.
}
---
resource "Pod" "web" {
  depends_on = ["Namespace.tenant", local.x, Namespace.tenant, Pod.a["x"], Pod.a[0].spec, upper("x")]
#               ^^^^^^^^^^^^^^^^^^ Invalid depends_on: A reference is written without quotes: [Namespace.tenant].
#                                   ^^^^^^^ Invalid depends_on: depends_on names resources, such as Namespace.tenant. "local" is none: a kind begins with a capital letter.
#                                                                          ^^^^^^^^^^^^^ Invalid depends_on: depends_on waits for whole objects: leave out what follows Pod.a.
#                                                                                         ^^^^^^^^^^ Invalid depends_on: depends_on holds references to resources, such as Namespace.tenant, and no other expressions.
}
---
resource "Pod" "web" {
  metadata {
    name = uper("x")
#          ^^^^ Call to unknown function: There is no function "uper". Did you mean "upper"?
  }
  dynamic "spec" {
    for_each = true ? [] : [tosett([])]
#                           ^^^^^^ Call to unknown function: There is no function "tosett". Did you mean "toset"?
    content {
      a = [for x in y : "${timestamp()} ${uuid()}"]
#                          ^^^^^^^^^ Call to unknown function: There is no function "timestamp": kplan's functions are pure, and none returns the time: apply would get another result than plan. Pass the time in as a variable.
#                                         ^^^^ Call to unknown function: There is no function "uuid": kplan's functions are pure, and none returns random values: apply would get another result than plan. uuidv5 makes an identifier from a name.
    }
  }
}
---
resource "Pod" "web" {
  wait {
    rolout = true
#   ^^^^^^ Unsupported argument: An argument named "rolout" is not expected here. Did you mean "rollout"?
    condition {
      type   = "Ready"
      status = "true"
#              ^^^^^^ Invalid value: The status of a condition is "True", "False" or "Unknown". Did you mean "True"?
    }
    condition {
#             ^ Missing required argument: The argument "type" is required, but no definition was found.
      status = "Tru"
    }
    condition { type = "" }
#                      ^^ Invalid value: type is the name of a condition in the object's status, such as "Ready".
    condition { name = "Ready" }
#               ^ Missing required argument: The argument "type" is required, but no definition was found.
#               ^^^^ Unsupported argument: An argument named "name" is not expected here.
    conditions { type = "Ready" }
#   ^^^^^^^^^^ Unsupported block type: Blocks of type "conditions" are not expected here. Did you mean "condition"?
    fields = { "status.phase" = "Running" }
#   ^^^^^^ Unsupported argument: An argument named "fields" is not expected here.
  }
}
---
resource "Pod" "web" {
  wait {
    rollout = "yes"
#             ^^^^^ Invalid value: rollout must be true or false.
    field {
      path  = "status..phase"
#             ^^^^^^^^^^^^^^^ Invalid field path: path is a field of the object, such as status.phase or metadata.annotations["a.b/c"]: "status..phase" is not a field path: a name is missing beside a dot.
      value = "Running"
    }
    field { value = "Running" }
#           ^ Missing required argument: The argument "path" is required, but no definition was found.
    field {
      path  = status.phase
      value = "Running"
      regex = "Run"
#     ^^^^^ Conflicting arguments: A field has either a value, which is compared as it is, or a regex, which matches any part of it.
    }
    field {
      path  = status.phase
      regex = "Run("
#             ^^^^^^ Invalid regular expression: regex is a regular expression as Go spells them: missing closing ): `Run(`.
    }
    field {
      path  = status.phase
      value = var.x
#             ^^^^^ Constant value required: value is read before anything is evaluated, so its value must be written out: it can't refer to var.x.
    }
    field {
      path  = status.phase
      value = null
#             ^^^^ Invalid value: value must not be null. Leave the argument out instead.
    }
    field {
      path  = status.phase
      value = ["Running"]
#             ^^^^^^^^^^^ Invalid value: value must be a string.
    }
  }
}
---
resource "Pod" "web" {
#^^^^^^^^^^^^^^^^^^^ Missing field: A Pod needs the field spec, which is an object.
  metadata { name = "web" }
  wait {
    rollout = true
#   ^^^^^^^ Invalid argument: A Pod has no rollout: rollout is for Deployments, StatefulSets and DaemonSets.
    field {
      path  = status.phas
#             ^^^^^^^^^^^ Unknown field: status.phas: status has no field "phas". Did you mean "phase"?
      value = "Running"
    }
    field {
      path  = "statu.phase"
#             ^^^^^^^^^^^^^ Unknown field: statu.phase: Pod has no field "statu". Did you mean "status"?
      value = "Running"
    }
    field {
      path  = status.phase.x
#             ^^^^^^^^^^^^^^ Unknown field: status.phase.x: status.phase is a string.
      value = "Running"
    }
    field {
      path  = status.conditions
#             ^^^^^^^^^^^^^^^^^ Invalid field: status.conditions is a list of objects: only single values, such as strings and numbers, can be compared.
      value = "Running"
    }
    field { path = status.conditions }
    field { path = status.pod_ip }
#                  ^^^^^^^^^^^^^ Unknown field: status.pod_ip: status has no field "pod_ip". Did you mean "podIP"?
  }
}
---
resource "ConfigMap" "a" {
  metadata { name = "a" }
  provider = kubernetes.east
# ^^^^^^^^ Unknown field: A ConfigMap has no field "provider". kplan has no providers. The cluster block inside the kplan block configures the cluster.
#            ^^^^^^^^^^^^^^^ Unknown name: No reference begins with "kubernetes".
  provisioner "local-exec" {
# ^^^^^^^^^^^ Unknown field: A ConfigMap has no field "provisioner". kplan runs no programs. A Job runs one in the cluster; what must run before or after kplan, the pipeline runs.
    command = "true"
  }
}
---
resource "ConfigMap" "a" {
  metadata { name = "a" }
  lifecycle {
    create_before_destroy = true
#   ^^^^^^^^^^^^^^^^^^^^^ Unsupported argument: An argument named "create_before_destroy" is not expected here. Two objects can't have one name, so the old one is always deleted first. To have both for a while, declare the new one under another name, and remove the old one later.
    replace_triggered_by  = [ConfigMap.b]
    precondition {
#                ^ Missing required argument: The argument "error_message" is required, but no definition was found.
      condition = true
    }
  }
}
