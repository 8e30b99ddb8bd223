// Package kube is the cluster: the only package that talks to one.
//
// Connect finds the cluster by kubectl's rules and explains why it can't.
// A Cluster then has a method for each verb, a file each. All of them bound the
// requests in flight, try again what is worth trying, and fail with an *Error
// whose Reason determines what a caller can do about it.
//
// It gives two guarantees that callers rely on. Nothing is written over an
// object that was not looked at: Create fails when the object exists, Apply and
// Delete take its uid. And no answer is never treated as a failure: a write whose
// outcome is open fails with OutcomeUnknown.
package kube

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kube/auth"
)

// Cluster is a connection to a cluster. Its methods may be called from several
// goroutines at the same time.
type Cluster struct {
	client   *client
	catalog  *catalog
	identity identity
}

type identity struct {
	once sync.Once
	uid  string
	err  error
}

// Connect finds the cluster and makes one request to see that it is there and
// takes the credentials. The context bounds the life of the Cluster.
func Connect(ctx context.Context, opts Options) (*Cluster, error) {
	access, err := auth.Find(opts.Auth)
	if err != nil {
		return nil, notFound(err)
	}
	client, err := newClient(ctx, access, opts)
	if err != nil {
		return nil, notFound(err)
	}
	c := &Cluster{client: client, catalog: &catalog{client: client, life: ctx}}
	uid, err := c.Identity(ctx)
	var e *Error
	switch {
	case err == nil:
	case !errors.As(err, &e):
		return nil, err
	case e.Reason == NotFound:
	case e.Reason == Forbidden && isAnonymous(e.Message):
		e.Op, e.Object, e.Reason = "connect", addrs.Object{}, Unauthorized
		e.Advice = "No credentials were given, or the server does not know them. Check the user of the kubeconfig's context."
		return nil, e
	case e.Reason == Forbidden:
	default:
		e.Op, e.Object = "connect", addrs.Object{}
		return nil, e
	}
	logCluster(ctx, c, access.Context, uid)
	return c, nil
}

// logCluster logs which cluster it is. That costs a request, so it is asked only for the log.
func logCluster(ctx context.Context, c *Cluster, kubeContext, uid string) {
	if !c.client.trace.IsOn() {
		return
	}
	var version struct{ GitVersion string }
	r := c.client.request("get the version of", http.MethodGet, addrs.Object{}, "/version")
	r.quick = true
	r.decode = func(body []byte) error { return json.Unmarshal(body, &version) }
	_ = c.client.do(ctx, r) // then it is not known
	c.client.trace.Log.Debug("cluster", "host", c.Host(), "context", kubeContext, "version", version.GitVersion, "identity", uid)
}

// notFound is the error of a configuration that leads to no cluster.
func notFound(err error) *Error {
	e := &Error{Op: "connect", Reason: BadConfiguration, Err: err}
	var why *auth.Error
	if errors.As(err, &why) {
		e.Message, e.Advice, e.Err = why.Message, why.Advice, nil
		switch why.Reason {
		case auth.NotConfigured:
			e.Reason = NoConfiguration
		case auth.UntrustedConfiguration:
			e.Reason = UntrustedConfiguration
		}
	}
	return e
}

// Identity is what distinguishes this cluster from all others: the uid of the namespace
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
	r := c.client.about("get", http.MethodGet, k, "", "kube-system")
	r.quick = true
	ns, err := c.client.one(ctx, k, r)
	if err != nil {
		return "", err
	}
	return string(ns.GetUID()), nil
}

// Host is the server's address: scheme, host and port.
func (c *Cluster) Host() string { return c.client.host() }

// Cancel has what is in flight end within seconds, since the user wants to leave:
// nothing is retried any more.
func (c *Cluster) Cancel() { c.client.cancel() }
