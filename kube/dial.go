package kube

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/transport"
)

// dial makes the Cluster; it sends nothing yet.
func dial(ctx context.Context, f *found, opts Options) (*Cluster, error) {
	cfg := f.config
	if opts.ProxyURL != "" {
		proxy, err := url.Parse(opts.ProxyURL)
		if err != nil || proxy.Host == "" {
			return nil, badConfig("It looks like http://host:port, https://host:port or socks5://host:port.", "the proxy's address is not a URL")
		}
		cfg.Proxy = http.ProxyURL(proxy)
	}
	base, _, err := rest.DefaultServerUrlFor(cfg)
	if err != nil {
		return nil, badConfig("It looks like https://host:6443.", "%q is not a server address: %s", cfg.Host, err)
	}
	if base.Scheme == "http" && opts.hasCredentials() {
		return nil, badConfig("Write the address with https://, or leave the credentials out.",
			"credentials would go to %s in plain text", cfg.Host)
	}
	if cfg.Dial == nil {
		cfg.Dial = (&net.Dialer{Timeout: connectTime, KeepAlive: 30 * time.Second}).DialContext
	}
	client, err := newHTTPClient(cfg, opts)
	if err != nil {
		return nil, err
	}
	c := &Cluster{base: base, http: client, context: f.context, life: ctx,
		timeout: opts.RequestTimeout, warnings: warnings{warn: opts.Warn}, notice: opts.Notice}
	c.hurried, c.hurry = context.WithCancel(ctx)
	if c.timeout <= 0 {
		c.timeout = defaultTimeout
	}
	parallelism := opts.Parallelism
	if parallelism <= 0 {
		parallelism = DefaultParallelism
	}
	c.slots = make(chan struct{}, parallelism)
	return c, nil
}

// newHTTPClient makes a client with the config's TLS and credentials.
func newHTTPClient(cfg *rest.Config, opts Options) (*http.Client, error) {
	provider := cfg.ExecProvider
	cfg.ExecProvider = nil // ours does it, see plugin
	conf, err := cfg.TransportConfig()
	if err != nil {
		return nil, badConfig("", "the credentials can't be used: %s", err)
	}
	if provider != nil && !conf.HasTokenAuth() && !conf.HasBasicAuth() && !conf.HasCertAuth() {
		p, err := newPlugin(provider, cfg, opts)
		if err != nil {
			return nil, err
		}
		conf.TLS.GetCertHolder = &transport.GetCertHolder{GetCert: p.certificate}
		conf.Wrap(p.wrap)
	}
	rt, err := transport.New(conf)
	if err != nil {
		return nil, badConfig("Check the certificates and keys.", "the TLS settings can't be used: %s", err)
	}
	return &http.Client{
		Transport: rt,
		// The API never redirects; following would send credentials elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}
