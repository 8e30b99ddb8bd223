package kube_test

import (
	"flag"
	"os"
	"testing"
)

// TestMain runs more tests at once than there are processors: nearly all of their time
// they wait for answers that do not come, or are to come late.
func TestMain(m *testing.M) {
	flag.Parse()
	if !isSet("test.parallel") {
		_ = flag.Set("test.parallel", "12")
	}
	os.Exit(m.Run())
}

func isSet(name string) (set bool) {
	flag.Visit(func(f *flag.Flag) { set = set || f.Name == name })
	return set
}
