package config

import "kplan.dev/kplan/internal/option"

// unsupportedBlocks are blocks that users of Terraform or of a later kplan would
// expect, with what to do instead.
var unsupportedBlocks = map[string]string{
	"module":    "This version of kplan does not have modules yet.",
	"data":      "This version of kplan does not have data blocks yet.",
	"check":     "This version of kplan does not have check blocks yet.",
	"terraform": "The block for kplan's own settings is called kplan.",
	"provider":  "kplan has no providers. The cluster block inside the kplan block configures the cluster.",
	"ephemeral": "kplan has no ephemeral resources. Secrets never enter its plans or its state.",
	"backend":   "The backend block belongs inside the kplan block.",
	"cluster":   "The cluster block belongs inside the kplan block.",
	"dynamic":   "Only the blocks of an object can be dynamic, inside of its resource. A resource is repeated by for_each.",
	"local":     "Local values are declared in a block called locals.",
}

// unsupportedArguments are arguments and blocks that users of Terraform would expect in a block, with
// what to do instead.
var unsupportedArguments = map[string]string{
	"id": "An import needs no ID: the resource in to declares the kind, the namespace and the name of the object.",
	"create_before_destroy": "Two objects can't have one name, so the old one is always deleted first. " +
		"To have both for a while, declare the new one under another name, and remove the old one later.",
	"replace_triggered_by": "There is nothing like it yet. replace_on lists fields of this object whose change replaces it; " +
		"to replace it once: " + option.Replace.With("ADDRESS"),
	"precondition":       "A resource has no conditions yet. A variable has validation, an output precondition.",
	"postcondition":      "A resource has no conditions yet. What ready means is declared in a wait block.",
	"required_providers": "kplan has no providers.",
	"dynamic":            "Only the blocks of an object can be dynamic, inside of its resource. This one is written out.",
	"enabled":            "With count = 0 a resource has no object; with count = var.on ? 1 : 0 a variable decides.",
	"for_each":           "Only a resource is repeated.",
	"count":              "Only a resource is repeated.",
	"ephemeral":          "Secrets never enter kplan's plans or its state. To hide a value, set sensitive = true.",
}
