package plan

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	strictjson "sigs.k8s.io/json"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/internal/option"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/plan/impact"
	"kplan.dev/kplan/state"
)

// Format is the version of the plan file format this kplan writes.
const Format = 1

// MaxFile bounds what Decode reads: a plan of 10,000 objects has about 100 MB.
const MaxFile = 1 << 30

// savedPlan is the file of a plan: one JSON document. Where a value is sensitive it
// containsDesired a keyed digest instead, so that a changed secret shows as changed and
// none can be read.
type savedPlan struct {
	Format    int                 `json:"kplan_plan"`
	Version   string              `json:"kplan_version"`
	Created   time.Time           `json:"created"`
	Mode      Mode                `json:"mode"`
	Lineage   string              `json:"lineage"`
	Serial    uint64              `json:"serial"`
	Cluster   string              `json:"cluster"`
	Host      string              `json:"host"`
	Targets   []addrs.Instance    `json:"targets,omitempty"`
	Excludes  []addrs.Instance    `json:"excludes,omitempty"`
	Replace   []addrs.Instance    `json:"replace,omitempty"`
	Adopt     []addrs.Instance    `json:"adopt,omitempty"`
	DataLoss  []addrs.Instance    `json:"allow_data_loss,omitempty"`
	Force     []addrs.Instance    `json:"force_conflicts,omitempty"`
	NoDrift   bool                `json:"refuse_drift,omitempty"`
	Sources   map[string]string   `json:"sources"`
	Variables map[string]Variable `json:"variables"`
	Kinds     []savedKind         `json:"kinds,omitempty"`
	Changes   []savedChange       `json:"changes"`
	Outputs   []savedOutput       `json:"outputs"`
	Checks    []savedCheck        `json:"checks,omitempty"`
	// Errored plans are to be read, not to be applied.
	Errored     bool           `json:"errored,omitempty"`
	Skipped     []savedSkipped `json:"skipped,omitempty"`
	Warnings    []Warning      `json:"warnings,omitempty"`
	Diagnostics []Diagnostic   `json:"diagnostics,omitempty"`
	Signature   string         `json:"signature"` // keyed digest of the file with an empty one
}

// savedKind is what whoever shows the plan has to know of a kind that is not
// built in.
type savedKind struct {
	APIVersion string         `json:"api_version"`
	Kind       string         `json:"kind"`
	Schema     map[string]any `json:"schema"`
}

// plannedObject is an object that may have no name yet.
type plannedObject struct{ addrs.Object }

// UnmarshalText reads what addrs.Object.MarshalText writes.
func (o *plannedObject) UnmarshalText(text []byte) (err error) {
	o.Object, err = addrs.ParsePlannedObject(string(text))
	return err
}

type savedChange struct {
	Address           addrs.Instance       `json:"address"`
	Previous          *addrs.Instance      `json:"previous_address,omitempty"`
	Object            plannedObject        `json:"object"`
	Plural            string               `json:"plural"`
	Action            Action               `json:"action"`
	Reason            Reason               `json:"reason,omitempty"`
	Certainty         Certainty            `json:"certainty"`
	Why               string               `json:"certainty_reason,omitempty"`
	UID               string               `json:"uid,omitempty"`
	ResourceVersion   string               `json:"resource_version,omitempty"`
	Dependencies      []addrs.Instance     `json:"dependencies,omitempty"`
	Protected         bool                 `json:"protected,omitempty"`
	Retained          bool                 `json:"retained,omitempty"`
	Blocked           bool                 `json:"blocked,omitempty"`
	ReplacePaths      []addrs.Path         `json:"replace_paths,omitempty"`
	Drift             []Drift              `json:"drift,omitempty"`
	Taken             []Drift              `json:"taken,omitempty"`
	AdoptedFrom       []string             `json:"adopted_from,omitempty"`
	Unmanaged         []Drift              `json:"unmanaged,omitempty"`
	UnmanagedReads    []UnmanagedRead      `json:"unmanaged_reads,omitempty"`
	Relinquished      []Relinquished       `json:"relinquished,omitempty"`
	NewlyManaged      []addrs.Path         `json:"newly_managed,omitempty"`
	Admitted          []Admitted           `json:"admitted,omitempty"`
	AcknowledgedDrift string               `json:"acknowledged_drift,omitempty"`
	Consequences      []impact.Consequence `json:"consequences,omitempty"`
	Unknown           []addrs.Path         `json:"unknown,omitempty"`
	Sensitive         []addrs.Path         `json:"sensitive,omitempty"`
	DesiredFields     map[string]any       `json:"desired,omitempty"`
	Before            map[string]any       `json:"before,omitempty"`
	After             map[string]any       `json:"after,omitempty"`
}

