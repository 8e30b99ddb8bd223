package plan_test

import (
	crand "crypto/rand"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2"
	"golang.org/x/tools/txtar"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/render"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/plan"
)

// TestLoop plays random rounds on a real API server. A round makes up a
// configuration and applies it; then it changes live objects as others would
// and the configuration as its authors would, plans, applies and plans again,
// some times over. What must hold:
//
//   - a plan only reads, and shows no secret,
//   - it refuses nothing but what others did to the objects,
//   - a saved plan is the one that is recreated,
//   - what it says comes true,
//   - the plan after an apply is empty.
//
// In most rounds others are at work: admission policies, webhooks, quotas and limits,
// which others or the configuration make, tools that deployed some of the objects
// before, a user who is the administrator of a namespace only. The seeds of these
// rounds end in +.
//
// It plays every second round of testdata/loop/seeds.txt, of which each once found
// a fault. With KPLAN_LOOP it plays all of them, and then others for that long, as
// in 1h. KPLAN_LOOP_SEED plays the round of that seed alone.
func TestLoop(t *testing.T) {
	kubeconfig := os.Getenv("KPLAN_TEST_KUBECONFIG")
	if kubeconfig == "" {
		if os.Getenv("KPLAN_TEST_REQUIRE_CLUSTER") != "" {
			t.Fatal("KPLAN_TEST_REQUIRE_CLUSTER is set and there is no cluster to test with")
		}
		t.Skip("KPLAN_TEST_KUBECONFIG is not set: make test starts a control plane and sets it")
	}
	l := &loop{catalogues: map[bool]*catalogue{}, kubeconfig: kubeconfig, hooks: serveWebhooks(t), base: randomSeed()}
	for _, others := range []bool{false, true} {
		var err error
		if l.catalogues[others], err = readCatalogue(others); err != nil {
			t.Fatal(err)
		}
	}
	if text := os.Getenv("KPLAN_LOOP_SEED"); text != "" {
		l.play(t, parseSeed(t, text))
		return
	}
	if text := os.Getenv("KPLAN_LOOP"); text != "" {
		length, err := time.ParseDuration(text)
		if err != nil {
			t.Fatal(err)
		}
		l.deadline = time.Now().Add(length)
		t.Logf("random seed %016x", l.base)
		t.Run("known", func(t *testing.T) { l.playKnown(t, knownSeeds(t)) })
		t.Run("rounds", l.playAll)
		t.Logf("%d rounds, %d failures", l.rounds.Load(), l.failures.Load())
		return
	}
	t.Parallel()
	var half []seed // CI has no time for more
	for i, seed := range knownSeeds(t) {
		if i%2 == 0 {
			half = append(half, seed)
		}
	}
	l.playKnown(t, half)
}

func (l *loop) playKnown(t *testing.T, seeds []seed) {
	for _, seed := range seeds {
		t.Run(seed.String(), func(t *testing.T) {
			t.Parallel()
			l.play(t, seed)
		})
	}
}

// seed says all that happens in a round.
type seed struct {
	number uint64
	others bool // are at work
}

func (s seed) String() string {
	return fmt.Sprintf("%016x", s.number) + map[bool]string{true: "+"}[s.others]
}

func parseSeed(t *testing.T, text string) seed {
	digits, others := strings.CutSuffix(text, "+")
	number, err := strconv.ParseUint(digits, 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	return seed{number, others}
}

// knownSeeds are the seeds of testdata/loop/seeds.txt.
func knownSeeds(t *testing.T) (seeds []seed) {
	text, err := os.ReadFile("testdata/loop/seeds.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if word, _, _ := strings.Cut(line, " "); word != "#" {
			seeds = append(seeds, parseSeed(t, word))
		}
	}
	return seeds
}

// fewRounds is how many rounds a loop has at least.
const fewRounds = 20

type loop struct {
	catalogues       map[bool]*catalogue // with others at work, and without
	hooks            webhooks
	kubeconfig       string
	base             uint64
	deadline         time.Time
	rounds, failures atomic.Int64
}

func randomSeed() uint64 {
	var b [8]byte
	crand.Read(b[:])
	return binary.BigEndian.Uint64(b[:])
}

// playAll plays as many rounds at once as there are processors.
func (l *loop) playAll(t *testing.T) {
	for worker := range runtime.GOMAXPROCS(0) {
		t.Run(strconv.Itoa(worker), func(t *testing.T) {
			t.Parallel()
			for {
				n := l.rounds.Add(1) - 1
				if n >= fewRounds && time.Now().After(l.deadline) {
					l.rounds.Add(-1)
					return
				}
				l.play(t, seed{rand.NewPCG(l.base, uint64(n)).Uint64(), n%5 > 0})
			}
		})
	}
}

