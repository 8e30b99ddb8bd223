package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"runtime/trace"

	"github.com/urfave/cli/v2"
)

// profiles says where to record what the program spends its time and memory
// on. The flags are for work on kplan itself and stand in no help;
// docs/performance.md tells how to read what they write.
type profiles struct {
	cpu, memory, trace string
	finish             []func() error
}

func profileFlags(p *profiles) []cli.Flag {
	return []cli.Flag{
		text("cpuprofile", &p.cpu, "Write a profile of the time spent to `FILE`."),
		text("memprofile", &p.memory, "Write a profile of the memory allocated to `FILE`."),
		text("trace", &p.trace, "Write what ran when to `FILE`."),
	}
}

// start begins to record. Its paths are taken from where kplan was started, so
// it comes before -chdir.
func (p *profiles) start() error {
	return errors.Join(
		p.record("cpuprofile", p.cpu, func(f *os.File) error { return pprof.StartCPUProfile(f) }, func(*os.File) error { pprof.StopCPUProfile(); return nil }),
		p.record("trace", p.trace, func(f *os.File) error { return trace.Start(f) }, func(*os.File) error { trace.Stop(); return nil }),
		p.record("memprofile", p.memory, func(*os.File) error { return nil }, writeAllocations),
	)
}

func (p *profiles) record(flag, path string, begin, end func(*os.File) error) error {
	if path == "" {
		return nil
	}
	f, err := os.Create(path)
	if err == nil {
		err = begin(f)
	}
	if err != nil {
		return &usageError{summary: "Can't write the profile", detail: fmt.Sprintf("-%s=%s: %v.", flag, path, err)}
	}
	p.finish = append(p.finish, func() error { return errors.Join(end(f), f.Close()) })
	return nil
}

func writeAllocations(f *os.File) error {
	runtime.GC() // what is in use counts as of the last collection
	return pprof.Lookup("allocs").WriteTo(f, 0)
}

// stop writes what was recorded.
func (p *profiles) stop(s *session) {
	for _, finish := range p.finish {
		if err := finish(); err != nil {
			s.fail("Can't write the profile", "%v.", err)
		}
	}
}
