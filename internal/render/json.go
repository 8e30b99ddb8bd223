package render

import (
	"io"
	"strings"
	"time"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec"
	"kplan.dev/kplan/internal/redact"
	"kplan.dev/kplan/plan"
	"kplan.dev/kplan/plan/impact"
)

// providerName is what stands where Terraform names a provider.
const providerName = "kplan.dev/kubernetes"

// jsonPlan is a plan in the format of `terraform show -json`, which many
// programs read, with what Terraform doesn't know added.
type jsonPlan struct {
	FormatVersion    string                  `json:"format_version"`
	TerraformVersion string                  `json:"terraform_version"`
	KplanVersion     string                  `json:"kplan_version"`
	Variables        map[string]jsonVariable `json:"variables,omitempty"`
	PlannedValues    jsonValues              `json:"planned_values"`
	ResourceDrift    []jsonResourceChange    `json:"resource_drift,omitempty"`
	ResourceChanges  []jsonResourceChange    `json:"resource_changes"`
	OutputChanges    map[string]jsonChange   `json:"output_changes,omitempty"`
	Checks           []jsonCheck             `json:"checks,omitempty"`
	Skipped          []jsonSkipped           `json:"skipped,omitempty"`
	Diagnostics      []jsonDiagnostic        `json:"diagnostics,omitempty"`
	Mode             plan.Mode               `json:"mode"`
	Timestamp        string                  `json:"timestamp"`
	Applyable        bool                    `json:"applyable"`
	Complete         bool                    `json:"complete"`
	Errored          bool                    `json:"errored"`
}

type jsonVariable struct {
	Value     any  `json:"value"`
	Sensitive bool `json:"sensitive,omitempty"`
}

// jsonCheck is a check block, with a result for each module that it is in. Its status is the worst of theirs.
type jsonCheck struct {
	Address   jsonCheckAddress     `json:"address"`
	Status    hclspec.CheckStatus  `json:"status"`
	Instances []*jsonCheckInstance `json:"instances"`
}

type jsonCheckAddress struct {
	Kind      string `json:"kind,omitempty"` // always check; of an instance left out
	Module    string `json:"module,omitempty"`
	Name      string `json:"name,omitempty"`
	ToDisplay string `json:"to_display"`
}

type jsonCheckInstance struct {
	Address  jsonCheckAddress    `json:"address"`
	Status   hclspec.CheckStatus `json:"status"`
	Problems []jsonCheckProblem  `json:"problems,omitempty"`
}

type jsonCheckProblem struct {
	Message string `json:"message"`
}

type jsonResourceChange struct {
	Address          string              `json:"address"`
	PreviousAddress  string              `json:"previous_address,omitempty"`
	ModuleAddress    string              `json:"module_address,omitempty"`
	Mode             string              `json:"mode"`
	Type             string              `json:"type"`
	Name             string              `json:"name"`
	Index            any                 `json:"index,omitempty"`
	ProviderName     string              `json:"provider_name"`
	Change           jsonChange          `json:"change"`
	ActionReason     plan.Reason         `json:"action_reason,omitempty"`
	Object           jsonObject          `json:"object"`
	PreviousObject   *jsonObject         `json:"previous_object,omitempty"`
	Drift            []jsonDrift         `json:"drift,omitempty"`
	Taken            []jsonDrift         `json:"taken,omitempty"`
	AdoptedFrom      []string            `json:"adopted_from,omitempty"`
	PreviousStack    string              `json:"previous_stack,omitempty"`
	Unmanaged        []jsonUnmanaged     `json:"unmanaged,omitempty"`
	UnmanagedReads   []jsonRead          `json:"unmanaged_reads,omitempty"`
	Relinquished     []plan.Relinquished `json:"relinquished,omitempty"`
	NewlyManaged     []addrs.Path        `json:"newly_managed,omitempty"`
	Admitted         []plan.Admitted     `json:"admitted,omitempty"`
	Consequences     []jsonEffect        `json:"consequences,omitempty"`
	Certainty        plan.Certainty      `json:"certainty,omitempty"`
	CertaintyReason  string              `json:"certainty_reason,omitempty"`
	Blocked          bool                `json:"blocked,omitempty"`
	ProtectedDestroy bool                `json:"prevent_destroy,omitempty"`
}

// jsonObject is an object of the cluster.
type jsonObject struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name,omitempty"`
}

