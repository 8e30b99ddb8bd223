package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The parts of a sandbox.
const (
	etcd              = "etcd"
	apiServer         = "kube-apiserver"
	controllerManager = "kube-controller-manager"
	scheduler         = "kube-scheduler"
	agent             = "agent" // ours, see cmd_agent.go
)

// partNames lists the parts in the order they start; they stop the other way round.
var partNames = []string{etcd, apiServer, controllerManager, scheduler, agent}

// The cluster's service network. Large, as a test may well make some thousand services.
const (
	serviceCIDR    = "10.96.0.0/12"
	firstServiceIP = "10.96.0.1"
)

// part is one program of the control plane, ready to be started.
type part struct {
	name   string
	path   string // of the program
	args   []string
	port   int    // where it listens, with TLS
	health string // path that answers 200 when it is well
}

// ports are where the parts listen on 127.0.0.1, by part, and etcdPeer besides.
type ports map[string]int

const etcdPeer = "etcd-peer"

// describe says how each part is started, in the order of partNames.
func describe(d dir, find func(name string) (string, error), at ports, nodes int) ([]part, error) {
	parts := []part{
		{name: etcd, health: "/health", args: etcdArgs(d, at)},
		{name: apiServer, health: "/readyz", args: apiServerArgs(d, at)},
		{name: controllerManager, health: "/healthz", args: controllerManagerArgs(d, at)},
		{name: scheduler, health: "/healthz", args: schedulerArgs(d, at)},
		{name: agent, health: "/healthz", args: agentArgs(d, at, nodes)},
	}
	var missing []error
	for i := range parts {
		p := &parts[i]
		p.port = at[p.name]
		path, err := find(p.name)
		if err != nil {
			missing = append(missing, err)
		}
		p.path = path
	}
	return parts, errors.Join(missing...)
}

func loopback(scheme string, port int) string { return fmt.Sprintf("%s://127.0.0.1:%d", scheme, port) }

// etcdArgs trade safety for speed: what a crash of the machine loses, nobody misses.
func etcdArgs(d dir, at ports) []string {
	client, peer := loopback("https", at[etcd]), loopback("https", at[etcdPeer])
	return []string{
		"--name=sandbox",
		"--data-dir=" + d.etcdData(),
		"--listen-client-urls=" + client,
		"--advertise-client-urls=" + client,
		"--cert-file=" + d.pki("serving.crt"),
		"--key-file=" + d.pki("serving.key"),
		"--trusted-ca-file=" + d.pki("ca.crt"),
		"--client-cert-auth",
		"--listen-peer-urls=" + peer,
		"--initial-advertise-peer-urls=" + peer,
		"--initial-cluster=sandbox=" + peer,
		"--peer-cert-file=" + d.pki("serving.crt"),
		"--peer-key-file=" + d.pki("serving.key"),
		"--peer-trusted-ca-file=" + d.pki("ca.crt"),
		"--peer-client-cert-auth",
		"--unsafe-no-fsync",
		"--quota-backend-bytes=8589934592",
		"--log-level=warn",
	}
}

// apiServerArgs leave admission, limits and the watch cache as they are by default.
func apiServerArgs(d dir, at ports) []string {
	return []string{
		"--etcd-servers=" + loopback("https", at[etcd]),
		"--etcd-cafile=" + d.pki("ca.crt"),
		"--etcd-certfile=" + d.pki("apiserver-etcd-client.crt"),
		"--etcd-keyfile=" + d.pki("apiserver-etcd-client.key"),

		"--bind-address=127.0.0.1",
		// No pod reaches a loopback address: so no endpoints for the service "kubernetes". And no look at the
		// machine's routes, which fails where there are none.
		"--advertise-address=127.0.0.1",
		"--endpoint-reconciler-type=none",
		fmt.Sprintf("--secure-port=%d", at[apiServer]),
		"--tls-cert-file=" + d.pki("serving.crt"),
		"--tls-private-key-file=" + d.pki("serving.key"),
		"--service-cluster-ip-range=" + serviceCIDR,
		"--allow-privileged",

		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--client-ca-file=" + d.pki("ca.crt"),
		"--token-auth-file=" + d.config("tokens.csv"),
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + d.pki("sa.pub"),
		"--service-account-signing-key-file=" + d.pki("sa.key"),

		"--requestheader-client-ca-file=" + d.pki("front-proxy-ca.crt"),
		"--requestheader-allowed-names=front-proxy-client",
		"--requestheader-username-headers=X-Remote-User",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file=" + d.pki("front-proxy-client.crt"),
		"--proxy-client-key-file=" + d.pki("front-proxy-client.key"),
		"--enable-aggregator-routing", // to endpoints: nothing routes cluster IPs here

		"--kubelet-certificate-authority=" + d.pki("ca.crt"),
		"--kubelet-client-certificate=" + d.pki("apiserver-kubelet-client.crt"),
		"--kubelet-client-key=" + d.pki("apiserver-kubelet-client.key"),
		"--kubelet-preferred-address-types=InternalIP",

		"--audit-policy-file=" + d.config("audit-policy.yaml"),
		"--audit-log-path=" + d.auditLog(),
		"--audit-log-maxsize=1000000", // megabytes; the default, 100, would move entries to another file
	}
}

