package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"time"
)

// sample is what one run of a command took.
type sample struct {
	wall, cpu time.Duration
	memory    int64 // the peak, in bytes, of its largest process
	requests  int   // of the audit log; -1 where there is none
	bytes     int64 // to and from the API server
}

// meter runs commands and tells what they took.
type meter struct {
	relay *relay
	audit string   // the audit log, "" for none
	env   []string // of the commands
}

// run runs a command to its end. What it prints is read and thrown away but for
// the end.
func (m *meter) run(ctx context.Context, dir string, c command) (sample, error) {
	logged := m.auditSize()
	carried := m.relay.bytes.Load()
	var output, complaint lastWords
	cmd := exec.CommandContext(ctx, c.argv[0], c.argv[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, m.env, &output, &complaint
	start := time.Now()
	err := cmd.Run()
	s := sample{wall: time.Since(start), bytes: m.relay.bytes.Load() - carried, requests: -1}
	if cmd.ProcessState != nil {
		s.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
		s.memory = peakMemory(cmd.ProcessState)
	}
	if err != nil && (cmd.ProcessState == nil || !slices.Contains(c.alsoFine, cmd.ProcessState.ExitCode())) {
		return s, fmt.Errorf("%q: %w\n%s\n%s", c.argv, err, tail(output), tail(complaint))
	}
	if m.audit != "" {
		var err error
		if s.requests, err = m.requestsSince(logged); err != nil {
			return s, err
		}
	}
	return s, nil
}

// lastWords keeps some of the end of what is written to it: plans can have
// megabytes, and this program must stay small, see peakMemory.
type lastWords []byte

func (l *lastWords) Write(text []byte) (int, error) {
	*l = append((*l)[:copy(*l, tail(*l))], text...)
	return len(text), nil
}

func tail(text []byte) []byte { return text[max(0, len(text)-2000):] }

func (m *meter) auditSize() int64 {
	info, err := os.Stat(m.audit)
	if err != nil {
		return 0
	}
	return info.Size()
}

// requestsSince counts the audit log's finished requests behind an offset,
// without those that this program made itself in between.
func (m *meter) requestsSince(offset int64) (int, error) {
	f, err := os.Open(m.audit)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		return 0, err
	}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 64<<20)
	n := 0
	for lines.Scan() {
		if bytes.Contains(lines.Bytes(), []byte(`"stage":"ResponseComplete"`)) && !bytes.Contains(lines.Bytes(), []byte(ownAgent)) {
			n++
		}
	}
	return n, lines.Err()
}

// series is several runs of one command.
type series []sample

// median is the median of each figure by itself.
func (s series) median() sample {
	return sample{
		wall:     medianOf(s, func(s sample) time.Duration { return s.wall }),
		cpu:      medianOf(s, func(s sample) time.Duration { return s.cpu }),
		memory:   medianOf(s, func(s sample) int64 { return s.memory }),
		requests: medianOf(s, func(s sample) int { return s.requests }),
		bytes:    medianOf(s, func(s sample) int64 { return s.bytes }),
	}
}

func medianOf[N time.Duration | int64 | int](all series, figure func(sample) N) N {
	var values []N
	for _, s := range all {
		values = append(values, figure(s))
	}
	slices.Sort(values)
	return values[len(values)/2]
}
