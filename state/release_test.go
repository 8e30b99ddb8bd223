//go:build !kplan_fp

package state_test

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// TestNoFailpointsInRelease looks for them in this binary, which is built as a
// release is.
func TestNoFailpointsInRelease(t *testing.T) {
	self, err := os.Executable()
	must(t, err)
	binary, err := os.ReadFile(self)
	must(t, err)
	variable := strings.Join([]string{"KPLAN", "FAILPOINT"}, "_") // not in one piece, or it would be found here
	if bytes.Contains(binary, []byte(variable)) {
		t.Errorf("a binary built without the tag kplan_fp reads %s", variable)
	}
}
