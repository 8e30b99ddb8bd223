// Package auth finds the cluster and the credentials for it.
//
// Find applies kubectl's rules: which kubeconfig, which context, which user. It
// refuses a configuration that contradicts itself, where client-go would go on
// with an empty cluster or user, and one that a pull request could have written
// and that would run a program or send a file of this machine (trust.go). What it
// finds it gives as a rest.Config together with a transport that presents the
// credentials; nothing is sent yet.
//
// Credential plugins are run here rather than by client-go (plugin.go,
// docs/decisions/0022-credential-plugins.md).
package auth

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"k8s.io/client-go/rest"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"kplan.dev/kplan/internal/redact"
)

// Options selects the cluster and the user. The zero value is what kubectl would
// use in the same place.
type Options struct {
	// ConfigPath is the kubeconfig to read; "" reads those that KUBECONFIG
	// lists, else ~/.kube/config.
	ConfigPath string
	// Context is the kubeconfig's context; "" is its current one.
	Context string

	// Host is the server's address; without a scheme it means https. When
	// it is set no kubeconfig is read, so that no credentials go to a server they
	// are not meant for.
	Host string

	// The rest overrides the kubeconfig.

	Token                string
	Username, Password   string
	ClientCertificate    string // PEM
	ClientKey            string // PEM
	ClusterCACertificate string // PEM
	Insecure             bool   // do not verify the server's certificate
	TLSServerName        string
	ProxyURL             string
	ImpersonateUser      string
	ImpersonateGroups    []string
	Exec                 *Exec // instead of the kubeconfig's user

	// UserAgent is what audit logs show; "" is kplan.
	UserAgent string

	// Untrusted are directories whose files are not trusted to run programs, such
	// as a checked-out pull request. Credential plugins that a kubeconfig inside
	// them or Exec names run only with AllowExec. With none all is trusted.
	Untrusted []string
	AllowExec bool
	// Named reports that a configuration, and not whoever runs it, names ConfigPath: that
	// is trusted only if it is one of the user's own.
	Named bool
	// Secrets learns the credentials that are found, and those in the kubeconfigs that are
	// read; nil: nobody wants to know.
	Secrets *redact.Secrets
	// InteractiveExec lets credential plugins use the terminal.
	InteractiveExec bool
}

// Exec names a program that gives credentials, as a kubeconfig's exec does.
type Exec struct {
	APIVersion string // client.authentication.k8s.io/v1; "" is that
	Command    string
	Args       []string
	Env        map[string]string
}

// Access is where the cluster is and how to get in.
type Access struct {
	Config *rest.Config
	// Transport reaches the server with the config's TLS settings and credentials.
	Transport http.RoundTripper
	// Context is the kubeconfig's context in use, "" when there is none.
	Context string
}

// Error explains why the cluster cannot be reached. It shows nothing of what a
// kubeconfig holds but names.
type Error struct {
	Reason  Reason
	Message string
	// Advice is what to do about it, "" where the message suffices.
	Advice string
}

// Reason is what an Error means to the caller.
type Reason byte

const (
	Invalid                Reason = iota // the configuration contradicts itself or can't be read
	NotConfigured                        // no cluster is configured
	UntrustedConfiguration               // it would run a program or send a file, and comes from the working directory
)

func (e *Error) Error() string { return e.Message }

func invalid(advice, format string, args ...any) *Error {
	return &Error{Reason: Invalid, Message: fmt.Sprintf(format, args...), Advice: advice}
}

// Find applies kubectl's rules. The cluster is, in this order: Host; the kubeconfig
// at ConfigPath; those that KUBECONFIG lists; ~/.kube/config; and, only where none
// of these is given, the cluster whose pod this process runs in. There is no other
// default.
func Find(opts Options) (*Access, error) {
	if opts.Secrets == nil {
		opts.Secrets = new(redact.Secrets)
	}
	opts.Secrets.Add(opts.secrets()...)
	access, err := opts.access()
	if e := (*Error)(nil); errors.As(err, &e) {
		e.Message = opts.Secrets.Hide(e.Message)
	}
	return access, err
}