// savedSkipped is an instance that was not planned because one that it needs failed.
type savedSkipped struct {
	Address          addrs.Instance `json:"address"`
	FailedDependency addrs.Instance `json:"failed_dependency,omitzero"`
}

// savedCheck is the result of a check block.
type savedCheck struct {
	Module   string              `json:"module,omitempty"`
	Name     string              `json:"name"`
	Status   hclspec.CheckStatus `json:"status"`
	Problems []string            `json:"problems,omitempty"`
}

type savedOutput struct {
	Name      string `json:"name"`
	Action    Action `json:"action"`
	Before    any    `json:"before,omitempty"`
	After     any    `json:"after,omitempty"`
	Type      any    `json:"type,omitempty"`
	Unknown   bool   `json:"unknown,omitempty"`
	Sensitive bool   `json:"sensitive,omitempty"`

	UnmanagedReads []UnmanagedRead `json:"unmanaged_reads,omitempty"`
}

// Encode writes the plan as a file for review and for a later apply. Digests
// are keyed with the state's key. One that is incomplete can't be applied.
func (p *Plan) Encode(s *state.State, version string) ([]byte, error) {
	redacted := p.redacted(s)
	doc := savedPlan{
		Format: Format, Version: version, Created: p.Created, Mode: p.Mode, Lineage: p.Lineage, Serial: p.Serial,
		Cluster: p.Cluster, Host: p.Host, Targets: p.Targets, Excludes: p.Excludes,
		Replace: p.Replace, Adopt: p.Adopt, DataLoss: p.AllowDataLoss, Force: p.ForceConflicts, NoDrift: p.RefuseDrift,
		Sources: p.Sources, Variables: p.Variables,
		Kinds: saveKinds(redacted.Changes), Changes: make([]savedChange, 0, len(p.Changes)), Outputs: []savedOutput{},
		Errored: p.Incomplete, Warnings: p.Warnings, Diagnostics: p.Diagnostics,
	}
	for _, skipped := range p.Skipped {
		doc.Skipped = append(doc.Skipped, savedSkipped{skipped.Addr, skipped.By})
	}
	for _, c := range redacted.Changes {
		doc.Changes = append(doc.Changes, saveChange(c))
	}
	for _, o := range redacted.Outputs {
		doc.Outputs = append(doc.Outputs, savedOutput(o))
	}
	for _, c := range p.Checks {
		doc.Checks = append(doc.Checks, savedCheck(c))
	}
	data, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		return nil, err
	}
	data = append(data, '\n')
	signed := Plan{content: contentOf(data, "")}
	return withSignature(data, "", signed.signWith(s)), nil
}

// signWith is the signature of a plan file under the state's key: whoever does not
// have the state can't edit a plan unnoticed.
func (p *Plan) signWith(s *state.State) string { return s.Digest("plan " + p.content) }

// contentOf is the digest of a plan file without its signature.
func contentOf(data []byte, sign string) string {
	sum := sha256.Sum256(withSignature(data, sign, ""))
	return hex.EncodeToString(sum[:])
}

// withSignature puts another signature into a plan file. It is the last field.
func withSignature(data []byte, from, to string) []byte {
	field := func(sign string) []byte { return fmt.Appendf(nil, "\"signature\": %q", sign) }
	i := bytes.LastIndex(data, field(from))
	if i < 0 {
		return data
	}
	return slices.Concat(data[:i], field(to), data[i+len(field(from)):])
}

