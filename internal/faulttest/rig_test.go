//go:build unix

package faulttest_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/faulttest"
	"kplan.dev/kplan/state"
)

var (
	torture = flag.Bool("torture", false, "run the tests in full size: hours, where otherwise it is minutes")
	seed    = flag.Uint64("seed", 1, "what random choices come from")
	count   = flag.Int("count-of", 0, "how many random trials, instead of the number that goes with the size")
	replay  = flag.String("replay", "", "a file with a trial that failed, to be played again instead of random ones")
)

// sized is the number of trials: for every change, or in full.
func sized(small, full int) int {
	switch {
	case *count > 0:
		return *count
	case *torture:
		return full
	}
	return small
}

// rig is what all tests share: programs, and the cluster with its audit log.
type rig struct {
	kubeconfig string
	cluster    faulttest.Cluster
	program    faulttest.Program
	prefix     string // of the namespaces of this run
	trials     atomic.Int64
}

var (
	shared     *rig
	sharedOnce sync.Once
	sharedErr  error
	directory  string
	auditFrom  int64
	audited    = os.Getenv("KPLAN_TEST_AUDIT_LOG")
)

func TestMain(m *testing.M) {
	flag.Parse()
	var err error
	if directory, err = os.MkdirTemp("", "kplan-faulttest-"); err != nil {
		panic(err)
	}
	if info, err := os.Stat(audited); err == nil {
		auditFrom = info.Size()
	}
	code := m.Run()
	if shared != nil && sharedErr == nil {
		code = max(code, shared.audit())
	}
	os.RemoveAll(directory)
	os.Exit(code)
}

// audit checks everything that the tests made kplan send.
func (r *rig) audit() int {
	if audited == "" {
		return 0
	}
	time.Sleep(300 * time.Millisecond) // the log is written in batches
	a, err := faulttest.ReadAudit(audited, auditFrom, r.prefix)
	if err != nil {
		fmt.Println("reading the audit log:", err)
		return 1
	}
	fmt.Printf("audit: %d mutations, %d of them of objects of others, "+
		"%d requests without a guard\n", a.Mutations, a.Unmanaged, len(a.Unguarded))
	for i, u := range a.Unguarded {
		if i < 20 {
			fmt.Println("without a guard:", u)
		}
	}
	if a.Unmanaged+len(a.Unguarded) > 0 {
		return 1
	}
	return 0
}

// newRig skips the test where there is no cluster.
func newRig(t *testing.T) *rig {
	t.Helper()
	kubeconfig := os.Getenv("KPLAN_TEST_KUBECONFIG")
	if kubeconfig == "" {
		if os.Getenv("KPLAN_TEST_REQUIRE_CLUSTER") != "" {
			t.Fatal("KPLAN_TEST_REQUIRE_CLUSTER is set and there is no cluster to test with")
		}
		t.Skip("KPLAN_TEST_KUBECONFIG is not set: make test starts a control plane and sets it")
	}
	sharedOnce.Do(func() {
		shared = &rig{kubeconfig: kubeconfig, prefix: fmt.Sprintf("ft%d-", os.Getpid())}
		if shared.cluster, sharedErr = faulttest.Connect(kubeconfig); sharedErr == nil {
			// The failpoints cost nothing where no environment asks for them.
			shared.program, sharedErr = faulttest.Build(directory, "kplan_fp")
		}
	})
	if sharedErr != nil {
		t.Fatal(sharedErr)
	}
	return shared
}

// trial is a stack in a directory and a namespace of its own, whose kplan uses a proxy of
// its own.
type trial struct {
	*testing.T
	*rig
	namespace  string
	directory  string
	proxy      *faulttest.Proxy
	bystanders string
	uids       []string // of objects that move
}

func (r *rig) newTrial(t *testing.T) *trial {
	t.Helper()
	x := &trial{T: t, rig: r, directory: t.TempDir(), namespace: fmt.Sprintf("%s%d", r.prefix, r.trials.Add(1))}
	x.must(r.cluster.MakeNamespace(x.ctx(), x.namespace))
	t.Cleanup(func() {
		if err := r.cluster.DropNamespace(context.Background(), x.namespace); err != nil && !apierrors.IsNotFound(err) {
			t.Error(err)
		}
	})
	var err error
	x.proxy, err = faulttest.NewProxy(r.kubeconfig, filepath.Join(x.directory, "kubeconfig"))
	x.must(err)
	t.Cleanup(x.proxy.Close)
	x.bystanders = x.describeBystanders()
	return x
}

func (x *trial) ctx() context.Context { return context.Background() }

func (x *trial) must(err error) {
	x.Helper()
	if err != nil {
		x.Fatal(err)
	}
}

// write writes the stack as the configuration.
func (x *trial) write(s faulttest.Stack) { x.writeHCL(s.HCL(x.namespace)) }

func (x *trial) writeHCL(text string) {
	x.Helper()
	x.must(os.WriteFile(filepath.Join(x.directory, "main.kplan.hcl"), []byte(text), 0o600))
}

// appendHCL adds to the configuration.
func (x *trial) appendHCL(text string) {
	x.Helper()
	path := filepath.Join(x.directory, "main.kplan.hcl")
	written, err := os.ReadFile(path)
	x.must(err)
	x.must(os.WriteFile(path, append(written, text...), 0o600))
}

func (x *trial) start(env []string, args ...string) *faulttest.Process {
	x.Helper()
	process, err := x.program.Start(x.directory, append([]string{"KUBECONFIG=" + x.proxy.Kubeconfig}, env...), args...)
	x.must(err)
	x.proxy.Attach(process.Process)
	return process
}

