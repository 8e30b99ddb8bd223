package plan_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"golang.org/x/tools/txtar"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/apply"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/internal/render"
	"kplan.dev/kplan/internal/schematest"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/kube/auth"
	"kplan.dev/kplan/plan"
	"kplan.dev/kplan/plan/impact"
	"kplan.dev/kplan/state"
)

// policyDelay is how long an API server may take until it applies a new admission
// policy: it looks for them once a second, and compiles them.
const policyDelay = 5 * time.Second

// TestSituations plays situations on a real API server. Each file of
// testdata/situations is one:
//
//	before.kplan.hcl  is applied first, if there is one
//	mutate            are kubectl commands by somebody else, one a line;
//	                  "serves KIND APIVERSION" waits until the cluster does
//	manifests.yaml    is applied by somebody else then
//	after.kplan.hcl   is planned; before.kplan.hcl if there is none
//	between           are kubectl commands between the plan and its apply
//	options           of the plan, one a line: target=ADDR, adopt=ADDR, destroy …
//	user              "reader": the plan is made by a user who may only get and list,
//	                  "reader RESOURCES" who may do so with these alone, "as NAME" by NAME,
//	                  who applies it, too
//	want              the changes that are planned, other than no-op ones, and
//	                  what they say; "error: Summary" for each error
//	why               of what predictions are made, "ADDR: words" a line
//	becomes           what a field is to be, "ADDR FIELD JSON" a line
//	says              words that a diagnostic contains
//	does not say      words that none contains
//	unmanaged         the fields that others have set, and by whom
//	warns             what the API server warns of in the plan, one a line, each
//	                  with the address that it is about
//	lints             the warnings about the configuration, "ADDR:LINE: Summary" a
//	                  line
//	apply says        how what the apply reports begins, "Summary: detail" a line; with
//	                  an error it is the end
//
// NS stands for a namespace of the situation's own, and secrets contain the word
// canary. A plan without errors is then saved, held against a plan recreated, and
// applied, and the plan after that must be empty. What machines can read of it
// must be as the schemas in docs say.
func TestSituations(t *testing.T) {
	kubeconfig := os.Getenv("KPLAN_TEST_KUBECONFIG")
	if kubeconfig == "" {
		if os.Getenv("KPLAN_TEST_REQUIRE_CLUSTER") != "" {
			t.Fatal("KPLAN_TEST_REQUIRE_CLUSTER is set and there is no cluster to test with")
		}
		t.Skip("KPLAN_TEST_KUBECONFIG is not set: make test starts a control plane and sets it")
	}
	files, err := filepath.Glob("testdata/situations/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no situations: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			newSituation(t, name, kubeconfig, archive).play()
		})
	}
}

// situation is a stack and a namespace of its own.
type situation struct {
	*testing.T
	files      map[string]string
	namespace  string
	kubeconfig string
	cluster    *kube.Cluster
	state      *state.State
	says       string // what the next apply reports, "" for anything but errors
	failed     bool   // what was applied, as the situation says
}

func newSituation(t *testing.T, name, kubeconfig string, archive *txtar.Archive) *situation {
	s := &situation{T: t, files: map[string]string{}, kubeconfig: kubeconfig, state: state.New()}
	s.namespace = fmt.Sprintf("s%d-%s", os.Getpid(), regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(name, "-"))
	for _, f := range archive.Files {
		s.files[f.Name] = strings.ReplaceAll(string(f.Data), "NS", s.namespace)
	}
	s.reconnect()
	t.Cleanup(s.cleanUp)
	return s
}

// reconnect makes a connection that has read nothing of the cluster yet.
func (s *situation) reconnect() {
	s.Helper()
	s.cluster = s.connect(kube.Options{Auth: auth.Options{ConfigPath: s.kubeconfig}})
}

func (s *situation) connect(o kube.Options) *kube.Cluster {
	s.Helper()
	cluster, err := kube.Connect(s.Context(), o)
	if err != nil {
		s.Fatal(err)
	}
	return cluster
}

func (s *situation) cleanUp() {
	s.kubectl("delete namespace " + s.namespace + " --ignore-not-found --wait=false")
	s.kubectl("delete volumeattachment,clusterrole,clusterrolebinding,crd,pv,priorityclass," +
		"validatingadmissionpolicy,validatingadmissionpolicybinding,mutatingadmissionpolicy,mutatingadmissionpolicybinding," +
		"validatingwebhookconfiguration,mutatingwebhookconfiguration -l situation=" + s.namespace + " --ignore-not-found --wait=false")
}

