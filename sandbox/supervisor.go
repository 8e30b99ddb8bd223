package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	pollInterval  = 25 * time.Millisecond // while starting
	stopPatience  = 15 * time.Second      // before a part that lingers is killed
	healthTimeout = 3 * time.Second
)

// supervisor runs the parts of one sandbox and says how they are.
type supervisor struct {
	dir    dir
	find   func(name string) (string, error)
	audit  string // level, as in the audit policy
	errOut io.Writer

	probe *http.Client // shows the sandbox's own certificate to the parts

	mu        sync.Mutex // guards what follows
	status    Status
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

// boot starts every part and returns when the cluster can be used. Between choosing ports and using them another
// program may take one: then it starts over with others.
func (s *supervisor) boot(ctx context.Context, old ports) error {
	for attempt := 1; ; attempt++ {
		at, err := choosePorts(old)
		if err != nil {
			return err
		}
		err = s.bootAt(ctx, at)
		if err == nil {
			return nil
		}
		s.halt()
		var crash *crashError
		if attempt == 3 || !errors.As(err, &crash) || !crash.portTaken() {
			return err
		}
		old = nil
	}
}

// bootAt starts the parts on the given ports. The API server waits for etcd by itself; the others would give up
// on an API server that takes long, so they wait here.
func (s *supervisor) bootAt(ctx context.Context, at ports) error {
	if err := s.prepare(at); err != nil {
		return err
	}
	if err := s.start(etcd, apiServer); err != nil {
		return err
	}
	if err := s.awaitHealthy(ctx, etcd, apiServer); err != nil {
		return err
	}
	if err := s.start(controllerManager, scheduler, agent); err != nil {
		return err
	}
	if err := s.awaitHealthy(ctx, controllerManager, scheduler, agent); err != nil {
		return err
	}
	if err := s.awaitCluster(ctx); err != nil {
		return err
	}
	return s.setState(Ready)
}

// prepare writes every file that the parts read.
func (s *supervisor) prepare(at ports) error {
	if err := makeCredentials(s.dir); err != nil {
		return err
	}
	server := loopback("https", at[apiServer])
	err := errors.Join(
		writeKubeconfigs(s.dir, server),
		s.dir.write(s.dir.config("audit-policy.yaml"), auditPolicy(s.audit)),
		s.dir.write(s.dir.config("scheduler.yaml"), schedulerConfig(s.dir)),
	)
	if err != nil {
		return err
	}
	if s.probe, err = newProbe(s.dir); err != nil {
		return err
	}
	parts, err := describe(s.dir, s.find, at, s.status.Nodes)
	if err != nil {
		return err
	}
	for _, p := range parts {
		os.Remove(s.dir.log(p.name)) // of the last time
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	s.parts, s.status.Server = parts, server
	return nil
}

// newProbe is a client for the health checks.
func newProbe(d dir) (*http.Client, error) {
	ca, err := os.ReadFile(d.pki("ca.crt"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	cert, err := tls.LoadX509KeyPair(d.pki("sandbox.crt"), d.pki("sandbox.key"))
	if err != nil {
		return nil, err
	}
	return &http.Client{
		Timeout: healthTimeout,
		Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{cert}},
		},
	}, nil
}

// choosePorts takes the ports of last time, as kubeconfigs that were handed out name them, or else free ones.
func choosePorts(old ports) (ports, error) {
	at := ports{}
	for _, name := range append(slices.Clone(partNames), etcdPeer) {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", old[name]))
		if err != nil && old[name] != 0 {
			l, err = net.Listen("tcp", "127.0.0.1:0")
		}
		if err != nil {
			return nil, err
		}
		defer l.Close() // only when all are chosen, or one would be chosen twice
		at[name] = l.Addr().(*net.TCPAddr).Port
	}
	return at, nil
}

// start launches parts that are not running.
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
	fmt.Fprintf(s.errOut, "kplan-sandbox: %v\n", p.crash())
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.status.State == Ready {
		s.status.State = Degraded
	}
	s.record()
}

// record writes status.json; the caller holds the lock.
func (s *supervisor) record() error {
	return s.dir.writeStatus(s.snapshot())
}

// snapshot is the status as far as it is known without asking the parts; the caller holds the lock.
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
	status, parts := s.snapshot(), s.parts
	s.mu.Unlock()

	var wg sync.WaitGroup
	for i := range status.Parts {
		if status.Parts[i].State != Running {
			continue
		}
		wg.Go(func() {
			status.Parts[i].Health = "ok"
			if err := s.healthy(ctx, parts[i]); err != nil {
				status.Parts[i].Health = err.Error()
			}
		})
	}
	wg.Wait()
	return status
}

