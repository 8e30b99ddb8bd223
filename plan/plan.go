// Package plan compares what the configuration wants with what the cluster has.
// It changes nothing.
//
// Make walks the configuration and decides, for each object, what would be
// done about it: from a comparison with the live object where that is enough,
// otherwise from the server's answer to a dry-run, and from a prediction only
// where the server can't be asked. A Plan is what a reviewer approves and what
// package apply obeys.
package plan

import (
	"encoding/json"
	"slices"
	"time"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
)

// Plan is everything that would change, and what it was decided from.
type Plan struct {
	Mode    Mode
	Lineage string // of the state it was made from
	Serial  uint64
	Cluster string // uid of the namespace kube-system; "" if it was made offline
	Host    string // where that cluster answers, for people
	// Targets and Excludes are what the plan was limited to.
	Targets, Excludes []addrs.Instance
	// Replace, Adopt, AllowDataLoss and ForceConflicts are what the user asked for by name.
	Replace, Adopt, AllowDataLoss, ForceConflicts []addrs.Instance
	// RefuseDrift reports that the plan was to stop where others had changed what
	// kplan applied.
	RefuseDrift bool
	// Sources are digests, by name, of the configuration's files and of the files of variables that are read
	// without being named; the latter are keyed.
	Sources map[string]string
	// Variables are the values the configuration was evaluated with; of
	// sensitive ones only the digest.
	Variables map[string]Variable
	Created   time.Time
	// Changes holds one change for each object: those of the configuration in
	// its order, then the deletions in the order they would be made.
	Changes []*Change
	Outputs []OutputChange
	// Checks are the results of the check blocks, in the order of the configuration.
	Checks []hclspec.CheckResult
	// Skipped are objects that could not be planned since one they need
	// failed. A plan with any, or with Incomplete set, is shown and saved but not applied.
	Skipped    []hclspec.Skipped
	Incomplete bool
	// Warnings are what the API server said beside its answers: those about objects
	// of the configuration in its order, then the others.
	Warnings []Warning
	// Diagnostics are the errors and warnings that the plan was made with, for whoever
	// reads it later. Who saves the plan sets them: see NewDiagnostics.
	Diagnostics []Diagnostic
	// Preview is what the plan was made from, to be walked again when it is applied;
	// nil where the configuration had no part in it or the plan was read from a file.
	Preview *hclspec.Preview
	// sign is the signature of a saved plan, content the digest of all else
	// in its file.
	sign, content string
}

// Limited reports whether the plan leaves out objects of the configuration.
func (p *Plan) Limited() bool { return len(p.Targets)+len(p.Excludes) > 0 }

// Offline reports whether the plan was made without a cluster. It is shown, but
// never applied.
func (p *Plan) Offline() bool { return p.Cluster == "" }

// IsApplyable reports whether the plan can be applied, and there is something to do.
func (p *Plan) IsApplyable() bool { return !p.Incomplete && !p.Offline() && !p.IsEmpty() }

// IsComplete reports whether the plan is of all objects of the stack.
func (p *Plan) IsComplete() bool { return !p.Incomplete && !p.Limited() }

// Mode is what a plan is for.
type Mode string

const (
	Normal      Mode = "normal"       // make the cluster match the configuration
	Destroy     Mode = "destroy"      // delete everything the state holds
	RefreshOnly Mode = "refresh-only" // look at what changed outside, change nothing
)

// Variable is the value of one variable as a plan records it.
type Variable struct {
	Value     json.RawMessage `json:"value,omitempty"` // absent when sensitive
	Sensitive bool            `json:"sensitive,omitempty"`
	Digest    string          `json:"digest"` // keyed with the state's key
}

// Action is what would be done about an object.
type Action string

const (
	NoOp    Action = "no-op"   // nothing: it is as desired
	Create  Action = "create"  // make it
	Update  Action = "update"  // change it in place
	Replace Action = "replace" // delete it, wait until it is gone, create it again
	Delete  Action = "delete"  // delete it
	Forget  Action = "forget"  // drop it from the state, leave it in the cluster
	Adopt   Action = "adopt"   // adopt an unmanaged object, changing it where needed
)