// saveKinds are the kinds of the changes that are not built in, in the order in
// which they come up.
func saveKinds(changes []*Change) []savedKind {
	var all []savedKind
	objects := map[savedKindKey][]map[string]any{}
	for _, c := range changes {
		key := savedKindKey{c.Kind.APIVersion(), c.Kind.Name}
		objects[key] = append(objects[key], c.Before, c.After, c.DesiredFields)
	}
	for _, c := range changes {
		key := savedKindKey{c.Kind.APIVersion(), c.Kind.Name}
		if _, err := kinds.Builtin().Lookup(key.kind, key.apiVersion); err == nil || objects[key] == nil {
			continue
		}
		if excerpt := c.Kind.Excerpt(objects[key]...); excerpt != nil {
			all = append(all, savedKind{key.apiVersion, key.kind, excerpt})
		}
		delete(objects, key)
	}
	return all
}

type savedKindKey struct{ apiVersion, kind string }

func saveChange(c *Change) savedChange {
	saved := savedChange{
		Address: c.Addr, Object: plannedObject{c.Object}, Plural: c.Kind.Plural, Action: c.Action, Reason: c.Reason,
		Certainty: c.Certainty, Why: c.Why, UID: c.UID, ResourceVersion: c.ResourceVersion, Dependencies: c.Dependencies,
		Protected: c.Protected, Retained: c.Retained, Blocked: c.Blocked,
		ReplacePaths: c.ReplacePaths, Unknown: c.Unknown.Sorted(), Sensitive: c.Sensitive.Sorted(),
		Drift: c.Drift, Taken: c.Taken, AdoptedFrom: c.AdoptedFrom, Unmanaged: c.Unmanaged, UnmanagedReads: c.UnmanagedReads,
		Relinquished: c.Relinquished, NewlyManaged: c.NewlyManaged, Admitted: c.Admitted,
		AcknowledgedDrift: c.AcknowledgedDrift,
		Consequences:      c.Consequences, DesiredFields: c.DesiredFields, Before: c.Before, After: c.After,
	}
	if c.Moved() {
		saved.Previous = &c.Previous
	}
	return saved
}

// Lookup finds the description of a kind, as kinds.Set.Lookup does.
type Lookup func(kind, apiVersion string) (*kinds.Kind, error)

// Read reads a saved plan, as Decode does. Of what begins as something else, as a
// device may, no more than the beginning is read.
func Read(r io.Reader, lookup Lookup) (*Plan, error) {
	buffered := bufio.NewReader(r)
	switch first, err := buffered.Peek(1); {
	case err != nil && err != io.EOF:
		return nil, err
	case err != nil || first[0] != '{':
		return nil, errNoPlan
	}
	data, err := io.ReadAll(io.LimitReader(buffered, MaxFile+1))
	if err != nil {
		return nil, err
	}
	return Decode(data, lookup)
}

// Decode reads a saved plan. A kind that lookup does not know is as the plan
// describes it, and of unknown shape where it does not: the plan can be shown all
// the same.
func Decode(data []byte, lookup Lookup) (*Plan, error) {
	var doc savedPlan
	if len(data) > MaxFile {
		return nil, errors.New("it is too large to be a plan")
	}
	if err := decodeHeader(data); err != nil {
		return nil, err
	}
	strict, err := strictjson.UnmarshalStrict(data, &doc)
	if err := errors.Join(append(strict, err)...); err != nil {
		return nil, fmt.Errorf("it is not a saved plan, or damaged: %w", err)
	}
	p := &Plan{
		Mode: doc.Mode, Lineage: doc.Lineage, Serial: doc.Serial, Cluster: doc.Cluster, Host: doc.Host,
		Targets: doc.Targets, Excludes: doc.Excludes, Replace: doc.Replace, Adopt: doc.Adopt, AllowDataLoss: doc.DataLoss,
		ForceConflicts: doc.Force, RefuseDrift: doc.NoDrift,
		Sources: doc.Sources, Variables: doc.Variables, Created: doc.Created,
		Incomplete: doc.Errored, Warnings: doc.Warnings, Diagnostics: doc.Diagnostics,
		sign: doc.Signature, content: contentOf(data, doc.Signature),
	}
	for _, skipped := range doc.Skipped {
		p.Skipped = append(p.Skipped, hclspec.Skipped{Addr: skipped.Address, By: skipped.FailedDependency})
	}
	found := map[savedKindKey]*kinds.Kind{}
	for _, saved := range doc.Changes {
		key := savedKindKey{saved.Object.APIVersion(), saved.Object.Kind}
		if found[key] == nil {
			found[key] = doc.kind(saved, lookup)
		}
		c, err := saved.change(found[key])
		if err != nil {
			return nil, fmt.Errorf("it is damaged: %w", err)
		}
		p.Changes = append(p.Changes, c)
	}
	for _, o := range doc.Outputs {
		p.Outputs = append(p.Outputs, OutputChange(o))
	}
	for _, c := range doc.Checks {
		p.Checks = append(p.Checks, hclspec.CheckResult(c))
	}
	return p, nil
}