func (l *loop) play(t *testing.T, seed seed) {
	ok := t.Run(seed.String(), func(t *testing.T) {
		s := newSituation(t, fmt.Sprintf("loop-%016x", seed.number), l.kubeconfig, &txtar.Archive{})
		random := rand.New(rand.NewPCG(seed.number, 0))
		r := &round{situation: s, desired: newDesired(l.catalogues[seed.others], random, s.namespace, l.hooks),
			touched: map[addrs.Object]bool{}}
		t.Cleanup(r.end)
		r.play()
	})
	if !ok {
		l.failures.Add(1)
	}
}

// round is one configuration and what becomes of it.
type round struct {
	*situation
	*desired
	plans   int                   // made so far
	tamed   []*standing           // rules that were in the way
	touched map[addrs.Object]bool // by others, by identity
	forced  map[*made]bool        // made to force what the last plan was refused for
	looks   bool                  // there is a user who may change nothing
	story   []string

	// Of rounds in which others are at work:
	isThere  bool              // the namespace is
	owner    *kube.Cluster     // the connection of a user who may not do everything
	reported map[string]string // what the last apply reported to be other than planned, by address
}

func (r *round) tell(format string, args ...any) {
	r.story = append(r.story, fmt.Sprintf(format, args...))
}

// end logs everything that led to a failure, and removes what the round leaves in no
// namespace.
func (r *round) end() {
	if !r.Failed() {
		return
	}
	name := r.Name()
	r.Logf("KPLAN_LOOP_SEED=%s plays it again:\n%s", name[strings.LastIndexByte(name, '/')+1:], strings.Join(r.story, "\n"))
	r.kubectl("delete clusterrole,clusterrolebinding,crd,pv,priorityclass,storageclass,ingressclass,runtimeclass,csidriver," +
		"validatingadmissionpolicy,validatingadmissionpolicybinding,mutatingadmissionpolicy,mutatingadmissionpolicybinding," +
		"validatingwebhookconfiguration,mutatingwebhookconfiguration,flowschema," +
		"prioritylevelconfiguration,volumeattributesclass,deviceclass -l " + addrs.StackLabel + "=" + r.state.StackID() +
		" --ignore-not-found --wait=false")
}

func (r *round) play() {
	if !r.declared {
		r.kubectl("create namespace " + r.namespace)
	}
	if r.isOthers() {
		r.others()
	}
	r.converge()
	for range 2 + r.IntN(3) {
		for range 1 + r.IntN(4) {
			r.step()
		}
		if r.isOthers() && r.IntN(4) == 0 {
			r.acknowledge()
		}
		r.converge()
	}
	r.destroy()
}

// step is one thing that happens between two applies.
func (r *round) step() {
	switch {
	case r.isOthers() && r.IntN(6) == 0:
		r.tell("%s", r.changeRules())
	case r.IntN(2) == 0:
		r.mutate()
	default:
		r.tell("%s", r.edit())
	}
}

// converge plans until nothing is refused, applies the plan, and plans again.
func (r *round) converge() {
	in := plan.Input{Cluster: r.actor()}
	for range waysOut {
		p, source := r.agree(&in)
		if r.IntN(3) == 0 {
			r.saveAndVerify(source, in)
		}
		if r.IntN(4) == 0 && !r.mutates() {
			r.serverSet(p, source, in)
		}
		if !r.carryOut(source, in, p) {
			continue
		}
		r.isThere = true
		r.cameTrue(p)
		for _, m := range r.resources {
			r.isAlone(m)
		}
		r.onlyRead(func() { r.mustBeEmpty(source, r.actor()) })
		if r.IntN(4) == 0 {
			r.mustBeEmpty(source, r.onlooker())
		}
		return
	}
	r.Fatal("applied again and again")
}

// onlooker is a connection of a user who may only look, a new one each time, since
// the round may have defined a kind.
func (r *round) onlooker() *kube.Cluster {
	if r.looks {
		return r.connectAsReader()
	}
	r.looks = true
	return r.reader()
}

func (r *round) mustBeEmpty(source string, cluster *kube.Cluster) {
	p, diags := r.plan(source, plan.Input{Cluster: cluster})
	if rest := r.summary(p, diags); rest != "" || !p.IsEmpty() {
		r.Fatalf("the plan after the apply is not empty:\n%s\n%s\n%v", rest, changed(p), diags)
	}
}

// changed shows a plan that was to be empty.
func changed(p *plan.Plan) string {
	var shown strings.Builder
	if p != nil {
		render.Plan(&shown, p, render.Options{})
	}
	return shown.String()
}