// healthy asks a part how it is.
func (s *supervisor) healthy(ctx context.Context, p part) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, loopback("https", p.port)+p.health, nil)
	if err != nil {
		return err
	}
	resp, err := s.probe.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", p.health, resp.Status)
	}
	return nil
}

// find a started part by name.
func (s *supervisor) process(name string) *process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.processes[name]
}

// await polls until check succeeds. It gives up when the context ends and at once when a part has crashed.
func (s *supervisor) await(ctx context.Context, what string, check func(context.Context) error) error {
	for {
		if err := s.crashed(); err != nil {
			return err
		}
		err := check(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w; last: %w", what, context.Cause(ctx), err)
		case <-time.After(pollInterval):
		}
	}
}

// crashed is the error of a part that has ended unasked, if there is one.
func (s *supervisor) crashed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range partNames {
		if p := s.processes[name]; p != nil && !p.running() && !p.asked.Load() {
			return p.crash()
		}
	}
	return nil
}

func (s *supervisor) awaitHealthy(ctx context.Context, names ...string) error {
	s.mu.Lock()
	parts := s.parts
	s.mu.Unlock()
	for _, p := range parts {
		if !slices.Contains(names, p.name) {
			continue
		}
		err := s.await(ctx, p.name+" does not get healthy", func(ctx context.Context) error { return s.healthy(ctx, p) })
		if err != nil {
			return err
		}
	}
	return nil
}

// awaitCluster waits until a pod can be created and has a node to run on.
func (s *supervisor) awaitCluster(ctx context.Context) error {
	config, err := clientcmd.BuildConfigFromFlags("", s.dir.client("sandbox"))
	if err != nil {
		return err
	}
	config.QPS = -1
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	version, err := client.Discovery().ServerVersion()
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.status.Kubernetes = version.GitVersion
	s.mu.Unlock()

	if err := furnish(ctx, client); err != nil {
		return err
	}
	err = s.await(ctx, "nodes do not get ready", func(ctx context.Context) error {
		return nodesReady(ctx, client, s.status.Nodes)
	})
	if err != nil {
		return err
	}
	return s.await(ctx, "no default service account", func(ctx context.Context) error {
		_, err := client.CoreV1().ServiceAccounts("default").Get(ctx, "default", metav1.GetOptions{})
		return err
	})
}

// nodesReady is nil when so many nodes take pods.
func nodesReady(ctx context.Context, client kubernetes.Interface, want int) error {
	nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	ready := 0
	for _, n := range nodes.Items {
		if nodeReady(n) {
			ready++
		}
	}
	if ready < want {
		return fmt.Errorf("%d of %d nodes are ready", ready, want)
	}
	return nil
}

func nodeReady(n corev1.Node) bool {
	for _, t := range n.Spec.Taints {
		if t.Effect != corev1.TaintEffectPreferNoSchedule {
			return false
		}
	}
	return slices.ContainsFunc(n.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	})
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
	if err := s.awaitHealthy(ctx, name); err != nil {
		return err
	}
	if s.crashed() != nil {
		return nil // another part is still down
	}
	return s.setState(Ready)
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
