//go:build !linux

package faulttest_test

import "testing"

func smallDisk(t *testing.T, _ string) { t.Skip("small disks are made on Linux only") }
