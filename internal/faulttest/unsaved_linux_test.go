package faulttest_test

import (
	"syscall"
	"testing"
)

// smallDisk puts a disk of 256 KiB at a folder, where this process may.
func smallDisk(t *testing.T, folder string) {
	t.Helper()
	if err := syscall.Mount("small", folder, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("it takes root to mount a small disk: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(folder, syscall.MNT_DETACH) })
}