func (s *situation) play() {
	before, ok := s.files["before.kplan.hcl"]
	if ok {
		s.mustApply(before, plan.Input{})
	}
	for line := range strings.Lines(s.files["mutate"]) {
		line = strings.TrimSpace(line)
		if kind, serves := strings.CutPrefix(line, "serves "); serves {
			s.awaitKind(kind)
		} else if line != "" {
			s.kubectl(line)
		}
	}
	if manifests, ok := s.files["manifests.yaml"]; ok {
		path := filepath.Join(s.TempDir(), "manifests.yaml")
		if err := os.WriteFile(path, []byte(manifests), 0o600); err != nil {
			s.Fatal(err)
		}
		s.kubectl("apply -f " + path)
	}
	if policies := before + s.files["manifests.yaml"]; strings.Contains(policies, "AdmissionPolicy") ||
		strings.Contains(policies, "WebhookConfiguration") {
		time.Sleep(policyDelay)
	}
	s.reconnect() // there may be other kinds now than when it was made
	after, ok := s.files["after.kplan.hcl"]
	if !ok {
		after = before
	}
	in := s.options()
	p, diags := s.plan(after, in)
	s.checkDocuments(p, diags)
	if diff := cmp.Diff(strings.TrimSpace(s.files["want"]), s.summary(p, diags)); diff != "" {
		s.Fatalf("not the plan that was wanted (-want +got):\n%s\n%v", diff, diags)
	}
	s.checkWhy(p)
	s.checkBecomes(p)
	if want, ok := s.files["unmanaged"]; ok {
		if diff := cmp.Diff(strings.TrimSpace(want), unmanagedOf(p)); diff != "" {
			s.Fatalf("not what others have set (-want +got):\n%s", diff)
		}
	}
	if details := allDetails(diags); strings.Contains(details, "canary") {
		s.Fatalf("a diagnostic shows a secret:\n%s", details)
	}
	if says := strings.TrimSpace(s.files["says"]); !strings.Contains(allDetails(diags), says) {
		s.Fatalf("not said: %s\n%v", says, allDetails(diags))
	}
	if unsaid := strings.TrimSpace(s.files["does not say"]); unsaid != "" && strings.Contains(allDetails(diags), unsaid) {
		s.Fatalf("said: %s\n%v", unsaid, allDetails(diags))
	}
	s.checkWarnings(p)
	if want, ok := s.files["lints"]; ok {
		if diff := cmp.Diff(strings.TrimSpace(want), lintsOf(diags)); diff != "" {
			s.Fatalf("not the warnings that were wanted (-want +got):\n%s\n%s", diff, allDetails(diags))
		}
	}
	if diags.HasErrors() {
		s.saveRefused(p)
	}
	if diags.HasErrors() || in.Cluster != s.cluster && !strings.HasPrefix(s.files["user"], "as ") {
		return
	}
	s.saveAndVerify(after, in)
	for line := range strings.Lines(s.files["between"]) {
		s.kubectl(strings.TrimSpace(line))
	}
	s.says = strings.TrimSpace(s.files["apply says"])
	if s.apply(after, in, p); s.failed {
		return
	}
	if in.Mode == plan.Destroy || len(in.Targets)+len(in.Excludes) > 0 {
		return
	}
	in.Replace = nil
	p, diags = s.plan(after, in)
	if diags.HasErrors() || !p.IsEmpty() {
		s.Fatalf("the plan after the apply is not empty:\n%s\n%v", s.summary(p, diags), diags)
	}
}

// checkWhy compares the reasons of predictions.
func (s *situation) checkWhy(p *plan.Plan) {
	s.Helper()
	for line := range strings.Lines(s.files["why"]) {
		addr, want, _ := strings.Cut(strings.TrimSpace(line), ": ")
		for _, c := range p.Changes {
			if c.Addr.String() == addr && c.Why != want {
				s.Errorf("%s is predicted since %s\nwant %s", addr, c.Why, want)
			}
		}
	}
}

// checkBecomes compares fields as the plan shows them after the change.
func (s *situation) checkBecomes(p *plan.Plan) {
	s.Helper()
	for line := range strings.Lines(s.files["becomes"]) {
		addr, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		field, want, _ := strings.Cut(rest, " ")
		for _, c := range p.Changes {
			if got, _ := json.Marshal(c.After[field]); c.Addr.String() == addr && string(got) != want {
				s.Errorf("%s of %s becomes %s\nwant %s", field, addr, got, want)
			}
		}
	}
}

