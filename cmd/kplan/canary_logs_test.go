package main

import (
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"kplan.dev/kplan/internal/redact"
)

// spoken are logs of containers that are full of secrets, by the name of the container.
func spoken(secrets []string) map[string]string {
	each := func(spell func(secret string) string) string {
		var b strings.Builder
		for _, secret := range secrets {
			fmt.Fprintf(&b, "level=error msg=%s\n", spell(secret))
		}
		return b.String()
	}
	inBase64 := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	inJSON := func(text string) string {
		quoted, _ := json.Marshal(map[string]string{"password": text})
		return string(quoted)
	}
	wrapped := func(width int, text string) string {
		var b strings.Builder
		for i := 0; i < len(text); i += width {
			b.WriteString(text[i:min(i+width, len(text))] + "\n")
		}
		return b.String()
	}
	long := strings.Repeat("0123456789", 30) + core("env_var")
	return map[string]string{
		"plain":    each(func(s string) string { return s }),
		"quoted":   each(strconv.Quote),
		"json":     each(inJSON),
		"nested":   each(func(s string) string { return strconv.Quote(inJSON(s)) }),
		"base64":   each(inBase64),
		"inside":   each(func(s string) string { return inBase64("user:" + s + ":x") }),
		"hex":      each(func(s string) string { return hex.EncodeToString([]byte(s)) }),
		"url":      each(func(s string) string { return "https://example.com/?q=" + url.QueryEscape(s) + "#" + url.PathEscape(s) }),
		"wrapped":  each(func(s string) string { return "\n" + wrapped(9, s) }),
		"mime":     each(func(s string) string { return "\r\n" + strings.ReplaceAll(wrapped(16, inBase64("p="+s)), "\n", "\r\n") }),
		"trace":    "panic: " + core("env_var") + "\n\ngoroutine 1 [running]:\nmain.main()\n\t/src/" + core("file_var") + ".go:12 +0x1d\n",
		"colored":  each(func(s string) string { return "\x1b[31m" + s[:3] + "\x1b[0m\x1b[1m" + s[3:] + "\x1b[0m" }),
		"binary":   "\x00\x01\xff\xfe\x1b]0;title\a\x1b[2J\x1b[1;1H" + each(func(s string) string { return "\x1b[?1049h\r" + s + "\x9b2K" }),
		"cut":      core("env_var")[4:] + " and\n" + core("file_var")[:len(core("file_var"))-3],
		"midst":    inBase64(core("env_var"))[8:20],
		"huge":     strings.Repeat(core("env_var")+" "+inBase64(core("file_var")+"\x00\x00\x00")+" ", 10<<20/80),
		"long":     strings.Repeat(core("env_var"), 256<<10/len(core("env_var"))+1),
		"lines":    strings.Repeat("x"+core("env_var")+"\n", 10<<20/40),
		"innocent": "listening on :8080\n" + long[:40] + "\n",
	}
}

// kubelet plays the one of a node that has these logs, and never minds how much of them it is asked for. Some
// containers have run only once: there is no previous log.
type kubelet struct {
	logs  map[string]string
	mu    sync.Mutex
	asked map[string]bool
}

func (k *kubelet) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	container := filepath.Base(r.URL.Path)
	if r.URL.Query().Get("previous") == "true" && len(container)%2 == 0 {
		http.Error(w, "previous terminated container "+core("env_var")+" not found", http.StatusBadRequest)
		return
	}
	k.mu.Lock()
	k.asked[container] = true
	k.mu.Unlock()
	_, _ = w.Write([]byte(k.logs[container]))
}

// newKubelet starts one, and registers its node, to which the scheduler sends nobody.
func (c *cage) newKubelet(kubeconfig, node string, logs map[string]string) *kubelet {
	pki := filepath.Join(filepath.Dir(kubeconfig), "pki") // of the sandbox, whose API server verifies a kubelet's certificate
	pair, err := tls.LoadX509KeyPair(filepath.Join(pki, "serving.crt"), filepath.Join(pki, "serving.key"))
	if err != nil {
		c.Skipf("the logs of containers need a control plane of kplan-sandbox: %v", err)
	}
	k := &kubelet{logs: logs, asked: map[string]bool{}}
	server := httptest.NewUnstartedServer(k)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	server.StartTLS()
	c.Cleanup(server.Close)

	port := server.Listener.Addr().(*net.TCPAddr).Port
	manifest := filepath.Join(c.TempDir(), "node.json")
	text := fmt.Sprintf(`{"apiVersion": "v1", "kind": "Node", "metadata": {"name": %q}, "spec": {"unschedulable": true}}`, node)
	if err := os.WriteFile(manifest, []byte(text), 0o600); err != nil {
		c.Fatal(err)
	}
	c.kubectl("apply", "-f", manifest)
	c.Cleanup(func() { c.kubectl("delete", "node", node, "--wait=false") })
	c.kubectl("patch", "node", node, "--subresource=status", "--type=merge", "-p", fmt.Sprintf(`{"status": {
		"addresses": [{"type": "InternalIP", "address": "127.0.0.1"}], "daemonEndpoints": {"kubeletEndpoint": {"Port": %d}}}}`, port))
	return k
}

