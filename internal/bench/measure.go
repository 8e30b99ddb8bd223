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
	bytes     int64 // to and from the API server; -1 where they were not counted
}

// meter runs commands and measures them.
type meter struct {
	relay *relay
	audit string   // the audit log, "" for none
	env   []string // of the commands, without the cluster
	// direct is the kubeconfig of the API server, through that of the relay.
	direct, through string
	// countsBytes has the commands go through the relay, which takes its part of
	// the machine: some 3% of an apply.
	countsBytes bool
}

// run runs a command to its end. What it prints is read and thrown away but for
// the end.
func (m *meter) run(ctx context.Context, dir string, c command) (sample, error) {
	logged := m.auditSize()
	carried := m.relay.bytes.Load()
	var output, complaint lastWords
	cmd := exec.CommandContext(ctx, c.argv[0], c.argv[1:]...)
	kubeconfig := m.direct
	if m.countsBytes {
		kubeconfig = m.through
	}
	// Both spellings: Terraform's provider has a variable of its own.
	env := append(slices.Clip(m.env), "KUBECONFIG="+kubeconfig, "KUBE_CONFIG_PATH="+kubeconfig)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, env, &output, &complaint
	start := time.Now()
	err := cmd.Run()
	s := sample{wall: time.Since(start), bytes: -1, requests: -1}
	if m.countsBytes {
		s.bytes = m.relay.bytes.Load() - carried
	}
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

// medianOf leaves out what was not measured.
func medianOf[N time.Duration | int64 | int](all series, figure func(sample) N) N {
	var values []N
	for _, s := range all {
		if value := figure(s); value >= 0 {
			values = append(values, value)
		}
	}
	if values == nil {
		return -1
	}
	slices.Sort(values)
	return values[len(values)/2]
}
