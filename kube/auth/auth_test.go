package auth

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/client-go/rest"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// write makes a file below a directory.
func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// refused is the error of an access that was not given.
func refused(t *testing.T, err error, reason Reason) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Reason != reason {
		t.Fatalf("got %v, want an error of reason %d", err, reason)
	}
	return e
}

// TestOverlay: what is given directly goes before the kubeconfig, and credentials
// replace all of the kubeconfig's.
func TestOverlay(t *testing.T) {
	cfg := &rest.Config{Host: "https://a", BearerToken: "old", Username: "old", BearerTokenFile: "old",
		TLSClientConfig: rest.TLSClientConfig{CertFile: "old", KeyFile: "old", CAFile: "old"},
		ExecProvider:    &clientcmdapi.ExecConfig{Command: "old"}}
	if err := overlay(cfg, Options{Token: "new", Insecure: true, TLSServerName: "b", ImpersonateUser: "u", ImpersonateGroups: []string{"g"},
		ProxyURL: "socks5://proxy:1080"}); err != nil {
		t.Fatal(err)
	}
	if cfg.BearerToken != "new" || cfg.Username != "" || cfg.BearerTokenFile != "" || cfg.CertFile != "" || cfg.ExecProvider != nil {
		t.Errorf("old credentials are left: %v", cfg)
	}
	if !cfg.Insecure || cfg.CAFile != "" || cfg.ServerName != "b" || cfg.Impersonate.UserName != "u" || cfg.Impersonate.Groups[0] != "g" {
		t.Errorf("%+v", cfg)
	}
	req, err := http.NewRequest(http.MethodGet, "https://a", nil)
	if err != nil {
		t.Fatal(err)
	}
	if proxy, err := cfg.Proxy(req); err != nil || proxy.Host != "proxy:1080" {
		t.Errorf("proxy %v, %v", proxy, err)
	}
	if cfg.UserAgent != "kplan" || cfg.QPS != -1 {
		t.Errorf("user agent %q, %v requests per second", cfg.UserAgent, cfg.QPS)
	}

	kept := &rest.Config{Host: "https://a", BearerToken: "old"}
	if err := overlay(kept, Options{UserAgent: "kplan/1"}); err != nil || kept.BearerToken != "old" || kept.UserAgent != "kplan/1" {
		t.Errorf("%v, %v", kept, err)
	}
}

