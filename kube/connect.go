// Package kube is the cluster: the only package that talks to one.
//
// Connect finds the cluster by kubectl's rules and says clearly why it can't.
// A Cluster then has a method for each verb, a file each. All of them bound the
// requests in flight, try again what is worth trying, and fail with an *Error
// whose Reason says what a caller can do about it.
//
// It holds two promises that callers build on. Nothing is written over an
// object that was not looked at: Create fails when the object exists, Apply and
// Delete take its uid. And no answer is never taken for a failure: a write whose
// outcome is open fails with OutcomeUnknown.
package kube

import (
	"context"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"kplan.dev/kplan/addrs"
)

// Options says which cluster, as whom and how. The zero value is what kubectl
// would use in the same place.
type Options struct {
	// ConfigPath is the kubeconfig to read; "" reads those that KUBECONFIG
	// lists, else ~/.kube/config.
	ConfigPath string
	// Context is the kubeconfig's context; "" is its current one.
	Context string

	// Host is the server's address; without a scheme it is taken as https. When
	// it is set no kubeconfig is read, so that no credentials go to a server they
	// are not meant for.
	Host string

	// The rest is laid over what the kubeconfig says.

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

	// RequestTimeout is how long a request may go unanswered, all its attempts
	// together; 0 is 60 seconds.
	RequestTimeout time.Duration
	// Parallelism bounds the requests in flight; 0 is DefaultParallelism.
	Parallelism int
	// UserAgent is what audit logs show; "" is kplan.
	UserAgent string
	// Warn is given each text of the API server's Warning headers once, with the
	// object it was first said about, if it was about one. It may be called from
	// several goroutines at the same time.
	Warn func(about addrs.Object, text string)
	// Notice is told, in a sentence, what keeps the user waiting: a server that
	// does not answer, or is busy. It may be called from several goroutines.
	Notice func(text string)

	// WorkDir is a directory whose files are not trusted to run programs, such
	// as a checked-out pull request. Credential plugins that a kubeconfig inside
	// it or Exec names run only with AllowExec. "" trusts all.
	WorkDir   string
	AllowExec bool
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

const defaultTimeout = 60 * time.Second

// DefaultParallelism is how many requests are in flight at most unless the user
// says so. A request that creates something mostly waits inside the API server:
// docs/decisions/0016-sixty-four-at-once.md has the figures.
const DefaultParallelism = 64

// Cluster is a connection to a cluster. Its methods may be called from several
// goroutines at the same time.
type Cluster struct {
	base     *url.URL
	http     *http.Client
	context  string
	timeout  time.Duration
	slots    chan struct{}
	warnings warnings
	answered atomic.Bool // the server answered once
	notice   func(text string)
	pulse    pulse
	hurried  context.Context // ended by hurry
	hurry    context.CancelFunc

	life     context.Context // for Lookup, which takes none
	catalog  catalog
	identity identity
}

type identity struct {
	once sync.Once
	uid  string
	err  error
}

// Connect finds the cluster and makes one request to see that it is there and
// takes the credentials. The context bounds the life of the Cluster.
//
// The cluster is, in this order: Host; the kubeconfig at ConfigPath; those that
// KUBECONFIG lists; ~/.kube/config; and, only where none of these is given, the
// cluster whose pod this process runs in. There is no other default.
func Connect(ctx context.Context, opts Options) (*Cluster, error) {
	found, err := find(opts)
	if err != nil {
		return nil, err
	}
	c, err := dial(ctx, found, opts)
	if err != nil {
		return nil, err
	}
	_, err = c.Identity(ctx)
	switch e, _ := err.(*Error); {
	case err == nil, e.Reason == NotFound:
	case e.Reason == Forbidden && isAnonymous(e.Message):
		e.Op, e.Object, e.Reason = "connect", addrs.Object{}, Unauthorized
		e.Advice = "No credentials were given, or the server does not know them. Check the user of the kubeconfig's context."
		return nil, e
	case e.Reason == Forbidden:
	default:
		e.Op, e.Object = "connect", addrs.Object{}
		return nil, e
	}
	return c, nil
}

// Identity is what tells this cluster from all others: the uid of the namespace
// kube-system. When RBAC does not allow to read it the error's reason is
// Forbidden; the caller then has to do with Host.
func (c *Cluster) Identity(ctx context.Context) (string, error) {
	c.identity.once.Do(func() { c.identity.uid, c.identity.err = c.readIdentity(ctx) })
	return c.identity.uid, c.identity.err
}

func (c *Cluster) readIdentity(ctx context.Context) (string, error) {
	k, err := namespaceKind()
	if err != nil {
		return "", err
	}
	r := &request{op: "get", object: k.Object("", "kube-system"), method: http.MethodGet,
		path: resourcePath(k, "", "kube-system"), quick: true}
	ns, err := c.one(ctx, k, r)
	if err != nil {
		return "", err
	}
	return string(ns.GetUID()), nil
}

// Host is the server's address: scheme, host and port.
func (c *Cluster) Host() string {
	host := url.URL{Scheme: c.base.Scheme, Host: c.base.Host, Path: c.base.Path}
	return host.String()
}

// Context is the kubeconfig's context in use, "" when there is none.
func (c *Cluster) Context() string { return c.context }