type jsonChange struct {
	Actions         []string       `json:"actions"`
	Before          any            `json:"before"`
	After           any            `json:"after"`
	AfterUnknown    any            `json:"after_unknown"`
	BeforeSensitive any            `json:"before_sensitive"`
	AfterSensitive  any            `json:"after_sensitive"`
	ReplacePaths    [][]any        `json:"replace_paths,omitempty"`
	Importing       *jsonImporting `json:"importing,omitempty"`
	UnmanagedReads  []jsonRead     `json:"unmanaged_reads,omitempty"` // of an output
}

type jsonImporting struct {
	ID string `json:"id"`
}

// jsonDrift is a field that was changed outside of kplan.
type jsonDrift struct {
	Path    addrs.Path `json:"path"`
	Manager string     `json:"manager,omitempty"`
	Time    *time.Time `json:"time,omitempty"`
}

// jsonRead is a field that others have set in an object that is referred to.
type jsonRead struct {
	Address string `json:"address"`
	jsonDrift
}

// jsonUnmanaged is a field that others have set.
type jsonUnmanaged struct {
	jsonDrift
	Value any `json:"value"`
}

// jsonEffect is what goes with a deletion.
type jsonEffect struct {
	Effect impact.Effect `json:"effect"`
	Kind   string        `json:"kind"`
	Count  int           `json:"count"`
	Names  []string      `json:"names,omitempty"`
}

type jsonSkipped struct {
	Address          string `json:"address"`
	FailedDependency string `json:"failed_dependency,omitempty"`
}

// JSON writes a plan for machines. Secret values are not in it: where one would
// stand, redact.Mask does, and the sensitive flags say so.
func JSON(w io.Writer, pl *plan.Plan, version string) error {
	doc := jsonPlan{
		FormatVersion: "1.2", TerraformVersion: version, KplanVersion: version,
		Variables:       jsonVariables(pl),
		PlannedValues:   plannedValues(pl),
		ResourceChanges: []jsonResourceChange{},
		OutputChanges:   map[string]jsonChange{},
		Mode:            pl.Mode,
		Timestamp:       pl.Created.UTC().Format(time.RFC3339),
		Applyable:       pl.IsApplyable(),
		Complete:        pl.IsComplete(),
		Errored:         pl.Incomplete,
	}
	if diags := diagnosticsOf(pl); len(diags) > 0 {
		doc.Diagnostics = jsonDiagnostics(diags, Sources{})
	}
	for _, e := range allEntries(pl) {
		if drift, ok := driftOf(e, pl.Mode); ok {
			doc.ResourceDrift = append(doc.ResourceDrift, resourceChange(drift))
		}
		doc.ResourceChanges = append(doc.ResourceChanges, resourceChange(e))
	}
	for _, o := range pl.Outputs {
		doc.OutputChanges[o.Name] = outputChange(o)
	}
	doc.Checks = checks(pl.Checks)
	for _, h := range pl.Skipped {
		doc.Skipped = append(doc.Skipped, skipped(h))
	}
	return writeJSON(w, doc, true)
}

// checks are the results by block, each with those of its modules.
func checks(results []hclspec.CheckResult) []jsonCheck {
	var all []jsonCheck
	at := map[jsonCheckAddress]int{}
	for _, r := range results {
		declared := addrs.Resource{Module: r.Module, Type: "check", Name: r.Name}.Declared()
		address := jsonCheckAddress{"check", declared.Module, r.Name, declared.String()}
		n, known := at[address]
		if !known {
			n = len(all)
			at[address], all = n, append(all, jsonCheck{Address: address, Status: hclspec.CheckPass})
		}
		instance := &jsonCheckInstance{Status: r.Status, Address: jsonCheckAddress{
			Module: r.Module, ToDisplay: addrs.Resource{Module: r.Module, Type: "check", Name: r.Name}.String()}}
		for _, problem := range r.Problems {
			instance.Problems = append(instance.Problems, jsonCheckProblem{problem})
		}
		all[n].Status = all[n].Status.Or(r.Status)
		all[n].Instances = append(all[n].Instances, instance)
	}
	return all
}