// TestFindRefuses has configurations that contradict themselves or lead nowhere.
func TestFindRefuses(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("KUBECONFIG", "")
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	for name, test := range map[string]struct {
		opts   Options
		reason Reason
		says   string
	}{
		"nothing":            {Options{}, NotConfigured, "nothing says which cluster to use"},
		"host and file":      {Options{Host: "a", ConfigPath: "b"}, Invalid, "both a host and a kubeconfig"},
		"token in the clear": {Options{Host: "http://a", Token: "sesame"}, Invalid, "in plain text"},
		"no URL":             {Options{Host: "https://a b"}, Invalid, "not a server address"},
		"no proxy":           {Options{Host: "a", ProxyURL: "sesame"}, Invalid, "proxy's address is not a URL"},
		"no certificate":     {Options{Host: "a", ClusterCACertificate: "sesame"}, Invalid, "TLS settings"},
		"no such file":       {Options{ConfigPath: filepath.Join(home, "none")}, Invalid, "no such file"},
		"program":            {Options{Host: "a", Untrusted: []string{home}, Exec: &Exec{Command: "x"}}, UntrustedConfiguration, `run the program "x"`},
		"unknown version":    {Options{Host: "a", Exec: &Exec{Command: "x", APIVersion: "v9"}}, Invalid, `"v9"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Find(test.opts)
			e := refused(t, err, test.reason)
			if !strings.Contains(e.Message, test.says) {
				t.Errorf("%q does not say %q", e.Message, test.says)
			}
			if strings.Contains(e.Message+e.Advice, "sesame") {
				t.Errorf("it shows what was given: %s %s", e.Message, e.Advice)
			}
		})
	}
}

// TestGuardUser: what lies in the working directory may neither run a program nor send
// a file from elsewhere, not by a link either.
func TestGuardUser(t *testing.T) {
	type user = clientcmdapi.AuthInfo
	dir, elsewhere := t.TempDir(), t.TempDir()
	inDir, outside := write(t, filepath.Join(dir, "config"), ""), write(t, filepath.Join(elsewhere, "config"), "")
	link := filepath.Join(elsewhere, "link")
	if err := os.Symlink(inDir, link); err != nil {
		t.Skip(err)
	}
	own := write(t, filepath.Join(elsewhere, "own"), "")
	t.Setenv("KUBECONFIG", own)
	token := filepath.Join(dir, "token")
	program, in := &clientcmdapi.ExecConfig{Command: "x"}, []string{dir}
	for name, test := range map[string]struct {
		user    clientcmdapi.AuthInfo
		opts    Options
		refused bool
	}{
		"program from outside": {user{LocationOfOrigin: outside, Exec: program}, Options{Untrusted: in}, false},
		"program from inside":  {user{LocationOfOrigin: inDir, Exec: program}, Options{Untrusted: in}, true},
		"through a link":       {user{LocationOfOrigin: link, Exec: program}, Options{Untrusted: in}, true},
		"allowed":              {user{LocationOfOrigin: inDir, Exec: program}, Options{Untrusted: in, AllowExec: true}, false},
		"another directory":    {user{LocationOfOrigin: inDir, Exec: program}, Options{Untrusted: []string{t.TempDir(), dir}}, true},
		"named by someone":     {user{LocationOfOrigin: outside, Exec: program}, Options{Untrusted: in, Named: true}, true},
		"named, and my own":    {user{LocationOfOrigin: own, Exec: program}, Options{Untrusted: in, Named: true}, false},
		"all trusted":          {user{LocationOfOrigin: inDir, Exec: program}, Options{}, false},
		"own file":             {user{LocationOfOrigin: inDir, TokenFile: token}, Options{Untrusted: in}, false},
		"token of others":      {user{LocationOfOrigin: inDir, TokenFile: outside}, Options{Untrusted: in}, true},
		"key of others":        {user{LocationOfOrigin: inDir, ClientKey: outside}, Options{Untrusted: in}, true},
		"certificate":          {user{LocationOfOrigin: inDir, ClientCertificate: outside}, Options{Untrusted: in}, true},
		"token itself":         {user{LocationOfOrigin: inDir, Token: "t"}, Options{Untrusted: in}, false},
	} {
		t.Run(name, func(t *testing.T) {
			err := guardUser("u", &test.user, test.opts)
			if (err != nil) != test.refused {
				t.Errorf("got %v", err)
			}
			if err != nil {
				refused(t, err, UntrustedConfiguration)
			}
		})
	}
}

// TestPluginRead has what plugins print, and what comes of it. A token is in no error.
func TestPluginRead(t *testing.T) {
	const version = "client.authentication.k8s.io/v1"
	p := &plugin{config: &clientcmdapi.ExecConfig{Command: "x", APIVersion: version}}
	credential := func(status string) string {
		return `{"apiVersion":"` + version + `","kind":"ExecCredential","status":` + status + `}`
	}
	for text, says := range map[string]string{
		credential(`{"token":"sesame"}`):                                              "",
		credential(`{"token":"sesame","expirationTimestamp":"2030-01-01T00:00:00Z"}`): "",
		"":                  "no ExecCredential",
		`{"token":"sesame"`: "no ExecCredential",
		credential(`null`):  "neither a token nor a certificate",
		credential(`{}`):    "neither a token nor a certificate",
		`{"kind":"Secret"}`: "is asked for",
		strings.Replace(credential(`{"token":"sesame"}`), "/v1", "/v1beta1", 1):   "is asked for",
		credential(`{"clientCertificateData":"sesame"}`):                          "a certificate without its key",
		credential(`{"token":"sesame","clientKeyData":"sesame"}`):                 "a key without its certificate",
		credential(`{"clientCertificateData":"sesame","clientKeyData":"sesame"}`): "do not fit",
	} {
		creds, err := p.read([]byte(text))
		switch {
		case says == "":
			if err != nil || creds.token != "sesame" || creds.expires.IsZero() == strings.Contains(text, "expiration") {
				t.Errorf("%s: %v, %v", text, creds, err)
			}
		case err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "sesame"):
			t.Errorf("%s: got %v, want %q", text, err, says)
		}
	}
}