func (o Options) access() (*Access, error) {
	config, context, err := find(o)
	if err != nil {
		return nil, err
	}
	if err := overlay(config, o); err != nil {
		return nil, err
	}
	transport, err := newTransport(config, o)
	if err != nil {
		return nil, err
	}
	return &Access{Config: config, Transport: transport, Context: context}, nil
}

func find(opts Options) (config *rest.Config, context string, err error) {
	if opts.Host == "" {
		return fromFiles(opts)
	}
	if opts.ConfigPath != "" || opts.Context != "" {
		return nil, "", invalid("Give either a host or a kubeconfig and its context.",
			"both a host and a kubeconfig or context say which cluster")
	}
	host := opts.Host
	if !strings.Contains(host, "://") {
		host = "https://" + host
	}
	return &rest.Config{Host: host}, "", nil
}

// overlay lays the options over the configuration that was found.
func overlay(cfg *rest.Config, opts Options) error {
	if opts.Insecure {
		cfg.Insecure, cfg.CAData, cfg.CAFile = true, nil, ""
	}
	if opts.ClusterCACertificate != "" {
		cfg.CAData, cfg.CAFile = []byte(opts.ClusterCACertificate), ""
	}
	if opts.TLSServerName != "" {
		cfg.ServerName = opts.TLSServerName
	}
	if opts.hasCredentials() {
		cfg.BearerToken, cfg.BearerTokenFile = opts.Token, ""
		cfg.Username, cfg.Password = opts.Username, opts.Password
		cfg.CertFile, cfg.CertData = "", []byte(opts.ClientCertificate)
		cfg.KeyFile, cfg.KeyData = "", []byte(opts.ClientKey)
		cfg.ExecProvider, cfg.AuthProvider = nil, nil
	}
	if opts.Exec != nil {
		if err := guardExec(opts); err != nil {
			return err
		}
		cfg.ExecProvider = opts.Exec.provider()
	}
	if opts.ImpersonateUser != "" || len(opts.ImpersonateGroups) > 0 {
		cfg.Impersonate = rest.ImpersonationConfig{UserName: opts.ImpersonateUser, Groups: opts.ImpersonateGroups}
	}
	if opts.ProxyURL != "" {
		proxy, err := url.Parse(opts.ProxyURL)
		if err != nil || proxy.Host == "" {
			return invalid("It looks like http://host:port, https://host:port or socks5://host:port.", "the proxy's address is not a URL")
		}
		cfg.Proxy = http.ProxyURL(proxy)
	}
	cfg.UserAgent = cmp.Or(opts.UserAgent, "kplan")
	cfg.QPS = -1 // the server has priority and fairness; the caller bounds what is in flight
	base, _, err := rest.DefaultServerUrlFor(cfg)
	if err != nil {
		return invalid("It looks like https://host:6443.", "%q is not a server address: %s", cfg.Host, err)
	}
	if base.Scheme == "http" && opts.hasCredentials() {
		return invalid("Write the address with https://, or leave the credentials out.", "credentials would go to %s in plain text", cfg.Host)
	}
	if cfg.Dial == nil {
		cfg.Dial = (&net.Dialer{Timeout: connectTimeout, KeepAlive: 30 * time.Second}).DialContext
	}
	return nil
}

// connectTimeout is for a connection; the TLS handshake has ten seconds more.
const connectTimeout = 10 * time.Second

func (o Options) hasCredentials() bool {
	return o.Token != "" || o.Username != "" || o.ClientCertificate != "" || o.Exec != nil
}

func (e *Exec) provider() *clientcmdapi.ExecConfig {
	cfg := &clientcmdapi.ExecConfig{APIVersion: e.APIVersion, Command: e.Command, Args: e.Args,
		InteractiveMode: clientcmdapi.IfAvailableExecInteractiveMode}
	if cfg.APIVersion == "" {
		cfg.APIVersion = "client.authentication.k8s.io/v1"
	}
	for _, name := range slices.Sorted(maps.Keys(e.Env)) {
		cfg.Env = append(cfg.Env, clientcmdapi.ExecEnvVar{Name: name, Value: e.Env[name]})
	}
	return cfg
}