func jsonVariables(pl *plan.Plan) map[string]jsonVariable {
	all := make(map[string]jsonVariable, len(pl.Variables))
	for name, v := range pl.Variables {
		if v.Sensitive {
			all[name] = jsonVariable{redact.Mask, true}
			continue
		}
		all[name] = jsonVariable{Value: v.Value}
	}
	return all
}

func skipped(h hclspec.Skipped) jsonSkipped {
	held := jsonSkipped{Address: h.Addr.String()}
	if h.By != (addrs.Instance{}) {
		held.FailedDependency = h.By.String()
	}
	return held
}

func resourceChange(e entry) jsonResourceChange {
	r := jsonResourceChange{
		Address: e.Addr.String(), ModuleAddress: e.Addr.Resource.Module,
		Mode: "managed", Type: e.Addr.Resource.Type, Name: e.Addr.Resource.Name, Index: index(e.Addr.Key),
		ProviderName: providerName, Change: objectChange(e), ActionReason: e.Reason,
		Object: jsonObjectOf(e.Object), Certainty: e.Certainty, CertaintyReason: e.Why,
		Relinquished: e.Relinquished, NewlyManaged: e.NewlyManaged, Admitted: e.Admitted, Blocked: e.Blocked, ProtectedDestroy: e.Protected,
	}
	if e.Moved() {
		r.PreviousAddress = e.Previous.String()
	}
	r.Drift, r.Taken, r.AdoptedFrom = jsonDrifts(e.Drift), jsonDrifts(e.Taken), e.AdoptedFrom
	values := e.UnmanagedValues()
	for i, field := range jsonDrifts(e.Unmanaged) {
		r.Unmanaged = append(r.Unmanaged, jsonUnmanaged{field, values[i]})
	}
	r.UnmanagedReads, r.PreviousStack = jsonReads(e.UnmanagedReads), e.from
	for _, c := range e.Consequences {
		r.Consequences = append(r.Consequences, jsonEffect{c.Effect, c.Kind.String(), c.Count, c.Names})
	}
	if e.old != nil {
		old := jsonObjectOf(e.old.Object)
		r.PreviousObject = &old
	}
	return r
}

func jsonDrifts(all []plan.Drift) []jsonDrift {
	var fields []jsonDrift
	for _, d := range all {
		field := jsonDrift{Path: d.Path, Manager: d.Manager}
		if !d.Time.IsZero() {
			field.Time = &d.Time
		}
		fields = append(fields, field)
	}
	return fields
}

func jsonReads(reads []plan.UnmanagedRead) []jsonRead {
	var all []jsonRead
	for _, read := range reads {
		all = append(all, jsonRead{read.Addr.String(), jsonDrifts([]plan.Drift{read.Drift})[0]})
	}
	return all
}

func jsonObjectOf(o addrs.Object) jsonObject {
	return jsonObject{o.APIVersion(), o.Kind, o.Namespace, o.Name}
}

// index is the key of an instance: a number, a name or nothing.
func index(key addrs.Key) any {
	if i, ok := key.Index(); ok {
		return i
	}
	if name, ok := key.Name(); ok {
		return name
	}
	return nil
}

func objectChange(e entry) jsonChange {
	before, after := e.Views()
	c := jsonChange{
		Actions: actions(e), Before: before.Value, After: after.Value,
		AfterUnknown: orNone(after.Unknown, after.Value), ReplacePaths: replacePaths(e.ReplacePaths),
		BeforeSensitive: orNone(before.Sensitive, before.Value), AfterSensitive: orNone(after.Sensitive, after.Value),
	}
	if e.Action == plan.Adopt {
		c.Importing = &jsonImporting{ID: e.Object.String()}
	}
	return c
}

// orNone is what Terraform writes where nothing is marked: an empty object for
// an object, false for none.
func orNone(marked, value any) any {
	switch {
	case marked != nil:
		return marked
	case value == nil:
		return false
	}
	return map[string]any{}
}

// actions are the steps of a change in Terraform's words.
func actions(e entry) []string {
	switch e.Action {
	case plan.Create:
		return []string{"create"}
	case plan.Update:
		return []string{"update"}
	case plan.Replace:
		if e.symbol == replaceAfter {
			return []string{"create", "delete"}
		}
		return []string{"delete", "create"}
	case plan.Delete:
		return []string{"delete"}
	case plan.Forget:
		return []string{"forget"}
	case plan.Adopt:
		if e.symbol == update {
			return []string{"update"}
		}
	}
	return []string{"no-op"}
}

