//go:build unix

package faulttest_test

import (
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"kplan.dev/kplan/internal/faulttest"
)

// smallDisk mounts a disk of 256 KiB at a directory, where this process may.
func smallDisk(t *testing.T, directory string) {
	t.Helper()
	if err := syscall.Mount("small", directory, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("it takes root to mount a small disk: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(directory, syscall.MNT_DETACH) })
}

// startUnprivileged starts kplan so that file modes apply to it, also where the tests are
// run by root.
func (x *trial) startUnprivileged(args ...string) *faulttest.Process {
	x.Helper()
	started := make(chan *faulttest.Process)
	go func() {
		defer close(started)
		runtime.LockOSThread() // and never unlock: the privileges that are dropped here end with the thread
		_ = unix.Prctl(unix.PR_CAPBSET_DROP, unix.CAP_DAC_OVERRIDE, 0, 0, 0)
		started <- x.start(nil, args...)
	}()
	return <-started
}
