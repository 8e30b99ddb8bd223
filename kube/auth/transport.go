package auth

import (
	"net/http"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/transport"
)

// newTransport presents the config's credentials over its TLS settings.
func newTransport(cfg *rest.Config, opts Options) (http.RoundTripper, error) {
	withoutPlugin := *cfg
	withoutPlugin.ExecProvider = nil // kplan runs it itself
	conf, err := withoutPlugin.TransportConfig()
	if err != nil {
		return nil, invalid("", "the credentials can't be used: %s", err)
	}
	if cfg.ExecProvider != nil && !conf.HasTokenAuth() && !conf.HasBasicAuth() && !conf.HasCertAuth() {
		p, err := newPlugin(cfg, opts)
		if err != nil {
			return nil, err
		}
		conf.TLS.GetCertHolder = &transport.GetCertHolder{GetCert: p.certificate}
		conf.Wrap(p.wrap)
	}
	rt, err := transport.New(conf)
	if err != nil {
		return nil, invalid("Check the certificates and keys.", "the TLS settings can't be used: %s", err)
	}
	return rt, nil
}
