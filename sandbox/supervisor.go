package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"
)

const (
	stopPatience  = 15 * time.Second // before a part that lingers is killed
	healthTimeout = 3 * time.Second
)

// supervisor runs the parts of one sandbox and says how they are.
type supervisor struct {
	dir    dir
	find   func(name string) (string, error)
	audit  string // level, as in the audit policy
	errOut io.Writer

	mu        sync.Mutex   // guards what follows
	status    Status       // without the parts; never Degraded, which follows from them
	probe     *http.Client // shows the sandbox's own certificate to the parts
	parts     []part
	processes map[string]*process
}

func newSupervisor(d dir, opts upOptions, errOut io.Writer) (*supervisor, error) {
	find, err := finder(opts.bin)
	if err != nil {
		return nil, err
	}
	self, err := identify(os.Getpid())
	if err != nil {
		return nil, err
	}
	return &supervisor{
		dir:    d,
		find:   find,
		audit:  auditLevels[opts.audit],
		errOut: errOut,
		status: Status{
			State:      Starting,
			Dir:        string(d),
			Kubeconfig: d.kubeconfig(),
			AuditLog:   d.auditLog(),
			Nodes:      opts.nodes,
			Started:    time.Now().UTC().Truncate(time.Millisecond),
			Supervisor: self,
		},
		processes: map[string]*process{},
	}, nil
}

// start launches parts; they are not running.
func (s *supervisor) start(names ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.parts {
		if !slices.Contains(names, p.name) {
			continue
		}
		proc, err := launch(p, s.dir.log(p.name))
		if err != nil {
			return err
		}
		s.processes[p.name] = proc
		go s.watch(proc)
	}
	return s.record()
}

// watch reports a part that ends without having been asked to.
func (s *supervisor) watch(p *process) {
	<-p.gone
	if p.asked.Load() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.status.State == Starting {
		return // boot reports it
	}
	fmt.Fprintf(s.errOut, "kplan-sandbox: %v\n", p.crash())
	s.record()
}

// record writes status.json. The caller holds the lock.
func (s *supervisor) record() error {
	return s.dir.writeStatus(s.snapshot())
}

// current is the status as far as it is known without asking the parts.
func (s *supervisor) current() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.snapshot()
}

// snapshot is current for a caller who holds the lock.
func (s *supervisor) snapshot() Status {
	status := s.status
	status.Parts = nil
	for _, p := range s.parts {
		ps := PartStatus{Name: p.name, State: Stopped, Port: p.port, Path: p.path, Log: s.dir.log(p.name)}
		if proc := s.processes[p.name]; proc != nil {
			ps.ProcessID = proc.id
			switch {
			case proc.running():
				ps.State = Running
			case !proc.asked.Load():
				ps.State = Crashed
			}
		}
		if ps.State == Crashed && status.State == Ready {
			status.State = Degraded
		}
		status.Parts = append(status.Parts, ps)
	}
	return status
}

func (s *supervisor) setState(state State) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status.State = state
	return s.record()
}

// examine is the status with the health of every part.
func (s *supervisor) examine(ctx context.Context) Status {
	s.mu.Lock()
	status, parts, probe := s.snapshot(), s.parts, s.probe
	s.mu.Unlock()

	var wg sync.WaitGroup
	for i := range status.Parts {
		if status.Parts[i].State != Running {
			continue
		}
		wg.Go(func() {
			status.Parts[i].Health = "ok"
			if err := healthy(ctx, probe, parts[i]); err != nil {
				status.Parts[i].Health = err.Error()
			}
		})
	}
	wg.Wait()
	return status
}

// healthy asks a part how it is.
func healthy(ctx context.Context, probe *http.Client, p part) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, loopback("https", p.port)+p.health, nil)
	if err != nil {
		return err
	}
	resp, err := probe.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, resp.Body) // so that the connection is used again
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", p.health, resp.Status)
	}
	return nil
}

// process is the part's, running or not; nil if it was never started.
func (s *supervisor) process(name string) *process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.processes[name]
}

// halt stops all parts, the last started first: what depends on the API server goes before it.
func (s *supervisor) halt() {
	for _, name := range slices.Backward(partNames) {
		if p := s.process(name); p != nil {
			p.stop(stopPatience)
		}
	}
}

// restart stops a part, if it runs, and starts it again on its port.
func (s *supervisor) restart(ctx context.Context, name string) error {
	p := s.process(name)
	if p == nil {
		return fmt.Errorf("no part %s", name)
	}
	p.stop(stopPatience)
	if err := s.start(name); err != nil {
		return err
	}
	return s.awaitHealthy(ctx, name)
}

// kill crashes a part.
func (s *supervisor) kill(name string) error {
	p := s.process(name)
	if p == nil || !p.running() {
		return fmt.Errorf("%s does not run", name)
	}
	p.kill()
	return nil
}
