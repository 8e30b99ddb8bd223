package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// pollInterval is how often something is looked at that is waited for.
const pollInterval = 25 * time.Millisecond

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
	if err := s.setState(Ready); err != nil {
		return err
	}
	return s.crashed(partNames) // from now on, watch reports
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
	probe, err := newProbe(s.dir)
	if err != nil {
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
	s.parts, s.probe, s.status.Server = parts, probe, server
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

// await polls until check succeeds. It gives up when the context ends, and at once when one of the parts it depends
// on has crashed.
func (s *supervisor) await(ctx context.Context, what string, parts []string, check func(context.Context) error) error {
	for {
		if err := s.crashed(parts); err != nil {
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

// crashed is the error of the first of these parts that has ended unexpectedly.
func (s *supervisor) crashed(names []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range names {
		if p := s.processes[name]; p != nil && !p.running() && !p.asked.Load() {
			return p.crash()
		}
	}
	return nil
}

func (s *supervisor) awaitHealthy(ctx context.Context, names ...string) error {
	s.mu.Lock()
	parts, probe := s.parts, s.probe
	s.mu.Unlock()
	for _, p := range parts {
		if !slices.Contains(names, p.name) {
			continue
		}
		err := s.await(ctx, p.name+" does not get healthy", names, func(ctx context.Context) error {
			return healthy(ctx, probe, p)
		})
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

	if err := createDefaults(ctx, client); err != nil {
		return err
	}
	err = s.await(ctx, "nodes do not get ready", partNames, func(ctx context.Context) error {
		return nodesReady(ctx, client, s.status.Nodes)
	})
	if err != nil {
		return err
	}
	return s.await(ctx, "no default service account", partNames, func(ctx context.Context) error {
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