// unmanagedOf are the fields of a plan that others have set, with their values.
func unmanagedOf(p *plan.Plan) string {
	var lines []string
	for _, c := range p.Changes {
		values := c.UnmanagedValues()
		for i, u := range c.Unmanaged {
			value, _ := json.Marshal(values[i])
			lines = append(lines, fmt.Sprintf("%s %s %q %s", c.Addr, u.Path, u.Manager, value))
		}
	}
	return strings.Join(lines, "\n")
}

// lintsOf are the warnings about objects of the configuration.
func lintsOf(diags hcl.Diagnostics) string {
	var lines []string
	for _, d := range diags {
		if addr, ok := hcl.DiagnosticExtra[addrs.Instance](d); ok && d.Severity == hcl.DiagWarning {
			lines = append(lines, fmt.Sprintf("%s:%d: %s", addr, d.Subject.Start.Line, d.Summary))
		}
	}
	return strings.Join(lines, "\n")
}

func allDetails(diags hcl.Diagnostics) string {
	var all strings.Builder
	for _, d := range diags {
		fmt.Fprintln(&all, d.Detail)
	}
	return all.String()
}

// awaitKind waits until the cluster serves a kind, which takes it a moment
// after the kind's definition was changed.
func (s *situation) awaitKind(text string) {
	s.Helper()
	kind, apiVersion, _ := strings.Cut(text, " ")
	var err error
	for range 300 {
		s.reconnect()
		if _, err = s.cluster.Lookup(kind, apiVersion); err == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	s.Fatal(err)
}

// options reads what the situation says about how to plan.
func (s *situation) options() plan.Input {
	in := plan.Input{Cluster: s.cluster}
	if user := strings.Fields(s.files["user"]); len(user) == 2 && user[0] == "as" {
		in.Cluster = s.connect(kube.Options{Auth: auth.Options{ConfigPath: s.kubeconfig, ImpersonateUser: user[1]}})
	} else if len(user) > 0 {
		in.Cluster = s.readerOf(append(user[1:], "*.*")[0])
	}
	for line := range strings.Lines(s.files["options"]) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		var addr []addrs.Instance
		if value != "" {
			parsed, err := addrs.ParseInstance(value)
			if err != nil {
				s.Fatal(err)
			}
			addr = []addrs.Instance{parsed}
		}
		switch name {
		case "destroy":
			in.Mode = plan.Destroy
		case "refresh-only":
			in.Mode = plan.RefreshOnly
		case "offline":
			in.Cluster = nil
		case "target":
			in.Targets = append(in.Targets, addr...)
		case "exclude":
			in.Excludes = append(in.Excludes, addr...)
		case "replace":
			in.Replace = append(in.Replace, addr...)
		case "adopt":
			in.Adopt = append(in.Adopt, addr...)
		case "force-conflicts":
			in.ForceConflicts = append(in.ForceConflicts, addr...)
		case "all-unmanaged":
			in.AllUnmanaged = true
		case "refuse-drift":
			in.RefuseDrift = true
		case "allow-data-loss":
			in.AllowDataLoss = append(in.AllowDataLoss, addr...)
		default:
			s.Fatalf("unknown option %q", name)
		}
	}
	return in
}

// reader is a connection of a user who may get and list everything but change
// nothing.
func (s *situation) reader() *kube.Cluster { return s.readerOf("*.*") }

func (s *situation) readerOf(resources string) *kube.Cluster {
	user := "reader-" + s.namespace
	s.kubectl("create clusterrole " + user + " --verb=get,list --resource=" + resources)
	s.kubectl("create clusterrolebinding " + user + " --clusterrole=" + user + " --user=" + user)
	s.kubectl("label clusterrole,clusterrolebinding " + user + " situation=" + s.namespace)
	return s.connectAsReader()
}

// connectAsReader makes another connection of the user that readerOf has made.
func (s *situation) connectAsReader() *kube.Cluster {
	return s.connect(kube.Options{Auth: auth.Options{ConfigPath: s.kubeconfig, ImpersonateUser: "reader-" + s.namespace}})
}

func (s *situation) load(source string, in *plan.Input) {
	s.Helper()
	dir := s.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.kplan.hcl"), []byte(source), 0o600); err != nil {
		s.Fatal(err)
	}
	c, diags := config.Load(context.Background(), dir)
	if diags.HasErrors() {
		s.Fatal(diags)
	}
	values, diags := c.ReadVariables(config.Inputs{})
	if diags.HasErrors() {
		s.Fatal(diags)
	}
	in.Config, in.Variables, in.State = c, values, s.state
}