// controllerManagerArgs lift the limits that keep a production cluster calm and a test waiting.
func controllerManagerArgs(d dir, at ports) []string {
	return []string{
		"--kubeconfig=" + d.client(controllerManager),
		"--use-service-account-credentials",
		"--leader-elect=false",
		"--controllers=*,-namespace-controller", // the agent has it
		"--enable-hostpath-provisioner",
		"--bind-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", at[controllerManager]),
		"--tls-cert-file=" + d.pki("serving.crt"),
		"--tls-private-key-file=" + d.pki("serving.key"),
		"--service-account-private-key-file=" + d.pki("sa.key"),
		"--root-ca-file=" + d.pki("ca.crt"),
		"--cluster-signing-cert-file=" + d.pki("ca.crt"),
		"--cluster-signing-key-file=" + d.pki("ca.key"),
		"--service-cluster-ip-range=" + serviceCIDR,
		"--kube-api-qps=5000",
		"--kube-api-burst=10000",
	}
}

func schedulerArgs(d dir, at ports) []string {
	return []string{
		"--config=" + d.config("scheduler.yaml"),
		"--bind-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", at[scheduler]),
		"--tls-cert-file=" + d.pki("serving.crt"),
		"--tls-private-key-file=" + d.pki("serving.key"),
	}
}

// schedulerConfig is the scheduler's configuration file: it takes its limits from nowhere else.
func schedulerConfig(d dir) []byte {
	return fmt.Appendf(nil, `apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
leaderElection:
  leaderElect: false
clientConnection:
  kubeconfig: %q
  qps: 5000
  burst: 10000
`, d.client(scheduler))
}

func agentArgs(d dir, at ports, nodes int) []string {
	return []string{
		"agent",
		"-kubeconfig=" + d.client("sandbox"),
		fmt.Sprintf("-port=%d", at[agent]),
		fmt.Sprintf("-nodes=%d", nodes),
		"-cert=" + d.pki("serving.crt"),
		"-key=" + d.pki("serving.key"),
		"-ca=" + d.pki("ca.crt"),
	}
}

// partDirs are the directories that the parts are looked for in, in order; after them comes PATH.
func partDirs(bin, executable string) []string {
	var dirs []string
	if bin != "" {
		return []string{bin}
	}
	here := filepath.Dir(executable)
	dirs = append(dirs, filepath.Join(here, "sandbox"), here)
	if assets := os.Getenv("KUBEBUILDER_ASSETS"); assets != "" {
		dirs = append(dirs, assets)
	}
	return dirs
}

// finder finds the program of a part: this one for the agent, the others in the directories or in PATH.
func finder(bin string) (func(name string) (string, error), error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	dirs := partDirs(bin, self)
	return func(name string) (string, error) {
		if name == agent {
			return self, nil
		}
		for _, directory := range dirs {
			if path, err := exec.LookPath(filepath.Join(directory, name)); err == nil {
				return path, nil
			}
		}
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
		return "", fmt.Errorf("no %s in %s or PATH; build it with `kplan-sandbox build -parts %[1]s`", name, strings.Join(dirs, ", "))
	}, nil
}
