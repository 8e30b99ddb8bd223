package state

import "flag"

// Torture makes tests run in full size, as make torture does. Otherwise they take a
// sample of the same cases.
var Torture = flag.Bool("torture", false, "run the tests in full size")

// Size is n in full size, and else sample.
func Size(n, sample int) int {
	if *Torture {
		return n
	}
	return sample
}