const canaryPods = `
resource "Pod" "crashes" {
  for_each = toset([CONTAINERS])
  metadata {
    name      = "crashes-${each.key}"
    namespace = Namespace.a.metadata.name
  }
  spec {
    nodeName = "NODE"
    containers {
      name  = each.key
      image = "kplan.test/crashes"
    }
  }
}
resource "Pod" "ended" {
  metadata {
    name      = "ended"
    namespace = Namespace.a.metadata.name
  }
  spec {
    nodeName      = "NODE"
    restartPolicy = "Never"
    containers {
      name  = "midst"
      image = "kplan.test/crashes"
    }
  }
}
`

// podsFail has an apply fail over pods whose logs, messages and events hold secrets.
func (c *cage) podsFail(kubeconfig string) {
	var secrets []string
	known := canaries() // what objects have; other canaries stand in mistakes, or are seen by nobody but functions
	for _, name := range slices.Sorted(maps.Keys(known)) {
		secrets = append(secrets, known[name])
	}
	logs := spoken(secrets)
	node := fmt.Sprintf("t%d-canaries", os.Getpid())
	kubelet := c.newKubelet(kubeconfig, node, logs)
	containers := `"` + strings.Join(slices.Sorted(maps.Keys(logs)), `", "`) + `"`
	c.write("logs.kplan.hcl", strings.NewReplacer("CONTAINERS", containers, "NODE", node).Replace(canaryPods))
	c.run(0, "apply", "-auto-approve", "-wait=false")
	c.kubectl("wait", "pod/ended", "--for=jsonpath={.status.phase}=Failed", "--timeout=20s")
	message, _ := json.Marshal(core("env_var")[5:] + "\n" + logs["mime"][:2000] + core("file_var")[:15])
	c.kubectl("patch", "pod", "ended", "--subresource=status", "--type=strategic", "-p", fmt.Sprintf(
		`{"status": {"containerStatuses": [{"name": "midst", "state": {"terminated": {"exitCode": 1, "message": %s}}}]}}`, message))
	c.kubectl("create", "-f", c.event(logs["json"][:600]+core("env_var")[:20]))

	for _, args := range [][]string{{"apply", "-auto-approve", "-wait-timeout=1s"}, {"apply", "-auto-approve", "-wait-timeout=1s", "-json"}} {
		out := c.run(1, args...)
		c.checkLogs(out, logs)
	}
	for container := range logs {
		if !kubelet.asked[container] {
			c.Errorf("nobody has asked for the log of %s", container)
		}
	}
	c.remove("logs.kplan.hcl")
	c.run(0, "apply", "-auto-approve", "-wait=false")
}

// event writes one about the pod that has ended.
func (c *cage) event(message string) string {
	namespace := fmt.Sprintf("t%d-canaries", os.Getpid())
	cmd := exec.Command("kubectl", "-n", namespace, "get", "pod", "ended", "-o", "jsonpath={.metadata.uid}")
	cmd.Env = c.env
	uid, err := cmd.Output()
	if err != nil {
		c.Fatal(err)
	}
	event, _ := json.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "Event", "metadata": map[string]any{"name": "ended"},
		"type": "Warning", "reason": "Unhealthy", "message": message,
		"involvedObject": map[string]any{"apiVersion": "v1", "kind": "Pod", "name": "ended", "namespace": namespace, "uid": string(uid)},
	})
	file := filepath.Join(c.TempDir(), "event.json")
	if err := os.WriteFile(file, event, 0o600); err != nil {
		c.Fatal(err)
	}
	return file
}

// checkLogs checks that all of the logs are shown, none of them in full, and no half secrets either.
func (c *cage) checkLogs(out []byte, logs map[string]string) {
	c.Helper()
	for container := range logs {
		if !bytes.Contains(out, []byte("crashes-"+container)) {
			c.Errorf("the pod of %s is not shown", container)
		}
	}
	if shown := bytes.Count(out, []byte("log: ")); shown < len(logs) {
		c.Errorf("%d lines of logs are shown", shown)
	}
	for _, shown := range []string{redact.Mask, "listening on :8080", "event: Unhealthy"} {
		if !bytes.Contains(out, []byte(shown)) {
			c.Errorf("%q is not shown", shown)
		}
	}
	if i := bytes.IndexAny(out, "\x00\x07\x1b\r\x7f"); i >= 0 {
		c.Errorf("a control character is shown: %q", out[max(0, i-100):min(len(out), i+20)])
	}
	if len(out) > 1<<20 {
		c.Errorf("%d bytes are shown", len(out))
	}
	for name := range c.canaries {
		text := core(name)
		for _, half := range []string{text[:12], text[len(text)-12:]} {
			if bytes.Contains(out, []byte(half)) {
				c.Errorf("a part of %s is shown", name)
			}
		}
	}
	if c.Failed() {
		c.Fatalf("%.100000s", out)
	}
}
