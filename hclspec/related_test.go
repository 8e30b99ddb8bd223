package hclspec

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// linked is what each object of a configuration comes after, one a line.
func linked(t *testing.T, source string) string {
	t.Helper()
	c := unpack(t, &txtar.Archive{Files: []txtar.File{{Name: "main.kplan.hcl", Data: []byte(source)}}})
	preview, diags := NewPreview(context.Background(), c, optionsFor(t, c))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	var lines []string
	for _, d := range preview.Desired() {
		line := fmt.Sprintf("%s: %v", d.Addr, d.Dependencies)
		if len(d.Awaits) > 0 {
			line += fmt.Sprintf(" awaits %v", d.Awaits)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func TestRelatedByName(t *testing.T) {
	got := linked(t, `
resource "Pod" "p" {
  metadata { name = "p" }
  spec {
    priorityClassName = "high"
    containers {
      name = "app"
      image = "a"
      envFrom {
        configMapRef { name = "c" }
      }
    }
  }
}
resource "PriorityClass" "high" {
  metadata { name = "high" }
  value = 1
}
resource "ConfigMap" "c" {
  metadata { name = "c" }
}
resource "ConfigMap" "elsewhere" {
  metadata {
    name = "c"
    namespace = "other"
  }
}
resource "ServiceAccount" "default" {
  metadata { name = "default" }
}
# A cycle of names: the reference of an expression counts.
resource "PersistentVolume" "v" {
  metadata { name = "v" }
  spec {
    capacity = { storage = "1Gi" }
    accessModes = ["ReadWriteOnce"]
    claimRef {
      name = PersistentVolumeClaim.c.metadata.name
      namespace = "default"
    }
  }
}
resource "PersistentVolumeClaim" "c" {
  metadata { name = "c" }
  spec {
    volumeName = "v"
    accessModes = ["ReadWriteOnce"]
    resources { requests = { storage = "1Gi" } }
  }
}
`)
	wantEqual(t, "links", got, `Pod.p: [ConfigMap.c PriorityClass.high ServiceAccount.default]
PriorityClass.high: []
ConfigMap.c: []
ConfigMap.elsewhere: []
ServiceAccount.default: []
PersistentVolume.v: [PersistentVolumeClaim.c]
PersistentVolumeClaim.c: []`)
}

func TestRelatedByJudgement(t *testing.T) {
	got := linked(t, `
resource "LimitRange" "l" {
  metadata { name = "l" }
  spec {
    limits { type = "Container" }
  }
}
resource "ResourceQuota" "q" {
  metadata { name = "q" }
  spec { hard = { "count/configmaps" = 1 } }
}
resource "Pod" "p" {
  metadata { name = "p" }
  spec {
    containers {
      name = "app"
      image = "a"
    }
  }
}
resource "ConfigMap" "c" {
  metadata { name = "c" }
}
resource "ConfigMap" "elsewhere" {
  metadata {
    name = "c"
    namespace = "other"
  }
}
resource "ValidatingAdmissionPolicy" "v" {
  metadata { name = "v" }
  spec {
    matchConstraints {
      resourceRules {
        apiGroups = [""]
        apiVersions = ["*"]
        operations = ["*"]
        resources = ["secrets"]
      }
    }
    validations { expression = "true" }
  }
}
resource "ValidatingAdmissionPolicyBinding" "b" {
  metadata { name = "b" }
  spec {
    policyName = "v"
    validationActions = ["Deny"]
  }
}
resource "Secret" "s" {
  metadata { name = "s" }
}
`)
	wantEqual(t, "links", got, `LimitRange.l: []
ResourceQuota.q: []
Pod.p: [LimitRange.l]
ConfigMap.c: [ResourceQuota.q]
ConfigMap.elsewhere: []
ValidatingAdmissionPolicy.v: []
ValidatingAdmissionPolicyBinding.b: [ValidatingAdmissionPolicy.v]
Secret.s: [ValidatingAdmissionPolicy.v ValidatingAdmissionPolicyBinding.b]`)
}

func TestRelatedOperators(t *testing.T) {
	got := linked(t, `
resource "CustomResourceDefinition" "w" {
  metadata { name = "widgets.example.com" }
  spec {
    group = "example.com"
    scope = "Namespaced"
    names {
      kind = "Widget"
      plural = "widgets"
    }
    versions {
      name = "v1"
      served = true
      storage = true
      schema { openAPIV3Schema = { type = "object" } }
    }
  }
}
resource "Widget" "w" {
  metadata { name = "w" }
}
resource "ConfigMap" "own" {
  metadata { name = "own" }
}
resource "ConfigMap" "other" {
  metadata { name = "other" }
}
resource "Deployment" "d" {
  metadata { name = "d" }
  spec {
    selector { matchLabels = { app = "d" } }
    template {
      metadata { labels = { app = "d" } }
      spec {
        serviceAccountName = "sa"
        containers {
      name = "app"
      image = "a"
    }
        volumes {
          name = "own"
          configMap { name = "own" }
        }
      }
    }
  }
}
resource "ServiceAccount" "sa" {
  metadata { name = "sa" }
}
resource "ClusterRole" "r" {
  metadata { name = "r" }
  rules {
    apiGroups = ["example.com"]
    resources = ["widgets"]
    verbs = ["update"]
  }
}
resource "ClusterRoleBinding" "b" {
  metadata { name = "b" }
  roleRef {
    apiGroup = "rbac.authorization.k8s.io"
    kind = "ClusterRole"
    name = "r"
  }
  subjects {
    kind = "ServiceAccount"
    name = "sa"
    namespace = "default"
  }
}
resource "Service" "s" {
  metadata { name = "s" }
  spec {
    selector = { app = "d" }
    ports { port = 443 }
  }
}
resource "ValidatingWebhookConfiguration" "h" {
  metadata { name = "h" }
  webhooks {
    name = "h.example.com"
    admissionReviewVersions = ["v1"]
    sideEffects = "None"
    clientConfig {
      service {
        name = "s"
        namespace = "default"
      }
    }
    rules {
      apiGroups = [""]
      apiVersions = ["*"]
      operations = ["*"]
      resources = ["configmaps"]
    }
  }
}
`)
	wantEqual(t, "links", got, `CustomResourceDefinition.w: []
Widget.w: [ClusterRole.r ClusterRoleBinding.b CustomResourceDefinition.w Deployment.d]
ConfigMap.own: []
ConfigMap.other: [ValidatingWebhookConfiguration.h] awaits [Deployment.d]
Deployment.d: [ConfigMap.own ServiceAccount.sa]
ServiceAccount.sa: []
ClusterRole.r: []
ClusterRoleBinding.b: [ClusterRole.r ServiceAccount.sa]
Service.s: []
ValidatingWebhookConfiguration.h: [Service.s] awaits [Deployment.d]`)
}
