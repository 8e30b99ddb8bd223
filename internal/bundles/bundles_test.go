package bundles

import (
	"strings"
	"testing"
)

func TestBundles(t *testing.T) {
	for name, bundle := range All {
		if n := strings.Count(bundle(), "\n---\n"); n < 300 {
			t.Errorf("%s has %d objects", name, n)
		}
	}
}
