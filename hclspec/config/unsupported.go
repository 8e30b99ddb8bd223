package config

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
	"local":     "Local values are declared in a block called locals.",
}
