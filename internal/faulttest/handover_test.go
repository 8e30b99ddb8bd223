//go:build unix

package faulttest_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/faulttest"
	"kplan.dev/kplan/state"
)

// TestMoveKilled kills a move to another stack at each call, and at each durable step of the two states' writes. Each object is in
// one of the states then, and the command, repeated, leaves two stacks that have nothing to do.
func TestMoveKilled(t *testing.T) {
	r := newRig(t)
	x := r.newTrial(t)
	x.setUpMove()
	x.proxy.Arm()
	x.mustMove()
	calls := len(x.proxy.Calls())
	x.checkMoved()
	var points []killPoint
	for n := 1; n <= calls; n++ {
		for _, when := range []faulttest.When{faulttest.Before, faulttest.After, faulttest.Replied} {
			points = append(points, killPoint{fault: faulttest.Fault{Nth: n, When: when, Do: faulttest.Kill}})
		}
	}
	for _, name := range failpoints(t) {
		for nth := 1; nth <= 2; nth++ { // the one state, and the other
			points = append(points, killPoint{failpoint: fmt.Sprintf("%s:kill:%d", name, nth)})
		}
	}
	rng := rand.New(rand.NewPCG(*seed, 0))
	rng.Shuffle(len(points), func(i, j int) { points[i], points[j] = points[j], points[i] })
	points = points[:min(len(points), sized(24, len(points)))]
	var killed atomic.Int64
	t.Run("at", func(t *testing.T) {
		for _, p := range points {
			t.Run(p.String(), func(t *testing.T) { r.killMove(t, &killed, p) })
		}
	})
	t.Logf("seed %d: %d calls, %d points, %d kills", *seed, calls, len(points), killed.Load())
	if int(killed.Load()) < len(points)/2 {
		t.Error("too few kills")
	}
}

// killPoint is where a run is killed: at a call, or at a failpoint of the state.
type killPoint struct {
	fault     faulttest.Fault
	failpoint string
}

func (p killPoint) String() string {
	if p.failpoint != "" {
		return p.failpoint
	}
	return p.fault.String()
}

func (r *rig) killMove(t *testing.T, killed *atomic.Int64, at killPoint) {
	t.Parallel()
	x := r.newTrial(t)
	x.setUpMove()
	var env []string
	if at.failpoint == "" {
		x.proxy.Arm(at.fault)
	} else {
		x.proxy.Arm()
		env = []string{"KPLAN_FAILPOINT=" + at.failpoint}
	}
	run := x.move(env...)
	x.proxy.Arm()
	switch {
	case run.Signal == syscall.SIGKILL:
		killed.Add(1)
	case run.Code != 0:
		x.Fatalf("not killed: %v", run)
	}
	from, to := x.state(), x.stateIn("other")
	for _, o := range x.moving() {
		if !knows(from, o.uid) && !knows(to, o.uid) {
			x.Errorf("%s is in neither state", o.name)
		}
	}
	if run := x.move(); run.Code != 0 && !strings.Contains(run.Stderr, "it may have been") {
		x.Fatalf("the command, repeated: %v", run)
	}
	x.checkMoved()
}

// setUpMove makes a stack with four objects that move, and the configurations of both stacks as they are to be then.
func (x *trial) setUpMove() {
	x.Helper()
	moving := fmt.Sprintf(`
resource "ConfigMap" "m" {
  count = 4
  metadata {
    name      = "m${count.index}"
    namespace = %q
  }
}
`, x.namespace)
	stays := faulttest.Stack{{Kind: "ConfigMap", Name: "stays"}}.HCL(x.namespace)
	x.writeHCL(stays + moving)
	x.mustApply()
	x.must(os.Mkdir(filepath.Join(x.directory, "other"), 0o700))
	x.must(os.WriteFile(filepath.Join(x.directory, "other", "main.kplan.hcl"), []byte(moving), 0o600))
	x.writeHCL(stays)
	for _, o := range x.moving() {
		x.uids = append(x.uids, o.uid)
	}
}

type movingObject struct{ name, uid, stack string }

func (x *trial) moving() (all []movingObject) {
	x.Helper()
	for i := range 4 {
		name := fmt.Sprint("m", i)
		o, err := x.cluster.In(x.namespace, "configmaps").Get(x.ctx(), name, metav1.GetOptions{})
		x.must(err)
		all = append(all, movingObject{name, string(o.GetUID()), o.GetLabels()[addrs.StackLabel]})
	}
	return all
}

func (x *trial) move(env ...string) faulttest.Run {
	x.Helper()
	return x.end(x.start(env, "state", "mv", "-to=other", "-auto-approve", "ConfigMap.m"))
}

func (x *trial) mustMove() {
	x.Helper()
	if run := x.move(); run.Code != 0 {
		x.Fatal(run)
	}
}

func (x *trial) stateIn(directory string) *state.State {
	s, err := state.Open(filepath.Join(x.directory, directory, "kplan.state.json")).Read(x.ctx())
	if err != nil {
		return nil
	}
	return s
}

func knows(s *state.State, uid string) bool {
	return s != nil && slices.ContainsFunc(s.Objects, func(o state.Object) bool { return o.UID == uid })
}

// checkMoved makes sure that the other stack has the very objects, that this one does not, and that both have nothing to do.
func (x *trial) checkMoved() {
	x.Helper()
	from, to := x.state(), x.stateIn("other")
	for i, o := range x.moving() {
		if knows(from, o.uid) || !knows(to, o.uid) || o.stack != to.StackID() || o.uid != x.uids[i] {
			x.Errorf("%+v was not moved", o)
		}
	}
	for _, chdir := range []string{".", "other"} {
		if run := x.kplan("-chdir="+chdir, "plan", "-detailed-exitcode"); run.Code != 0 {
			x.Errorf("there is something left to do: %v", run)
		}
	}
}
