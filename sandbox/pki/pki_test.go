package pki

import (
	"crypto/tls"
	"crypto/x509"
	"slices"
	"testing"
)

func TestClientCertificateNamesUserAndGroups(t *testing.T) {
	ca := newAuthority(t)
	pair, err := ca.Client("jane", "readers", "writers")
	if err != nil {
		t.Fatal(err)
	}
	cert := verify(t, ca, pair, x509.VerifyOptions{KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	if cert.Subject.CommonName != "jane" || !slices.Equal(cert.Subject.Organization, []string{"readers", "writers"}) {
		t.Errorf("certificate is for %v", cert.Subject)
	}
}

func TestServerCertificateCoversItsHosts(t *testing.T) {
	ca := newAuthority(t)
	pair, err := ca.Server("server", "127.0.0.1", "localhost")
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"127.0.0.1", "localhost"} {
		verify(t, ca, pair, x509.VerifyOptions{DNSName: host})
	}
	cert, _ := parseCert(pair.Cert)
	if cert.VerifyHostname("example.com") == nil {
		t.Error("certificate covers a host it was not made for")
	}
}

func TestAuthorityReadAgainStillSigns(t *testing.T) {
	ca := newAuthority(t)
	again, err := ParseAuthority(ca.Pair)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := again.Client("jane")
	if err != nil {
		t.Fatal(err)
	}
	verify(t, ca, pair, x509.VerifyOptions{KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
}

func newAuthority(t *testing.T) *Authority {
	t.Helper()
	ca, err := NewAuthority("test")
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

// verify checks that key and certificate belong together and that the authority vouches for them.
func verify(t *testing.T, ca *Authority, pair Pair, opts x509.VerifyOptions) *x509.Certificate {
	t.Helper()
	if _, err := tls.X509KeyPair(pair.Cert, pair.Key); err != nil {
		t.Fatal(err)
	}
	cert, err := parseCert(pair.Cert)
	if err != nil {
		t.Fatal(err)
	}
	opts.Roots = x509.NewCertPool()
	opts.Roots.AddCert(ca.cert)
	if _, err := cert.Verify(opts); err != nil {
		t.Error(err)
	}
	return cert
}
