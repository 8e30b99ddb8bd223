package kube_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/kube/auth"
)

// home gives the test a home directory and no kubeconfig.
func home(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	t.Setenv("KUBECONFIG", "")
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	return dir
}

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

func kubeconfig(server, user string) string {
	return fmt.Sprintf(`
apiVersion: v1
kind: Config
current-context: main
clusters: [{name: c, cluster: {server: %q, insecure-skip-tls-verify: true}}, {name: empty, cluster: {}}]
contexts:
- {name: main, context: {cluster: c, user: u}}
- {name: no-cluster, context: {cluster: gone, user: u}}
- {name: no-user, context: {cluster: c, user: gone}}
- {name: no-server, context: {cluster: empty, user: u}}
users: [{name: u, user: %s}]
`, server, user)
}

// says checks that an error says what, where and what to do.
func wantWords(t testing.TB, e *kube.Error, words ...string) {
	t.Helper()
	all := e.Message + " " + e.Advice
	for _, w := range words {
		if !strings.Contains(all, w) {
			t.Errorf("%q is missing in: %s", w, all)
		}
	}
	if e.Advice == "" {
		t.Errorf("no advice with: %s", all)
	}
}

func answering(t *testing.T, h http.HandlerFunc) string {
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.URL
}

// secure is answering over TLS, without which client-go sends no credentials.
func secure(t *testing.T, h http.HandlerFunc) string {
	srv := httptest.NewTLSServer(h)
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestWhichCluster(t *testing.T) {
	dir := home(t)
	server := func(uid string) string {
		return answering(t, says(200, strings.ReplaceAll(theNamespace, "the-uid", uid)))
	}
	inHome, inEnv, inFlag := server("home"), server("env"), server("flag")
	write(t, filepath.Join(dir, ".kube", "config"), kubeconfig(inHome, "{token: t}"))
	env := write(t, filepath.Join(dir, "env"), kubeconfig(inEnv, "{token: t}"))
	flag := write(t, filepath.Join(dir, "flag"), kubeconfig(inFlag, "{token: t}"))
	direct := server("host")
	check := func(want, wantContext string, opts kube.Options) {
		t.Helper()
		c, err := kube.Connect(t.Context(), opts)
		if err != nil {
			t.Error(err)
			return
		}
		if uid, err := c.Identity(t.Context()); uid != want || err != nil {
			t.Errorf("connected to %q, want %q: %v", uid, want, err)
		}
		if access, err := auth.Find(opts.Auth); err != nil || access.Context != wantContext {
			t.Errorf("the context is not %q: %v", wantContext, err)
		}
	}
	check("home", "main", kube.Options{})
	check("flag", "main", kube.Options{Auth: auth.Options{ConfigPath: flag}})
	check("host", "", kube.Options{Auth: auth.Options{Host: direct}})
	t.Setenv("KUBECONFIG", filepath.Join(dir, "not-there")+string(filepath.ListSeparator)+env)
	check("env", "main", kube.Options{})
	check("flag", "main", kube.Options{Auth: auth.Options{ConfigPath: flag}})
	check("host", "", kube.Options{Auth: auth.Options{Host: direct}})
}

func TestNoUsableConfiguration(t *testing.T) {
	dir := home(t)
	_, err := kube.Connect(t.Context(), kube.Options{})
	wantWords(t, wantReason(t, err, kube.NoConfiguration), "no kubeconfig", "KUBECONFIG", filepath.Join(dir, ".kube", "config"), "pod")

	good := write(t, filepath.Join(dir, "good"), kubeconfig("https://127.0.0.1:1", "{token: sesame-sesame}"))
	file := func(name, text string) auth.Options {
		return auth.Options{ConfigPath: write(t, filepath.Join(dir, name), text)}
	}
	for _, test := range []struct {
		name  string
		opts  auth.Options
		words []string
	}{
		{"no such file", auth.Options{ConfigPath: filepath.Join(dir, "none")}, []string{filepath.Join(dir, "none"), "no such file"}},
		{"no YAML", file("bad", "{sesame-sesame: ["), []string{filepath.Join(dir, "bad")}},
		{"other kind", file("pod", "apiVersion: v1\nkind: Pod\nmetadata: {name: sesame-sesame}"), []string{filepath.Join(dir, "pod")}},
		{"wrong type", file("type", "apiVersion: v1\nkind: Config\nusers: sesame-sesame"), []string{filepath.Join(dir, "type")}},
		{"empty", file("empty", ""), []string{filepath.Join(dir, "empty"), "no current context"}},
		{"a directory", auth.Options{ConfigPath: dir}, []string{dir}},
		{"no such context", auth.Options{ConfigPath: good, Context: "mai"}, []string{`"mai"`, `Did you mean "main"?`, "no-cluster"}},
		{"context without cluster", auth.Options{ConfigPath: good, Context: "no-cluster"}, []string{`"no-cluster"`, `"gone"`, good}},
		{"context without user", auth.Options{ConfigPath: good, Context: "no-user"}, []string{`"no-user"`, `"gone"`, good}},
		{"cluster without server", auth.Options{ConfigPath: good, Context: "no-server"}, []string{`"empty"`, good}},
		{"credentials in plain text", auth.Options{Host: "http://127.0.0.1:1", Token: "sesame-sesame"}, []string{"plain text"}},
		{"host and context", auth.Options{Host: "https://a", Context: "main"}, []string{"host"}},
		{"bad proxy", auth.Options{ConfigPath: good, ProxyURL: "sesame-sesame"}, []string{"proxy"}},
		{"bad host", auth.Options{Host: "https://a b"}, []string{"a b"}},
		{"bad authority", auth.Options{ConfigPath: good, ClusterCACertificate: "sesame-sesame"}, []string{"certificate"}},
		{"context in a pod", auth.Options{Context: "main"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := kube.Connect(t.Context(), kube.Options{Auth: test.opts})
			want := kube.BadConfiguration
			if test.words == nil {
				want = kube.NoConfiguration
			}
			e := wantReason(t, err, want)
			wantWords(t, e, test.words...)
			if shown := e.Error() + e.Advice; strings.Contains(shown, "sesame") {
				t.Error("shows what the file holds:", shown)
			}
		})
	}
	t.Setenv("KUBECONFIG", filepath.Join(dir, "gone"))
	_, err = kube.Connect(t.Context(), kube.Options{})
	wantWords(t, wantReason(t, err, kube.BadConfiguration), "KUBECONFIG", filepath.Join(dir, "gone"))
}

func TestNoConnection(t *testing.T) {
	home(t)
	tlsServer := httptest.NewUnstartedServer(says(200, theNamespace))
	tlsServer.Config.ErrorLog = log.New(io.Discard, "", 0)
	tlsServer.StartTLS()
	t.Cleanup(tlsServer.Close)
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: tlsServer.Certificate().Raw}))
	plain := answering(t, says(200, theNamespace))
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts and sends nothing
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() })
	expiredURL, expiredCA := expired(t)

	for _, test := range []struct {
		name  string
		opts  auth.Options
		want  kube.Reason
		words []string
	}{
		{"refused", auth.Options{Host: "https://" + closed.Addr().String()}, kube.Unreachable, []string{"refused", closed.Addr().String()}},
		{"no such name", auth.Options{Host: "https://no-such-host.invalid:6443"}, kube.Unreachable, []string{"no-such-host.invalid"}},
		{"silence", auth.Options{Host: "https://" + silent.Addr().String()}, kube.Timeout, []string{silent.Addr().String()}},
		{"unknown authority", auth.Options{Host: tlsServer.URL}, kube.TLSFailed, []string{"authority"}},
		{"another name", auth.Options{Host: tlsServer.URL, ClusterCACertificate: ca, TLSServerName: "other.example.org"},
			kube.TLSFailed, []string{"other.example.org"}},
		{"expired", auth.Options{Host: expiredURL, ClusterCACertificate: expiredCA}, kube.TLSFailed, []string{"expired"}},
		{"plain text", auth.Options{Host: strings.Replace(plain, "http:", "https:", 1)}, kube.TLSFailed, []string{"does not speak TLS"}},
		{"TLS to plain text", auth.Options{Host: strings.Replace(tlsServer.URL, "https:", "http:", 1)}, kube.TLSFailed, []string{"https://"}},
		{"web page", auth.Options{Host: answering(t, says(200, "<html>hello</html>"))}, kube.NotKubernetes, nil},
		{"web page not found", auth.Options{Host: answering(t, says(404, "<html>hello</html>"))}, kube.NotKubernetes, nil},
		{"login page", auth.Options{Host: answering(t, says(302, "", "Location", "https://login.example.com"))},
			kube.NotKubernetes, []string{"redirect"}},
		{"token not valid", auth.Options{Host: answering(t, status(401, "Unauthorized", "Unauthorized"))}, kube.Unauthorized, nil},
		{"nobody", auth.Options{Host: answering(t, status(403, "Forbidden", `namespaces "kube-system" is forbidden: `+
			`User "system:anonymous" cannot get resource "namespaces" in API group "" in the namespace "kube-system"`))}, kube.Unauthorized, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			start := time.Now()
			_, err := kube.Connect(t.Context(), kube.Options{Auth: test.opts, RequestTimeout: 4 * time.Second})
			wantWords(t, wantReason(t, err, test.want), test.words...)
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
	c, err := kube.Connect(t.Context(), kube.Options{Auth: auth.Options{Host: tlsServer.URL, Insecure: true}})
	if err != nil || c.Host() != tlsServer.URL {
		t.Error(c, err)
	}
	_, err = kube.Connect(t.Context(), kube.Options{Auth: auth.Options{Host: tlsServer.URL, ClusterCACertificate: ca}})
	if err != nil {
		t.Error(err)
	}
}

// expired serves with a certificate that was valid until yesterday.
func expired(t *testing.T) (url, ca string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "old"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(-24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(says(200, theNamespace))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv.URL, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// TestCredentials checks what reaches the server, and that credentials given
// directly replace the kubeconfig's.
func TestCredentials(t *testing.T) {
	dir := home(t)
	var got http.Header
	server := secure(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Clone()
		fmt.Fprint(w, theNamespace)
	})
	path := write(t, filepath.Join(dir, "config"), kubeconfig(server, "{token: from-file}"))
	for _, test := range []struct {
		opts auth.Options
		want map[string]string
	}{
		{auth.Options{}, map[string]string{"Authorization": "Bearer from-file", "User-Agent": "kplan"}},
		{auth.Options{Token: "given", UserAgent: "kplan/1.2"}, map[string]string{"Authorization": "Bearer given", "User-Agent": "kplan/1.2"}},
		{auth.Options{Username: "me", Password: "pw"}, map[string]string{"Authorization": "Basic bWU6cHc="}},
		{auth.Options{ImpersonateUser: "tenant", ImpersonateGroups: []string{"g"}},
			map[string]string{"Impersonate-User": "tenant", "Impersonate-Group": "g"}},
	} {
		test.opts.ConfigPath = path
		if _, err := kube.Connect(t.Context(), kube.Options{Auth: test.opts}); err != nil {
			t.Fatal(err)
		}
		for name, want := range test.want {
			if got.Get(name) != want {
				t.Errorf("%s is %q, want %q", name, got.Get(name), want)
			}
		}
	}
	_, err := kube.Connect(t.Context(), kube.Options{Auth: auth.Options{Host: server, Insecure: true}})
	if err != nil || got.Get("Authorization") != "" {
		t.Errorf("a host without credentials was sent %q, %v", got.Get("Authorization"), err)
	}
}

func TestCredentialPlugin(t *testing.T) {
	dir := home(t)
	var good atomic.Value
	good.Store("Bearer one")
	server := secure(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != good.Load() {
			status(401, "Unauthorized", "Unauthorized")(w, r)
			return
		}
		fmt.Fprint(w, theNamespace)
	})
	plugin := filepath.Join(dir, "plugin")
	script := func(text string) {
		if err := os.WriteFile(plugin, []byte("#!/bin/sh\necho ran >> "+dir+"/runs\n"+text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	runs := func() int {
		text, _ := os.ReadFile(filepath.Join(dir, "runs"))
		os.Remove(filepath.Join(dir, "runs"))
		return strings.Count(string(text), "ran")
	}
	const credential = `echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"}}'`
	user := func(more string) string {
		return fmt.Sprintf("{exec: {apiVersion: client.authentication.k8s.io/v1, command: %s, interactiveMode: IfAvailable, "+
			"env: [{name: PASSWORD, value: sesame-sesame}]%s}}", plugin, more)
	}
	path := write(t, filepath.Join(dir, "config"), kubeconfig(server, user(", installHint: get it from example.com")))
	opts := kube.Options{Auth: auth.Options{ConfigPath: path}}

	_, err := kube.Connect(t.Context(), opts)
	wantWords(t, wantReason(t, err, kube.PluginFailed), "not installed", "get it from example.com", plugin)

	script("echo the door is shut to $PASSWORD, eyJhbGciOiJIUzI1NiJ9.e30.abc >&2; exit 3")
	_, err = kube.Connect(t.Context(), opts)
	e := wantReason(t, err, kube.PluginFailed)
	wantWords(t, e, "the door is shut", "exit status 3")
	if strings.Contains(e.Error(), "sesame") || strings.Contains(e.Error(), "eyJ") {
		t.Error("shows a secret:", e)
	}

	for _, text := range []string{"echo hello", "echo '{}'",
		`echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential"}'`,
		`echo '{"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential","status":{"token":"one"}}'`,
	} {
		script(text)
		_, err = kube.Connect(t.Context(), opts)
		wantWords(t, wantReason(t, err, kube.PluginFailed), plugin)
	}

	script(fmt.Sprintf(credential, "one"))
	runs()
	c, err := kube.Connect(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	if runs() != 1 {
		t.Error("the plugin did not run once")
	}

	// A token that expires in the middle of a run is renewed, once.
	get := func() error {
		k, err := builtin("Namespace")
		if err == nil {
			_, err = c.Get(t.Context(), k, "", "kube-system")
		}
		return err
	}
	good.Store("Bearer two")
	script(fmt.Sprintf(credential, "two"))
	if err := get(); err != nil || runs() != 1 {
		t.Error(err)
	}
	good.Store("Bearer three")
	wantReason(t, get(), kube.Unauthorized)
	wantReason(t, get(), kube.Unauthorized)
	if n := runs(); n != 1 {
		t.Errorf("the plugin ran %d times for credentials that are refused for good", n)
	}

	// A kubeconfig from the working directory runs nothing, unless allowed.
	opts.Auth.Untrusted = []string{dir}
	_, err = kube.Connect(t.Context(), opts)
	wantWords(t, wantReason(t, err, kube.UntrustedConfiguration), plugin)
	linked := filepath.Join(t.TempDir(), "config")
	if err := os.Symlink(path, linked); err != nil {
		t.Fatal(err)
	}
	opts.Auth.ConfigPath = linked
	_, err = kube.Connect(t.Context(), opts)
	wantReason(t, err, kube.UntrustedConfiguration)
	if runs() != 0 {
		t.Error("the plugin ran")
	}
	opts.Auth.AllowExec = true
	good.Store("Bearer two")
	if _, err = kube.Connect(t.Context(), opts); err != nil {
		t.Error(err)
	}
	thief := write(t, filepath.Join(dir, "thief"), kubeconfig(server, "{tokenFile: /etc/hostname}"))
	_, err = kube.Connect(t.Context(), kube.Options{Auth: auth.Options{Untrusted: []string{dir}, ConfigPath: thief}})
	wantWords(t, wantReason(t, err, kube.UntrustedConfiguration), "/etc/hostname")
	inBlock := kube.Options{Auth: auth.Options{Host: server, Insecure: true, Untrusted: []string{dir}, Exec: &auth.Exec{Command: plugin}}}
	_, err = kube.Connect(t.Context(), inBlock)
	wantReason(t, err, kube.UntrustedConfiguration)
	inBlock.Auth.Untrusted = nil
	if _, err = kube.Connect(t.Context(), inBlock); err != nil {
		t.Error(err)
	}
}