func (s *situation) plan(source string, in plan.Input) (*plan.Plan, hcl.Diagnostics) {
	s.Helper()
	s.load(source, &in)
	return plan.Make(s.Context(), in)
}

// checkDocuments holds all that machines can read of a plan against the schemas
// in docs.
func (s *situation) checkDocuments(p *plan.Plan, diags hcl.Diagnostics) {
	s.Helper()
	events := new(bytes.Buffer)
	stream := render.NewEvents(events, time.Now)
	stream.Version("test")
	if p != nil {
		shown := new(bytes.Buffer)
		err := render.JSON(shown, p, "test")
		s.check("show.schema.json", shown.Bytes(), err)
		stream.Plan(p)
	}
	if p != nil {
		saved, err := p.Encode(s.state, "test")
		s.check("plan.schema.json", saved, err)
	}
	for _, d := range diags {
		stream.Diagnostic(d, render.Sources{})
	}
	if err := schemas["events.schema.json"].CheckStream(events.Bytes()); err != nil {
		s.Error(err)
	}
}

func (s *situation) check(name string, document []byte, err error) {
	s.Helper()
	if err == nil {
		err = schemas[name].Check(document)
	}
	if err != nil {
		s.Errorf("%v\n%s", err, document)
	}
}

// schemas are those that machines may rely on, by the names of their files.
var schemas = map[string]*schematest.Schema{
	"plan.schema.json":   schematest.MustLoad("plan.schema.json"),
	"show.schema.json":   schematest.MustLoad("show.schema.json"),
	"events.schema.json": schematest.MustLoad("events.schema.json"),
}

// checkWarnings holds what the API server warned of against the lines of warns.
func (s *situation) checkWarnings(p *plan.Plan) {
	s.Helper()
	for line := range strings.Lines(s.files["warns"]) {
		line = strings.TrimSpace(line)
		if !slices.ContainsFunc(p.Warnings, func(w plan.Warning) bool {
			return strings.HasPrefix(line, w.Addr.String()+": ") && strings.Contains(w.Text, strings.TrimPrefix(line, w.Addr.String()+": "))
		}) {
			s.Fatalf("not warned of: %s\n%v", line, p.Warnings)
		}
	}
}

// saveRefused saves a plan with errors and reads it back: it is shown as it was.
func (s *situation) saveRefused(p *plan.Plan) {
	s.Helper()
	if p == nil {
		return
	}
	data, err := p.Encode(s.state, "test")
	if err != nil {
		s.Fatal(err)
	}
	if bytes.Contains(data, []byte("canary")) || bytes.Contains(data, []byte("Y2FuYXJ5")) {
		s.Fatalf("the saved plan shows a secret:\n%s", data)
	}
	saved, err := plan.Decode(data, kinds.Builtin().Lookup)
	if err != nil {
		s.Fatalf("the saved plan can't be read: %v", err)
	}
	if diff := cmp.Diff(text(p), text(saved)); diff != "" || !saved.Incomplete {
		s.Fatalf("the saved plan is not shown as the plan was (-plan +saved):\n%s", diff)
	}
}

// saveAndVerify saves a plan, reads it back and holds it against one recreated.
func (s *situation) saveAndVerify(source string, in plan.Input) {
	s.Helper()
	s.load(source, &in)
	p, _ := plan.Make(s.Context(), in)
	data, err := p.Encode(s.state, "test")
	if err != nil {
		s.Fatal(err)
	}
	for _, secret := range []string{"canary", "Y2FuYXJ5"} {
		if bytes.Contains(data, []byte(secret)) {
			s.Fatalf("the saved plan shows a secret:\n%s", data)
		}
	}
	saved, err := plan.Decode(data, kinds.Builtin().Lookup)
	if err != nil {
		s.Fatalf("the saved plan can't be read: %v", err)
	}
	if diff := cmp.Diff(text(p), text(saved)); diff != "" {
		s.Fatalf("the saved plan is not shown as the plan was (-plan +saved):\n%s", diff)
	}
	fresh, diags := plan.Make(s.Context(), in)
	diags = append(diags, saved.Belongs(s.state)...)
	for _, d := range append(diags, saved.Verify(fresh, s.state)...) {
		if d.Severity == hcl.DiagWarning {
			continue
		}
		s.Fatalf("the saved plan differs from a new one: %s: %s", d.Summary, d.Detail)
	}
}

