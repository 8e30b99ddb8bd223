//go:build unix

package main

import (
	"os"
	"runtime"
	"syscall"
)

// peakMemory is the peak resident size of the process, or of the largest of
// those it started and waited for. Linux counts what the process was before its
// exec, a copy of this one: so nothing smaller than this program, some 25 MB, can
// be measured, and this program must stay small.
func peakMemory(p *os.ProcessState) int64 {
	usage, ok := p.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return int64(usage.Maxrss)
	}
	return int64(usage.Maxrss) << 10
}
