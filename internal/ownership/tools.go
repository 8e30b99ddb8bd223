package ownership

import (
	"slices"
	"strings"
)

// BeforeFirstApply is the manager under which the server records what an object had before
// anybody applied it, when nothing else is recorded of it.
const BeforeFirstApply = "before-first-apply"

// deployTools are the managers as which people and the tools that deploy write.
// Adopting an object transfers what they applied: they do not apply it again.
// A name that ends in * stands for all that begin so.
var deployTools = []string{
	"kubectl", "kubectl-*", // -client-side-apply, -create, -edit, -patch, -label, …
	"helm", "Helm",
	"Terraform", "HashiCorp", "OpenTofu", "terraform-provider-*",
	"pulumi", "pulumi-*",
	"kapp",
	"flux", "flux-client-side-apply", "kustomize-controller", "helm-controller",
	"argocd", "argocd-*",
	"kluctl", "skaffold", "tilt", "werf", "tk",
	"Mozilla", "k9s", "lens", "Lens", // by hand, in a user interface
}

// traces are managers that leave the trace of a command rather than what somebody
// wants the object to be: without the time of the last restart, pods restart.
var traces = []string{"kubectl-rollout"}

// IsDeployTool reports whether a manager is a person or a tool that deploys, or one
// of those that are named besides.
func IsDeployTool(manager string, besides ...string) bool {
	if slices.Contains(besides, manager) {
		return true
	}
	return !slices.Contains(traces, manager) && slices.ContainsFunc(deployTools, func(name string) bool {
		prefix, isPrefix := strings.CutSuffix(name, "*")
		return name == manager || isPrefix && strings.HasPrefix(manager, prefix)
	})
}

// controlPlane are the managers as which Kubernetes' own programs write.
var controlPlane = []string{"kube-controller-manager", "kube-scheduler", "kube-apiserver", "kubelet", "cloud-controller-manager",
	"clusterrole-aggregation-controller"}

// IsControlPlane reports whether a manager is a program of Kubernetes itself.
func IsControlPlane(manager string) bool { return slices.Contains(controlPlane, manager) }

// IsDeployed reports whether a person or a tool that deploys wrote the entry into
// the object, or set its scale.
func (e *Entry) IsDeployed(besides ...string) bool {
	return (e.Subresource == "" || e.Subresource == "scale") && IsDeployTool(e.Manager, besides...)
}