// text is a plan as people read it.
func text(p *plan.Plan) string {
	var shown strings.Builder
	render.Plan(&shown, p, render.Options{})
	return shown.String()
}

func (s *situation) mustApply(source string, in plan.Input) {
	s.Helper()
	in.Cluster = s.cluster
	p, diags := s.plan(source, in)
	if diags.HasErrors() {
		s.Fatalf("before: %v", diags)
	}
	s.apply(source, in, p)
}

func (s *situation) apply(source string, in plan.Input, p *plan.Plan) {
	s.Helper()
	diags := s.run(source, in, p)
	var said []string
	for _, d := range diags {
		said = append(said, d.Summary+": "+d.Detail)
	}
	want := s.says
	s.failed = want != "" && diags.HasErrors()
	if got := strings.Join(said, "\n"); !strings.HasPrefix(got, want) || want == "" && diags.HasErrors() {
		s.Fatalf("apply: %v\nsays %s\nwant %s", diags, got, want)
	}
}

// run applies a plan, whatever comes of it.
func (s *situation) run(source string, in plan.Input, p *plan.Plan) hcl.Diagnostics {
	s.Helper()
	s.load(source, &in)
	summary, diags := apply.Run(s.Context(), apply.Input{
		Plan: p, Config: in.Config, Cluster: in.Cluster, State: s.state,
		Save: func(context.Context, *state.State) error { return nil },
		Wait: apply.WaitOptions{Timeout: 30 * time.Second},
	})
	s.state = summary.State
	return diags
}

// summary is a plan in the words of the want section.
func (s *situation) summary(p *plan.Plan, diags hcl.Diagnostics) string {
	var lines []string
	if p != nil {
		for _, c := range p.Changes {
			lines = append(lines, changeLines(c)...)
		}
		for _, o := range p.Outputs {
			if o.Action != plan.NoOp && o.Unknown {
				lines = append(lines, fmt.Sprintf("output %s %s known after apply", o.Name, o.Action))
			}
		}
	}
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			lines = append(lines, "error: "+d.Summary)
		}
	}
	return strings.Join(lines, "\n")
}

func changeLines(c *plan.Change) []string {
	if c.Action == plan.NoOp && !c.Moved() && len(c.Drift) == 0 {
		return nil
	}
	line := fmt.Sprintf("%s %s %s", c.Addr, c.Action, c.Certainty)
	if c.Reason != plan.NoReason {
		line += " " + string(c.Reason)
	}
	if c.Moved() {
		line += " from " + c.Previous.String()
	}
	if c.Blocked {
		line += " blocked"
	}
	lines := []string{line}
	for _, path := range c.ReplacePaths {
		lines = append(lines, "  replaced for "+path.String())
	}
	if c.Action == plan.Update && c.Before != nil {
		for _, path := range c.Unknown.Sorted() {
			lines = append(lines, fmt.Sprintf("  %s is known after apply", path))
		}
	}
	for _, d := range c.Drift {
		lines = append(lines, fmt.Sprintf("  drift of %s by %q", d.Path, d.Manager))
	}
	for _, d := range c.Taken {
		lines = append(lines, fmt.Sprintf("  %s taken from %q", d.Path, d.Manager))
	}
	for _, r := range c.UnmanagedReads {
		lines = append(lines, fmt.Sprintf("  reads %s of %s, set by %q", r.Path, r.Addr, r.Manager))
	}
	for _, l := range c.Relinquished {
		lines = append(lines, strings.TrimSuffix(fmt.Sprintf("  relinquishes %s, set by %q", l.Path, l.Manager), `, set by ""`))
	}
	for _, path := range c.NewlyManaged {
		lines = append(lines, fmt.Sprintf("  newly manages %s", path))
	}
	for _, q := range c.Consequences {
		switch q.Effect {
		case impact.Cascades: // controllers are not done making it
		case impact.Uncounted: // other situations define kinds meanwhile
			lines = append(lines, "  "+string(q.Effect))
		default:
			lines = append(lines, fmt.Sprintf("  %s %d %s", q.Effect, q.Count, q.Kind))
		}
	}
	return lines
}

// kubectl runs a command as somebody else would. A line may quote with ' as a
// shell does.
func (s *situation) kubectl(line string) {
	s.Helper()
	cmd := exec.Command("sh", "-c", "kubectl --kubeconfig \"$0\" "+line, s.kubeconfig)
	if out, err := cmd.CombinedOutput(); err != nil {
		s.Errorf("kubectl %s: %v\n%s", line, err, out)
	}
}
