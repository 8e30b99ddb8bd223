package plan

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/internal/option"
	"kplan.dev/kplan/internal/redact"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/validation"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/plan/autoscale"
	"kplan.dev/kplan/plan/data"
	"kplan.dev/kplan/state"
)

// Input is what a plan is made from.
type Input struct {
	Config    *config.Config
	Variables config.Values
	// Cluster is nil to plan offline: without a single request, from the state
	// alone, so that everything is predicted.
	Cluster *kube.Cluster
	// State is what was read; Make leaves it as it is.
	State *state.State
	Mode  Mode // Normal where empty
	// Targets and Excludes limit the plan to some objects; never both.
	Targets, Excludes []addrs.Instance
	// Replace are objects to replace though they could stay.
	Replace []addrs.Instance
	// Adopt are objects to adopt if they exist and are not managed, besides
	// those of the configuration's import blocks.
	Adopt []addrs.Instance
	// ForceConflicts are objects whose fields are taken from other managers, besides
	// those that lifecycle.force_conflicts lists.
	ForceConflicts []addrs.Instance
	// RefuseDrift makes it an error that others have changed what kplan applied, which
	// is otherwise put back.
	RefuseDrift bool
	// AllUnmanaged has the plan list what the cluster's own controllers have set, too.
	AllUnmanaged bool
	// AllowDataLoss are deletions that may cascade to unmanaged objects.
	AllowDataLoss []addrs.Instance
	// Written is where a file has an address that Targets or Excludes took from it.
	Written map[addrs.Instance]hcl.Range
	// Parallelism bounds the objects in progress at once; 0 means no bound. The
	// requests in flight are bounded by the Cluster.
	Parallelism int
	// Secrets learns all secret values that the plan comes upon, and hides them in the
	// plan's warnings. It may be nil.
	Secrets *redact.Secrets
	// Log is where is logged what is decided, and why; nil for nowhere.
	Log *slog.Logger
}

// options are those of evaluating the configuration for this plan.
func (in Input) options() hclspec.Options {
	options := hclspec.Options{Variables: in.Variables, Kinds: kinds.Expecting{Served: in.Cluster}}
	if in.offline() {
		options.Kinds = kinds.OpenSet{Set: kinds.Builtin()}
		return options
	}
	options.Read = (&data.Reader{Cluster: in.Cluster, Secrets: in.Secrets}).Objects
	return options
}

func (in Input) offline() bool { return in.Cluster == nil }

// missingOffline warns of what a plan without a cluster was made without.
func (in Input) missingOffline() hcl.Diagnostics {
	var diags hcl.Diagnostics
	warn := func(summary, detail string) {
		diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagWarning, Summary: summary, Detail: detail})
	}
	if in.State.Serial == 0 {
		warn("Plan without a state", fmt.Sprintf("No state was found, so nothing is known of what was applied, and each object is shown as if "+
			"it were to be created. To compare with what was applied, name the state with %s=PATH.", option.State))
	}
	var secrets []string
	for name, v := range in.Variables.JSON() {
		if v.Sensitive && v.Value == nil {
			secrets = append(secrets, "var."+name)
		}
	}
	if slices.Sort(secrets); len(secrets) > 0 {
		warn("Plan without secrets", fmt.Sprintf("No value was given for %s, so what depends on it is shown as not known.", words.And(secrets)))
	}
	return diags
}

// previewer evaluates the configuration when it is first asked.
type previewer func() *hclspec.Preview

// planner holds what all decisions of one plan read. Nothing in it changes
// once the walk has begun, but for what inventory guards itself.
type planner struct {
	Input
	state     *state.State                    // what is true of in.State after an interrupted run
	owned     map[addrs.Object]state.Object   // by identity
	movedAddr map[addrs.Object]addrs.Instance // what moved blocks gave another address had before
	live      *inventory
	preview   previewer
	scalers   *autoscale.Finder
	schemas   validation.Set
	scope     scope
	wanted    func() map[addrs.Object]*hclspec.Desired
	end       context.CancelFunc // of all that is asked
}

// cancelOnOutage ends the asking when an error is not of one object but of the cluster.
func (p *planner) cancelOnOutage(err error) {
	if kube.OutageOf(err) != nil {
		p.end()
	}
}

// sourcesOf are the digests of the files that a plan is made from, by name. Files of variables
// may hold secrets that can be guessed, so their digests are keyed.
func sourcesOf(c *config.Config, values config.Values, s *state.State) map[string]string {
	sources := make(map[string]string, len(c.Files))
	for name, file := range c.Files {
		sum := sha256.Sum256(file.Bytes)
		sources[name] = "sha256:" + hex.EncodeToString(sum[:])
	}
	for name, text := range values.Files() {
		sources[name] = "hmac-sha256:" + s.Digest(text)
	}
	return sources
}

// variablesOf records the values that a configuration is evaluated with.
func variablesOf(values config.Values, s *state.State) map[string]Variable {
	recorded := map[string]Variable{}
	for name, v := range values.JSON() {
		r := Variable{Sensitive: v.Sensitive, Digest: s.Digest(v.Value)}
		if !v.Sensitive {
			r.Value = v.Value
		}
		recorded[name] = r
	}
	return recorded
}
