package addrs

// What kplan writes on every object it applies, so that a lost or half-written
// state can be rebuilt from the cluster.
const (
	StackLabel        = "kplan.dev/stack"   // the lineage of the state that owns the object
	AddressAnnotation = "kplan.dev/address" // the address of its resource
)
