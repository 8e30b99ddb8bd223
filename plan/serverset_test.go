package plan_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"golang.org/x/tools/txtar"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/plan"
)

// TestServerSetIsPredicted holds predictions against a real API server: for each kind of
// testdata/loop/kinds.yaml and each of its choices there is an object of every
// alternative, and from each it is planned to go to each other, by a user whom
// the server answers and by one who may only look. They must plan the same.
// What many kinds have in common is played with some of them.
func TestServerSetIsPredicted(t *testing.T) {
	kubeconfig := os.Getenv("KPLAN_TEST_KUBECONFIG")
	if kubeconfig == "" {
		if os.Getenv("KPLAN_TEST_REQUIRE_CLUSTER") != "" {
			t.Fatal("KPLAN_TEST_REQUIRE_CLUSTER is set and there is no cluster to test with")
		}
		t.Skip("KPLAN_TEST_KUBECONFIG is not set: make test starts a control plane and sets it")
	}
	catalogue, err := readCatalogue(false)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range catalogue.Kinds {
		name := fmt.Sprintf("%s-%d", strings.ToLower(s.Kind), i)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &serverSet{situation: newSituation(t, "server-set-"+name, kubeconfig, &txtar.Archive{})}
			f.kubectl("create namespace " + f.namespace)
			f.desired = &desired{catalogue: catalogue, Rand: rand.New(rand.NewPCG(1, 1)), space: f.namespace}
			f.play(s)
		})
	}
}

// serverSet is a configuration that has an object of every alternative of every
// choice of a kind.
type serverSet struct {
	*situation
	*desired
	choices []int // of each resource, the choice it takes its alternative of
}

func (f *serverSet) play(s shape) {
	most := 0
	if s.Kind == "Deployment" {
		s.Base = merged(s.Base, map[string]any{"spec": map[string]any{"replicas": int64(0)}})
	}
	for choice, alternatives := range s.Choices {
		if choice < s.parts && !slices.Contains([]string{"ConfigMap", "Pod", "Deployment", "Job"}, s.Kind) {
			continue
		}
		most = max(most, len(alternatives))
		for pick := range len(alternatives) + 1 {
			m := &made{shape: s, block: fmt.Sprintf("c%d-%d", choice, pick), picks: make([]int, len(s.Choices)), forces: true}
			m.name = m.block
			if s.Cluster {
				m.name = "NS-" + m.name
			}
			f.resources, f.choices = append(f.resources, m), append(f.choices, choice)
		}
	}
	f.turn(0)
	f.mustApply(f.source(), plan.Input{})
	reader := f.reader()
	for by := range most {
		f.turn(by + 1)
		f.compare(reader)
	}
	f.turn(0)
	in := plan.Input{Cluster: f.cluster, Mode: plan.Destroy, AllowDataLoss: f.everything()}
	p, diags := f.plan(f.source(), in)
	if diags.HasErrors() {
		f.Fatal(diags)
	}
	f.apply(f.source(), in, p)
}

func (f *serverSet) everything() []addrs.Instance {
	var all []addrs.Instance
	for _, o := range f.state.Objects {
		all = append(all, o.Addr)
	}
	return all
}

// compare plans as both users, and once more if controllers may have changed
// objects between the two plans.
func (f *serverSet) compare(reader *kube.Cluster) {
	var problems []string
	for range 3 {
		in := plan.Input{Cluster: reader, AllowDataLoss: f.everything()}
		predicted, diags := f.plan(f.source(), in)
		if diags.HasErrors() {
			f.Errorf("refused, but not by the server: %v", diags)
		}
		in.Cluster = f.cluster
		computed, diags := f.plan(f.source(), in)
		for _, d := range diags {
			if d.Severity == hcl.DiagError {
				f.Logf("refused: %s: %s", d.Summary, d.Detail)
			}
		}
		if problems = append(misjudged(computed, predicted), admitted(computed)...); len(problems) == 0 {
			return
		}
	}
	for _, problem := range problems {
		f.Error(problem)
	}
}

// turn gives each object the alternative that is so many further, the last of
// which is none at all.
func (f *serverSet) turn(by int) {
	first := 0
	for i, m := range f.resources {
		choice := f.choices[i]
		if i > 0 && f.choices[i-1] != choice {
			first = i
		}
		n := len(m.Choices[choice]) + 1
		for c := range m.picks {
			m.picks[c] = -1
		}
		if pick := (i - first + by) % n; pick < n-1 {
			m.picks[choice] = pick
		}
	}
}

// admitted are the fields that seem to be set by admission, in a cluster that has none but
// the API server's own.
func admitted(p *plan.Plan) []string {
	var problems []string
	for _, c := range p.Changes {
		for _, d := range c.Admitted {
			problems = append(problems, fmt.Sprintf("%s of %s (%s): %s seems to be set by admission",
				c.Action, c.Addr, c.Object, d.Path))
		}
	}
	return problems
}

// misjudged are the changes that are predicted otherwise than the server has
// computed them.
func misjudged(computed, predicted *plan.Plan) []string {
	answers := map[addrs.Object]*plan.Change{}
	for _, c := range computed.Changes {
		answers[c.Object.Identity()] = c
	}
	var problems []string
	for _, c := range predicted.Changes {
		answer := answers[c.Object.Identity()]
		if answer == nil {
			continue // the server refuses what is desired
		}
		if answer.Action != c.Action {
			problems = append(problems, fmt.Sprintf("predicted for %s:\n%s\nand by the server:\n%s", c.Object,
				strings.Join(changeLines(c), "\n"), strings.Join(changeLines(answer), "\n")))
			continue
		}
		x := comparison{unknown: c.Unknown, predicted: true}
		x.lacks(c.Kind.Root, shown(c.After), shown(answer.After), addrs.Path{}, "predicted %s, computed %s")
		if len(x.found) > 0 {
			problems = append(problems, fmt.Sprintf("%s of %s (%s) is not predicted as the server computes it:\n%s", c.Action, c.Addr, c.Object,
				strings.Join(x.found, "\n")))
		}
	}
	return problems
}