// IsSaved reports whether what r reads begins as a saved plan, of whatever format.
func IsSaved(r io.Reader) bool {
	dec := json.NewDecoder(r)
	token, _ := dec.Token()
	name, _ := dec.Token() // the first that any format has
	return token == json.Delim('{') && name == "kplan_plan"
}

var errNoPlan = errors.New("it is not a plan that kplan saved; make one with kplan plan " + string(option.Out) + "=FILE")

// decodeHeader distinguishes a file of another kind or format from a damaged one.
func decodeHeader(data []byte) error {
	var header struct {
		Format  int    `json:"kplan_plan"`
		Version string `json:"kplan_version"`
	}
	err := json.Unmarshal(data, &header)
	switch {
	case err != nil && IsSaved(bytes.NewReader(data)):
		return errors.New("it is damaged or truncated: make a new plan")
	case err != nil || header.Format == 0:
		return errNoPlan
	}
	if header.Format != Format {
		return fmt.Errorf("it has format %d, of kplan %s, and this kplan reads format %d: make a new plan", header.Format, header.Version,
			Format)
	}
	return nil
}

// kind is the kind of a change's object.
func (doc *savedPlan) kind(of savedChange, lookup Lookup) *kinds.Kind {
	o := of.Object
	if known, err := lookup(o.Kind, o.APIVersion()); err == nil {
		return known
	}
	var excerpt map[string]any
	for _, k := range doc.Kinds {
		if k.APIVersion == o.APIVersion() && k.Kind == o.Kind {
			excerpt = k.Schema
		}
	}
	return kinds.FromExcerpt(o.Group, o.Version, o.Kind, of.Plural, o.Namespace != "", excerpt)
}

func (saved savedChange) change(kind *kinds.Kind) (*Change, error) {
	switch saved.Action {
	case NoOp, Create, Update, Replace, Delete, Forget, Adopt:
	default:
		return nil, fmt.Errorf("%s has the unknown action %q", saved.Address, saved.Action)
	}
	c := &Change{
		Addr: saved.Address, Object: saved.Object.Object, Kind: kind, Action: saved.Action, Reason: saved.Reason,
		Certainty: saved.Certainty, Why: saved.Why, UID: saved.UID, ResourceVersion: saved.ResourceVersion, Dependencies: saved.Dependencies,
		Protected: saved.Protected, Retained: saved.Retained, Blocked: saved.Blocked,
		ReplacePaths: saved.ReplacePaths, Unknown: addrs.NewPathSet(saved.Unknown...),
		Sensitive: addrs.NewPathSet(saved.Sensitive...), DesiredFields: saved.DesiredFields, Before: saved.Before, After: saved.After,
		Drift: saved.Drift, Taken: saved.Taken, AdoptedFrom: saved.AdoptedFrom, Unmanaged: saved.Unmanaged, UnmanagedReads: saved.UnmanagedReads,
		Relinquished: saved.Relinquished, NewlyManaged: saved.NewlyManaged, Admitted: saved.Admitted,
		AcknowledgedDrift: saved.AcknowledgedDrift,
		Consequences:      saved.Consequences,
	}
	if saved.Previous != nil {
		c.Previous = *saved.Previous
	}
	return c, nil
}
