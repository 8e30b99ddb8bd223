package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// The supervisor takes commands over HTTP on a Unix socket in its directory, whose mode keeps others out:
//
//	GET  /status          Status, with the health of each part
//	POST /stop            stop everything; answers before it is done
//	POST /restart/{part}
//	POST /kill/{part}
const controlSocket = "control.sock"

// socketPath is a path to the socket short enough for the kernel, which takes some hundred bytes: from where we
// are, if the absolute one is too long.
func (d dir) socketPath() string {
	path := d.file(controlSocket)
	if len(path) < 100 {
		return path
	}
	if here, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(here, path); err == nil && len(rel) < len(path) {
			return rel
		}
	}
	return path
}

// serveControl takes commands until the returned server is closed. To stop is to call stop.
func (s *supervisor) serveControl(stop func()) (*http.Server, error) {
	os.Remove(s.dir.socketPath()) // of a supervisor that was killed; we hold the lock
	l, err := net.Listen("unix", s.dir.socketPath())
	if errors.Is(err, syscall.EINVAL) {
		return nil, fmt.Errorf("the path of %s is too long for a socket; choose a shorter -dir", s.dir)
	}
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(s.examine(r.Context()))
	})
	mux.HandleFunc("POST /stop", func(w http.ResponseWriter, r *http.Request) { stop() })
	mux.HandleFunc("POST /restart/{part}", func(w http.ResponseWriter, r *http.Request) {
		answer(w, s.restart(r.Context(), r.PathValue("part")))
	})
	mux.HandleFunc("POST /kill/{part}", func(w http.ResponseWriter, r *http.Request) {
		answer(w, s.kill(r.PathValue("part")))
	})
	server := &http.Server{Handler: mux}
	go server.Serve(l)
	return server, nil
}

func answer(w http.ResponseWriter, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
	}
}

// errNoSupervisor says that nobody takes commands in the directory.
var errNoSupervisor = errors.New("no sandbox is running")

// order sends an order to the directory's supervisor and returns its answer.
func (d dir) order(ctx context.Context, method, path string) ([]byte, error) {
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", d.socketPath())
		},
	}}
	req, err := http.NewRequestWithContext(ctx, method, "http://sandbox"+path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	var dial *net.OpError
	if errors.As(err, &dial) && dial.Op == "dial" {
		return nil, fmt.Errorf("%w in %s", errNoSupervisor, d)
	}
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, errors.New(strings.TrimSpace(string(body)))
	}
	return body, nil
}

// examine is the status of the directory's sandbox, running or not.
func (d dir) examine(ctx context.Context) (Status, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*healthTimeout)
	defer cancel()
	body, err := d.order(ctx, http.MethodGet, "/status")
	if errors.Is(err, errNoSupervisor) {
		return d.remains()
	}
	if err != nil {
		return Status{}, err
	}
	var status Status
	return status, json.Unmarshal(body, &status)
}

// remains is the status of a sandbox whose supervisor is gone: its parts may have outlived it.
func (d dir) remains() (Status, error) {
	status, ok, err := d.readStatus()
	if err != nil {
		return Status{}, err
	}
	if !ok {
		return Status{}, fmt.Errorf("%w in %s", errNoSupervisor, d)
	}
	status.State = Stopped
	for i := range status.Parts {
		p := &status.Parts[i]
		p.State, p.Health = Stopped, ""
		if p.alive() {
			p.State, p.Health = Running, "has lost its supervisor"
			status.State = Degraded
		}
	}
	return status, nil
}

// killOrphans ends parts that outlived their supervisor, and reports whether there were any.
func (d dir) killOrphans() (killed bool, err error) {
	status, ok, err := d.readStatus()
	if err != nil || !ok {
		return false, err
	}
	for _, p := range slices.Backward(status.Parts) {
		if p.alive() {
			p.end(stopPatience)
			killed = true
		}
	}
	return killed, nil
}
