//go:build unix && !linux

package faulttest_test

import (
	"testing"

	"kplan.dev/kplan/internal/faulttest"
)

func smallDisk(t *testing.T, _ string) { t.Skip("small disks are made on Linux only") }

func (x *trial) startUnprivileged(args ...string) *faulttest.Process { return x.start(nil, args...) }
