//go:build unix

package auth

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/client-go/rest"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// The tests of this file run a credential plugin by client-go and by kplan side by
// side. Each shows a promise that client-go does not keep. Where one of them fails
// since client-go now keeps it, decision 0022 needs to be reconsidered.

const credential = `echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"some"}}'` + "\n"

// plugins is a program for credentials and a server that takes or refuses them.
type plugins struct {
	dir    string
	config *rest.Config
	server *httptest.Server
}

// newPlugins has the program run a script of the shell in which DIR is a directory.
func newPlugins(t *testing.T, status int, script string) *plugins {
	t.Helper()
	p := &plugins{dir: t.TempDir()}
	p.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	t.Cleanup(p.server.Close)
	program := filepath.Join(p.dir, "plugin")
	script = "#!/bin/sh\necho ran >> DIR/runs\n" + script
	syscall.ForkLock.RLock() // a program that starts meanwhile would have the file open for writing, and it could not be run
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(program, []byte(strings.ReplaceAll(script, "DIR", p.dir)), 0o700); err != nil {
		t.Fatal(err)
	}
	p.config = &rest.Config{Host: p.server.URL, TLSClientConfig: rest.TLSClientConfig{Insecure: true},
		ExecProvider: &clientcmdapi.ExecConfig{APIVersion: "client.authentication.k8s.io/v1", Command: program,
			Env:             []clientcmdapi.ExecEnvVar{{Name: "PASSWORD", Value: "sesame-sesame"}},
			InteractiveMode: clientcmdapi.NeverExecInteractiveMode}}
	return p
}

func (p *plugins) clientGo(t *testing.T) *http.Client {
	t.Helper()
	client, err := rest.HTTPClientFor(p.config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func (p *plugins) ours(t *testing.T, timeout time.Duration) *http.Client {
	t.Helper()
	plugin, err := newPlugin(p.config, Options{})
	if err != nil {
		t.Fatal(err)
	}
	plugin.timeout = timeout
	return &http.Client{Transport: plugin.wrap(&http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}})}
}

func (p *plugins) get(ctx context.Context, client *http.Client) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.server.URL, nil)
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	return res.Body.Close()
}

// runs is how often the program has run since the last call.
func (p *plugins) runs() int {
	text, _ := os.ReadFile(filepath.Join(p.dir, "runs"))
	os.Remove(filepath.Join(p.dir, "runs"))
	return strings.Count(string(text), "ran")
}

// alive reports whether the program runs that has written its process id.
func (p *plugins) process(t *testing.T) (id int, alive bool) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(p.dir, "id"))
	if err != nil {
		return 0, false
	}
	if id, err = strconv.Atoi(strings.TrimSpace(string(text))); err != nil {
		return 0, false
	}
	return id, syscall.Kill(id, 0) == nil
}

// TestClientGoWaitsForPlugin: client-go waits for a plugin that hangs for longer
// than the request's context lets it, and has no other bound; kplan ends the
// program.
func TestClientGoWaitsForPlugin(t *testing.T) {
	t.Parallel()
	p := newPlugins(t, http.StatusOK, "echo $$ > DIR/id\nexec sleep 60\n")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	ended := make(chan error, 1)
	client := p.clientGo(t)
	go func() { ended <- p.get(ctx, client) }()
	select {
	case err := <-ended:
		t.Errorf("client-go gave up: %v", err)
	case <-time.After(2 * time.Second):
	}
	id, alive := p.process(t)
	if !alive {
		t.Fatal("client-go ended the plugin")
	}
	if err := syscall.Kill(id, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-ended

	err := p.get(t.Context(), p.ours(t, 100*time.Millisecond))
	var failed *PluginError
	if !errors.As(err, &failed) || !strings.Contains(failed.Message, "did not end in time") {
		t.Errorf("kplan: %v", err)
	}
	if _, alive := p.process(t); alive {
		t.Error("kplan left the plugin running")
	}
}

// TestClientGoShowsWhatPluginsSay: what a plugin writes to standard error goes to
// ours as it is, and is in no error; kplan's error has it, masked.
func TestClientGoShowsWhatPluginsSay(t *testing.T) {
	p := newPlugins(t, http.StatusOK, "echo the door is shut to $PASSWORD >&2\nexit 3\n")
	shown := func(client func() *http.Client) (string, error) {
		t.Helper()
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		stderr := os.Stderr
		os.Stderr = w
		err = p.get(t.Context(), client())
		os.Stderr = stderr
		w.Close()
		text, readErr := io.ReadAll(r)
		if readErr != nil || err == nil {
			t.Fatal("the plugin did not fail", readErr)
		}
		return string(text), err
	}
	text, err := shown(func() *http.Client { return p.clientGo(t) })
	if !strings.Contains(text, "sesame-sesame") || strings.Contains(err.Error(), "the door is shut") {
		t.Errorf("client-go: standard error %q, error %q", text, err)
	}
	text, err = shown(func() *http.Client { return p.ours(t, time.Minute) })
	if text != "" || !strings.Contains(err.Error(), "the door is shut to") || strings.Contains(err.Error(), "sesame") {
		t.Errorf("kplan: standard error %q, error %q", text, err)
	}
}

// TestClientGoRunsPluginsAgain: where the server refuses all credentials, or the
// plugin fails, client-go runs it again for each request. kplan fetches credentials
// once more, and leaves a plugin that failed alone for some time.
func TestClientGoRunsPluginsAgain(t *testing.T) {
	t.Parallel()
	const requests = 5
	for _, test := range []struct {
		name, script   string
		status         int
		clientGo, ours int
	}{
		{"refused for good", credential, http.StatusUnauthorized, 1 + requests, 2},
		{"plugin fails", "exit 1\n", http.StatusOK, requests, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := newPlugins(t, test.status, test.script)
			for _, by := range []struct {
				name   string
				client *http.Client
				want   int
			}{{"client-go", p.clientGo(t), test.clientGo}, {"kplan", p.ours(t, time.Minute), test.ours}} {
				for range requests {
					_ = p.get(t.Context(), by.client)
				}
				if n := p.runs(); n != by.want {
					t.Errorf("%s ran the plugin %d times for %d requests, want %d", by.name, n, requests, by.want)
				}
			}
		})
	}
}

// TestClientGoKeepsWhatPluginsPrint: client-go keeps all that a plugin prints;
// kplan keeps a megabyte.
func TestClientGoKeepsWhatPluginsPrint(t *testing.T) {
	t.Parallel()
	p := newPlugins(t, http.StatusOK, fmt.Sprintf("head -c %d /dev/zero | tr '\\0' ' '\n", 4*pluginStdout)+credential)
	if err := p.get(t.Context(), p.clientGo(t)); err != nil {
		t.Errorf("client-go: %v", err)
	}
	var failed *PluginError
	if err := p.get(t.Context(), p.ours(t, time.Minute)); !errors.As(err, &failed) {
		t.Errorf("kplan: %v", err)
	}
}