// Reason is why an action was chosen where the action alone does not.
type Reason string

const (
	NoReason           Reason = ""
	BecauseNotInConfig Reason = "delete_because_no_resource_config"          // no block wants it
	BecauseEachKey     Reason = "delete_because_each_key"                    // for_each no longer has its key
	BecauseCountIndex  Reason = "delete_because_count_index"                 // count is lower now
	BecauseRepetition  Reason = "delete_because_wrong_repetition"            // for_each or count came or went
	BecauseNoModule    Reason = "delete_because_no_module"                   // its module, or that instance of it, is gone
	BecauseDisabled    Reason = "delete_because_enabled_false"               // lifecycle.enabled is false
	BecauseRenamed     Reason = "delete_because_object_renamed"              // its address has another object now
	BecauseDestroy     Reason = "delete_because_destroy"                     // all is to be deleted
	BecauseImmutable   Reason = "replace_because_cannot_update"              // the server forbids the change
	BecauseRequested   Reason = "replace_by_request"                         // -replace
	BecauseTriggered   Reason = "replace_by_triggers"                        // lifecycle.replace_on
	BecauseDeleted     Reason = "create_because_deleted_outside"             // the state has it, the cluster does not
	BecauseReplaced    Reason = "create_because_object_renamed"              // the other half of BecauseRenamed
	BecauseRemoved     Reason = "forget_because_lifecycle_destroy_in_config" // by a removed block
	BecauseRetained    Reason = "forget_because_lifecycle_destroy_in_state"  // lifecycle.destroy is false
	BecauseGone        Reason = "forget_because_deleted_outside"             // the cluster no longer has it
	BecauseUndefined   Reason = "forget_because_kind_deleted_outside"        // the cluster no longer has its kind
	BecauseOtherStack  Reason = "forget_because_other_stack"                 // another stack has adopted it
	BecauseKept        Reason = "forget_because_kept_by_cluster"             // it can't be deleted, or would be made again
	BecauseVersion     Reason = "update_because_api_version"                 // it was applied in another API version
	BecauseTerminating Reason = "replace_because_being_deleted"              // somebody deletes it just now
)

// Certainty is where a planned result comes from.
type Certainty string

const (
	Compared  Certainty = "compared"  // decided by comparing with the live object
	Computed  Certainty = "computed"  // the server's own answer to a dry-run
	Predicted Certainty = "predicted" // worked out here: see Change.Why
)

// OutputChange is what would happen to one output value.
type OutputChange struct {
	Name      string
	Action    Action
	Before    any
	After     any
	Type      any // cty's JSON spelling of the type
	Unknown   bool
	Sensitive bool
	// UnmanagedReads are fields that others have set in objects, and that the value holds.
	UnmanagedReads []UnmanagedRead
}

// Counts is how many objects each kind of action touches. A replacement counts
// as an addition and a deletion.
type Counts struct{ Add, Change, Destroy, Adopt, Forget, Move int }

// Counts counts the plan's actions.
func (p *Plan) Counts() Counts {
	var n Counts
	for _, c := range p.Changes {
		switch c.Action {
		case Create:
			n.Add++
		case Update:
			n.Change++
		case Replace:
			n.Add++
			n.Destroy++
		case Delete:
			n.Destroy++
		case Forget:
			n.Forget++
		case Adopt:
			n.Adopt++
		}
		if c.Moved() {
			n.Move++
		}
	}
	return n
}

// IsEmpty reports whether applying the plan would change nothing: no object, no
// output, no address, and nothing that the state records.
func (p *Plan) IsEmpty() bool {
	if slices.ContainsFunc(p.Changes, func(c *Change) bool { return c.AcknowledgedDrift != "" }) {
		return false
	}
	for _, o := range p.Outputs {
		if o.Action != NoOp {
			return false
		}
	}
	return p.Counts() == Counts{}
}

// actionPhrases are what actions do to an object, in words.
var actionPhrases = map[Action]string{
	NoOp: "not change", Create: "be created", Update: "be updated", Replace: "be replaced",
	Delete: "be deleted", Forget: "be forgotten", Adopt: "be adopted",
}