func (x *trial) end(p *faulttest.Process) faulttest.Run {
	x.Helper()
	run, err := p.End()
	x.must(err)
	x.proxy.Attach(nil)
	return run
}

// kplan runs a command through the proxy as it is armed.
func (x *trial) kplan(args ...string) faulttest.Run {
	x.Helper()
	return x.end(x.start(nil, args...))
}

// apply runs an apply without waiting for pods.
func (x *trial) apply(env ...string) faulttest.Run {
	x.Helper()
	return x.end(x.start(env, "apply", "-auto-approve", "-wait-timeout=30s"))
}

// mustApply runs one without faults.
func (x *trial) mustApply() {
	x.Helper()
	x.proxy.Arm()
	if run := x.apply(); run.Code != 0 {
		x.Fatalf("with no faults: %v", run)
	}
}

// state reads the stored state, nil where there is none.
func (x *trial) state() *state.State {
	x.Helper()
	s, err := state.Open(filepath.Join(x.directory, "kplan.state.json")).Read(x.ctx())
	if errors.Is(err, state.ErrNotExist) {
		return nil
	}
	x.must(err)
	return s
}

// checkNoneLost makes sure that the state has every object that kplan has created.
func (x *trial) checkNoneLost() {
	x.Helper()
	objects, err := x.cluster.Objects(x.ctx(), x.namespace)
	x.must(err)
	s := x.state()
	for _, o := range objects {
		if id := o.GetLabels()[addrs.StackLabel]; id != "" && (s == nil || id != s.StackID() || !remembers(s, o)) {
			x.Errorf("%s %s is not in the state", o.GetKind(), o.GetName())
		}
	}
}

func remembers(s *state.State, o *unstructured.Unstructured) bool {
	owned := slices.ContainsFunc(s.Objects, func(known state.Object) bool { return known.UID == string(o.GetUID()) })
	return owned || slices.ContainsFunc(s.Pending, func(p state.Pending) bool {
		named := p.Object.Name == o.GetName() || p.Object.Name == "" && p.Addr.String() == o.GetAnnotations()[addrs.AddressAnnotation]
		return named && p.Object.Kind == o.GetKind()
	})
}

// checkBystanders makes sure that nobody changed the unmanaged objects.
func (x *trial) checkBystanders() {
	x.Helper()
	if now := x.describeBystanders(); now != x.bystanders {
		x.Errorf("unmanaged objects were changed:\n%s\nwere\n%s", now, x.bystanders)
	}
}

func (x *trial) describeBystanders() string {
	objects, err := x.cluster.Objects(x.ctx(), x.namespace)
	x.must(err)
	var lines []string
	for _, o := range objects {
		if o.GetName() == faulttest.Bystander {
			lines = append(lines, fmt.Sprint(o.GetKind(), o.GetUID(), o.GetResourceVersion()))
		}
	}
	return strings.Join(lines, "\n")
}

func (x *trial) dump() string {
	x.Helper()
	text, err := x.cluster.Dump(x.ctx(), x.namespace)
	x.must(err)
	return text
}

// checkConverges makes sure that, once the faults are over, one apply brings the cluster
// to the configured state, and leaves nothing to do.
func (x *trial) checkConverges(want string) {
	x.Helper()
	x.proxy.Arm()
	if run := x.apply(); run.Code != 0 {
		x.Fatalf("the run after the faults: %v", run)
	}
	if got := x.dump(); want != "" && got != want {
		x.Errorf("the cluster differs from one without faults:\n%s", differing(want, got))
	}
	if run := x.kplan("plan", "-detailed-exitcode"); run.Code != 0 {
		x.Errorf("there is something left to do: %v", run)
	}
	if s := x.state(); s != nil && len(s.Pending) > 0 {
		x.Errorf("after a run without faults %d actions are pending", len(s.Pending))
	}
	x.checkNoneLost()
	x.checkNothingMissing()
	x.checkBystanders()
}

// checkNothingMissing makes sure that every object in the state exists.
func (x *trial) checkNothingMissing() {
	x.Helper()
	objects, err := x.cluster.Objects(x.ctx(), x.namespace)
	x.must(err)
	there := map[string]bool{}
	for _, o := range objects {
		there[string(o.GetUID())] = true
	}
	if s := x.state(); s != nil {
		for _, o := range s.Objects {
			if !there[o.UID] {
				x.Errorf("the state has %s, which does not exist", o.Object)
			}
		}
	}
}

// differing are the lines of two dumps that only one has.
func differing(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	var out []string
	for _, line := range a {
		if !slices.Contains(b, line) {
			out = append(out, "- "+line)
		}
	}
	for _, line := range b {
		if !slices.Contains(a, line) {
			out = append(out, "+ "+line)
		}
	}
	return strings.Join(out, "\n")
}

// What somebody else does to the trial's objects.

func (x *trial) get(resource, name string) *unstructured.Unstructured {
	x.Helper()
	o, err := x.cluster.In(x.namespace, resource).Get(x.ctx(), name, metav1.GetOptions{})
	x.must(err)
	return o
}

func (x *trial) create(resource string, o *unstructured.Unstructured) {
	x.Helper()
	_, err := x.cluster.In(x.namespace, resource).Create(x.ctx(), o, metav1.CreateOptions{})
	x.must(err)
}

func (x *trial) deleteObject(resource, name string) {
	x.Helper()
	x.must(x.cluster.In(x.namespace, resource).Delete(x.ctx(), name, metav1.DeleteOptions{}))
}

func (x *trial) patch(resource, name, patch string) {
	x.Helper()
	_, err := x.cluster.In(x.namespace, resource).Patch(x.ctx(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	x.must(err)
}

// printed is a value as JSON.
func printed(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}