func replacePaths(paths []addrs.Path) [][]any {
	var all [][]any
	for _, path := range paths {
		steps := []any{}
		for _, s := range path.Steps() {
			switch {
			case s.IsIndex():
				steps = append(steps, s.Index)
			case s.IsKeys():
				steps = append(steps, s.String())
			default:
				steps = append(steps, s.Field)
			}
		}
		all = append(all, steps)
	}
	return all
}

func outputChange(o plan.OutputChange) jsonChange {
	action := map[plan.Action]string{plan.Create: "create", plan.Update: "update", plan.Delete: "delete"}[o.Action]
	if action == "" {
		action = "no-op"
	}
	c := jsonChange{
		Actions: []string{action}, Before: o.Before, After: o.After,
		AfterUnknown: o.Unknown, BeforeSensitive: o.Sensitive, AfterSensitive: o.Sensitive,
		UnmanagedReads: jsonReads(o.UnmanagedReads),
	}
	if o.Unknown {
		c.After = nil
	}
	if o.Sensitive {
		c.Before, c.After = masked(c.Before), masked(c.After)
	}
	return c
}

func masked(value any) any {
	if value == nil {
		return nil
	}
	return redact.Mask
}

// jsonValues are values as they are or would be, by module.
type jsonValues struct {
	Outputs    map[string]jsonOutput `json:"outputs,omitempty"`
	RootModule jsonModule            `json:"root_module"`
}

type jsonOutput struct {
	Sensitive bool `json:"sensitive"`
	Type      any  `json:"type,omitempty"`
	Value     any  `json:"value,omitempty"`
}

type jsonModule struct {
	Address      string         `json:"address,omitempty"`
	Resources    []jsonResource `json:"resources,omitempty"`
	ChildModules []jsonModule   `json:"child_modules,omitempty"`
}

type jsonResource struct {
	Address         string   `json:"address"`
	Mode            string   `json:"mode"`
	Type            string   `json:"type"`
	Name            string   `json:"name"`
	Index           any      `json:"index,omitempty"`
	ProviderName    string   `json:"provider_name"`
	SchemaVersion   int      `json:"schema_version"`
	Values          any      `json:"values"`
	SensitiveValues any      `json:"sensitive_values"`
	DependsOn       []string `json:"depends_on,omitempty"`
	DeposedKey      string   `json:"deposed_key,omitempty"`
}

// add puts a resource into its module, which it makes below the root one.
func (m *jsonModule) add(addr addrs.Instance, r jsonResource) {
	r.Address, r.Mode, r.ProviderName = addr.String(), "managed", providerName
	r.Type, r.Name, r.Index = addr.Resource.Type, addr.Resource.Name, index(addr.Key)
	m.module(addr.Resource.Module).Resources = append(m.module(addr.Resource.Module).Resources, r)
}

// module is the module of that address, m or one below it.
func (m *jsonModule) module(address string) *jsonModule {
	if m.Address == address {
		return m
	}
	for i := range m.ChildModules {
		child := &m.ChildModules[i]
		if child.Address == address || strings.HasPrefix(address, child.Address+".") {
			return child.module(address)
		}
	}
	m.ChildModules = append(m.ChildModules, jsonModule{Address: nextModule(m.Address, address)})
	return m.ChildModules[len(m.ChildModules)-1].module(address)
}

// nextModule is the address of the module below parent that contains the address.
func nextModule(parent, address string) string {
	start := len(parent)
	if parent != "" {
		start++
	}
	rest := address[start:]
	if end := strings.Index(rest[1:], ".module."); end >= 0 {
		return address[:start+1+end]
	}
	return address
}

// plannedValues are all objects as they would be.
func plannedValues(pl *plan.Plan) jsonValues {
	values := jsonValues{Outputs: map[string]jsonOutput{}}
	for _, c := range pl.Changes {
		if c.After == nil {
			continue
		}
		_, after := c.Views()
		values.RootModule.add(c.Addr, jsonResource{Values: after.Value, SensitiveValues: orNone(after.Sensitive, after.Value)})
	}
	for _, o := range pl.Outputs {
		if o.Action != plan.Delete {
			values.Outputs[o.Name] = jsonOutput{Sensitive: o.Sensitive, Type: o.Type, Value: outputChange(o).After}
		}
	}
	return values
}
