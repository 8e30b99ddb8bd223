package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// asProgram makes this test binary behave as kplan-sandbox, also when it starts itself again.
const asProgram = "KPLAN_SANDBOX_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// session is a sandbox as its user meets it.
type session struct {
	t   *testing.T
	dir string
	bin string // directory of the parts
}

func newSession(t *testing.T) *session {
	t.Helper()
	bin, err := filepath.Abs("../bin/sandbox")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(bin, apiServer)); err != nil {
		t.Fatalf("the parts are not built; run `make sandbox`: %v", err)
	}
	s := &session{t: t, dir: filepath.Join(t.TempDir(), "sandbox"), bin: bin}
	t.Cleanup(func() { s.try("down", "-purge") })
	return s
}

// try runs a command of kplan-sandbox and returns what it says and its exit code.
func (s *session) try(command string, args ...string) (string, int) {
	s.t.Helper()
	self, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.Command(self, append([]string{command, "-dir", s.dir}, args...)...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	return output(s.t, cmd)
}

// run is try for a command that must succeed.
func (s *session) run(command string, args ...string) string {
	s.t.Helper()
	out, code := s.try(command, args...)
	if code != 0 {
		s.t.Fatalf("%s: exit %d: %s", command, code, out)
	}
	return out
}

func (s *session) tryKubectl(stdin string, args ...string) (string, int) {
	s.t.Helper()
	cmd := exec.Command(filepath.Join(s.bin, "kubectl"), args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+filepath.Join(s.dir, "kubeconfig"))
	cmd.Stdin = strings.NewReader(stdin)
	return output(s.t, cmd)
}

func (s *session) kubectl(stdin string, args ...string) string {
	s.t.Helper()
	out, code := s.tryKubectl(stdin, args...)
	if code != 0 {
		s.t.Fatalf("kubectl %s: exit %d: %s", strings.Join(args, " "), code, out)
	}
	return out
}

func output(t *testing.T, cmd *exec.Cmd) (string, int) {
	t.Helper()
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

const replicationController = `
apiVersion: v1
kind: ReplicationController
metadata: {name: web}
spec:
  replicas: 3
  selector: {app: web}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: nginx}]}
`

func TestSandbox(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a control plane")
	}
	s := newSession(t)
	s.run("up", "-detach", "-bin", s.bin)

	t.Run("a second up changes nothing", func(t *testing.T) {
		if out := s.run("up"); !strings.Contains(out, "already running") {
			t.Error(out)
		}
	})
	t.Run("pods run", func(t *testing.T) {
		s.kubectl("", "create", "namespace", "acme")
		s.kubectl(replicationController, "apply", "-n", "acme", "-f", "-")
		s.kubectl("", "wait", "-n", "acme", "rc/web", "--for=jsonpath={.status.readyReplicas}=3", "--timeout=60s")
	})
	t.Run("pods fail as their image says", func(t *testing.T) {
		s.kubectl("", "run", "crashing", "-n", "acme", "--image=kplan.test/crashes")
		s.kubectl("", "wait", "-n", "acme", "pod/crashing", "--timeout=60s",
			"--for=jsonpath={.status.containerStatuses[0].state.waiting.reason}=CrashLoopBackOff")
		if out := s.kubectl("", "logs", "-n", "acme", "crashing"); !strings.Contains(out, "exit 1") {
			t.Error(out)
		}
	})
	t.Run("claims get volumes", func(t *testing.T) {
		s.kubectl(`{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data},
			spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}`, "apply", "-n", "acme", "-f", "-")
		s.kubectl("", "wait", "-n", "acme", "pvc/data", "--for=jsonpath={.status.phase}=Bound", "--timeout=60s")
	})
	t.Run("the audit log has who did what", func(t *testing.T) { checkAudit(t, filepath.Join(s.dir, "audit.log")) })
	t.Run("users have the rights they are given", func(t *testing.T) { checkUsers(t, s) })
	t.Run("deleted namespaces go", func(t *testing.T) {
		s.kubectl("", "delete", "namespace", "acme", "--timeout=60s")
	})
	t.Run("a crash is reported and repaired", func(t *testing.T) { checkCrash(t, s) })
	t.Run("down leaves nothing", func(t *testing.T) { checkDown(t, s) })
}

func checkAudit(t *testing.T, path string) {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	created := false
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var event struct {
			Level, Verb    string
			User           struct{ Username string }
			ObjectRef      struct{ Resource, Name string }
			ResponseObject json.RawMessage
		}
		if err := json.Unmarshal(lines.Bytes(), &event); err != nil {
			t.Fatal(err)
		}
		if event.User.Username == "system:kube-scheduler" || event.Level != "RequestResponse" {
			t.Fatalf("unexpected entry %s", lines.Bytes())
		}
		if event.Verb == "create" && event.ObjectRef.Resource == "namespaces" && event.ResponseObject != nil {
			created = true
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if !created {
		t.Error("no entry for the namespace that was created")
	}
}

func checkUsers(t *testing.T, s *session) {
	jane := filepath.Join(t.TempDir(), "jane")
	s.run("kubeconfig", "-user", "jane", "-group", "readers", "-o", jane)
	s.kubectl("", "create", "clusterrolebinding", "readers", "--clusterrole=view", "--group=readers")
	s.kubectl("", "--kubeconfig", jane, "get", "pods", "-n", "acme")
	if out, code := s.tryKubectl("", "--kubeconfig", jane, "delete", "rc", "web", "-n", "acme"); code == 0 {
		t.Errorf("a reader deletes: %s", out)
	}
	token, err := os.ReadFile(filepath.Join(s.dir, "token"))
	if err != nil {
		t.Fatal(err)
	}
	// A kubeconfig without a client certificate, which would go before the token.
	s.kubectl("", "config", "set-credentials", "token", "--kubeconfig", jane, "--token="+string(token))
	out := s.kubectl("", "--kubeconfig", jane, "--user", "token", "auth", "whoami")
	if !strings.Contains(out, tokenUser) {
		t.Error(out)
	}
}

func checkCrash(t *testing.T, s *session) {
	s.run("kill", etcd)
	out, code := s.try("status")
	if code != 1 || !strings.Contains(out, "sandbox degraded") || !strings.Contains(out, "crashed") {
		t.Errorf("status after a crash: exit %d: %s", code, out)
	}
	log, err := os.ReadFile(dir(s.dir).log("supervisor"))
	if err != nil || !strings.Contains(string(log), "etcd ended: signal: killed; the last lines of") {
		t.Errorf("supervisor says %q, %v", log, err)
	}
	s.run("restart", etcd)
	s.kubectl("", "wait", "--for=condition=Ready", "node", "--all", "--timeout=60s")
	s.run("status")
}

func checkDown(t *testing.T, s *session) {
	var status Status
	if err := json.Unmarshal([]byte(s.run("status", "-json")), &status); err != nil {
		t.Fatal(err)
	}
	s.run("down", "-purge")
	for _, p := range status.Parts {
		if p.alive() {
			t.Errorf("%s still runs", p.Name)
		}
	}
	if _, err := os.Stat(s.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("directory is still there: %v", err)
	}
}

func TestStartFailureIsExplained(t *testing.T) {
	s := newSession(t)
	broken := t.TempDir()
	for _, name := range partNames {
		script := "#!/bin/sh\necho this is not " + name + "; exit 3\n"
		if err := os.WriteFile(filepath.Join(broken, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	out, code := s.try("up", "-detach", "-bin", broken)
	if code != 1 || !strings.Contains(out, "ended: exit status 3") || !strings.Contains(out, "this is not") {
		t.Errorf("exit %d: %s", code, out)
	}
	if out, code := s.try("status"); code != 1 || !strings.Contains(out, "sandbox stopped") {
		t.Errorf("status: exit %d: %s", code, out)
	}
}
