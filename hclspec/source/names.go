package source

// IsKindName reports whether a word can be the kind of an object.
func IsKindName(name string) bool {
	if name == "" || name[0] < 'A' || name[0] > 'Z' {
		return false
	}
	for _, c := range name {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9') {
			return false
		}
	}
	return true
}

var ReferenceRoots = []string{"var", "local", "each", "count", "path", "manifests"}

// IsMetaArgument reports whether a name in a resource belongs to kplan and not to
// the manifest.
func IsMetaArgument(name string) bool {
	switch name {
	case "for_each", "count", "depends_on", "lifecycle", "wait":
		return true
	}
	return false
}

// Instead is what kplan has instead of arguments and blocks of Terraform that may stand in any resource.
var Instead = map[string]string{
	"provider":    "kplan has no providers. The cluster block inside the kplan block configures the cluster.",
	"provisioner": "kplan runs no programs. A Job runs one in the cluster; what must run before or after kplan, the pipeline runs.",
	"connection":  "kplan connects to no machines, only to the API server of the cluster.",
	"timeouts":    "How long to wait for the object is in its wait block: wait { timeout = \"10m\" }.",
	"id":          "An object has no ID of its own: it is known by its metadata.name and metadata.namespace.",
}