// waysOut is how many refusals in a row are answered.
const waysOut = 10

func (r *round) agree(in *plan.Input) (p *plan.Plan, source string) {
	for range waysOut {
		r.plans++
		var diags hcl.Diagnostics
		source = r.source()
		r.tell("plan of:\n%s", source)
		r.onlyRead(func() { p, diags = r.plan(source, *in) })
		r.tell("planned:\n%s", r.summary(p, diags))
		if p == nil {
			r.Fatalf("there is no plan: %v", diags)
		}
		r.keepsSecrets(p)
		if !diags.HasErrors() {
			return p, source
		}
		r.forced = map[*made]bool{}
		for _, d := range diags {
			if d.Severity == hcl.DiagError {
				r.wayOut(d, p, in, source)
			}
		}
	}
	r.Fatal("refused again and again")
	return nil, ""
}

var (
	advice  = regexp.MustCompile(`-(adopt|allow-data-loss|replace)='([^']+)'`)
	manager = regexp.MustCompile(`is managed by "([^"]+)"`)
	subject = regexp.MustCompile(`Could not [^()]+ \(([A-Z][^ ]+\.[^ ]+)\): `)
)

// wayOut follows the advice of a refusal, which must be about what others did.
func (r *round) wayOut(d *hcl.Diagnostic, p *plan.Plan, in *plan.Input, source string) {
	r.tell("refused: %s: %s", d.Summary, d.Detail)
	if r.yields(d.Detail, nil) || r.givesUp(d, source) {
		return
	}
	if advised := advice.FindAllStringSubmatch(d.Detail, -1); advised != nil {
		for _, found := range advised {
			r.followAdvice(found[1], found[2], in)
		}
		return
	}
	for _, c := range p.Changes {
		if c.Blocked && strings.Contains(d.Detail, c.Object.String()) && r.unblock(c, d) {
			return
		}
	}
	if found := subject.FindStringSubmatch(d.Detail); found != nil {
		addr := r.instance(found[1])
		if entry, ok := r.state.Find(addr); ok && r.touched[entry.Object.Identity()] && !slices.Contains(in.Replace, addr) {
			in.Replace = append(in.Replace, addr)
			return
		}
	}
	r.Fatalf("an unexpected refusal: %s: %s", d.Summary, d.Detail)
}

func (r *round) followAdvice(option, address string, in *plan.Input) {
	addr := r.instance(address)
	switch option {
	case "allow-data-loss":
		in.AllowDataLoss = append(in.AllowDataLoss, addr)
		return
	case "replace":
		in.Replace = append(in.Replace, addr)
		return
	}
	if entry, ok := r.state.Find(addr); ok && !r.touched[entry.Object.Identity()] {
		r.Fatalf("%s is refused as unmanaged, and nobody has touched it", addr)
	}
	in.Adopt = append(in.Adopt, addr)
}

// unrecorded is who the server says has set fields of which it has no record.
const unrecorded = "before-first-apply"

// unblock makes way for a change that was refused for what is in the cluster.
func (r *round) unblock(c *plan.Change, d *hcl.Diagnostic) bool {
	m := r.desiredFor(c.Addr)
	switch {
	case !r.touched[c.Object.Identity()]:
		r.Fatalf("%s is refused, and nobody has touched it: %s", c.Addr, d.Detail)
	case d.Summary == "Adoption would replace the object":
		return r.kubectlOn(c.Object, nil, "delete", "--wait=true", "--grace-period=0", "--force")
	case m != nil && (!m.forces || r.forced[m]):
		found := manager.FindStringSubmatch(d.Detail)
		m.forces, r.forced[m] = true, true
		return found != nil && (found[1] == unrecorded || r.manages(found[1], c.Object))
	}
	return false
}

func (r *round) instance(text string) addrs.Instance {
	addr, err := addrs.ParseInstance(text)
	if err != nil {
		r.Fatal(err)
	}
	return addr
}

// destroy removes everything. What others put there goes with it.
func (r *round) destroy() {
	in := plan.Input{Cluster: r.actor(), Mode: plan.Destroy}
	for _, o := range r.state.Objects {
		in.AllowDataLoss = append(in.AllowDataLoss, o.Addr)
	}
	source := r.source()
	p, diags := r.plan(source, in)
	if diags.HasErrors() {
		r.Fatalf("nothing can be destroyed: %v", diags)
	}
	r.tell("destroy:\n%s", r.summary(p, diags))
	r.apply(source, in, p)
	r.cameTrue(p)
	if len(r.state.Objects) > 0 {
		r.Fatalf("destroyed, but the state has %v", r.state.Objects)
	}
}
