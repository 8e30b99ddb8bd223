package kube

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"syscall"

	"kplan.dev/kplan/kube/auth"
)

// describeConnection explains in an Error why there was no answer, and what to do.
func (c *client) describeConnection(e *Error, r *request, ans *answer) {
	var (
		plugin    *auth.PluginError
		op        *net.OpError
		dns       *net.DNSError
		authority x509.UnknownAuthorityError
		hostname  x509.HostnameError
		validity  x509.CertificateInvalidError
		record    tls.RecordHeaderError
		alert     tls.AlertError
		timeout   interface{ Timeout() bool }
	)
	err, host := ans.err, c.host()
	switch {
	case errors.As(err, &plugin):
		e.Reason, e.Message, e.Advice = PluginFailed, plugin.Message, plugin.Advice
	case errors.As(err, &op) && op.Op == "proxyconnect":
		e.Reason = Unreachable
		e.Message = fmt.Sprintf("the proxy between this machine and %s can't be reached: %s", host, plainError(op.Err))
		e.Advice = "Check the proxy's address: proxy-url in the kubeconfig, proxy_url in the cluster block, " +
			"or HTTPS_PROXY and NO_PROXY in the environment."
	case errors.As(err, &dns):
		e.Reason = Unreachable
		e.Message = fmt.Sprintf("the server's name %q can't be found", dns.Name)
		e.Advice = fmt.Sprintf("Check the server address %s, and the network or VPN.", host)
	case errors.As(err, &hostname):
		e.Reason = TLSFailed
		e.Message = fmt.Sprintf("the certificate of %s is for other names: %s", host, plainError(hostname))
		e.Advice = "Use a name that the certificate holds, or set the TLS server name to one."
	case errors.As(err, &validity):
		e.Reason = TLSFailed
		e.Message = fmt.Sprintf("the certificate of %s is not valid: %s", host, plainError(validity))
		e.Advice = "Check this machine's clock, and renew the server's certificate if it has expired."
	case errors.As(err, &authority):
		e.Reason = TLSFailed
		e.Message = fmt.Sprintf("the certificate of %s is signed by an authority that is not trusted", host)
		e.Advice = "Give the certificate of the cluster's authority: certificate-authority-data in the kubeconfig, or cluster_ca_certificate."
	case errors.As(err, &record), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		e.Reason = TLSFailed
		e.Message = fmt.Sprintf("%s does not speak TLS", host)
		e.Advice = "Check the port; a plain-text port is addressed with http://."
	case errors.As(err, &alert):
		e.Reason = TLSFailed
		e.Message = fmt.Sprintf("%s refused the TLS connection: %s", host, plainError(alert))
		e.Advice = "If the server asks for a client certificate, check that yours is from the right cluster and has not expired."
	case errors.Is(err, syscall.ECONNREFUSED):
		e.Reason = Unreachable
		e.Message = fmt.Sprintf("nothing listens at %s: connection refused", host)
		e.Advice = "Check that the cluster is up, and the address and port."
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		e.Reason = Unreachable
		e.Message = fmt.Sprintf("there is no route to %s", host)
		e.Advice = "Check the network or VPN."
	case errors.Is(err, errNoResponse), errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		e.Reason = Timeout
		e.Message = c.silence(r)
		e.Advice = adviseNetwork
	default:
		e.Reason = Unreachable
		e.Message = fmt.Sprintf("the connection to %s failed: %s", host, plainError(err))
	}
}

const adviseNetwork = "Check the network, VPN or firewall, or allow more time for each request."

// plainError is err's words without the URL, which url.Error puts before them
// and which may hold a proxy's password.
func plainError(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return err.Error()
}
