package rebuild

import (
	"context"
	"reflect"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/diag"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/plan"
	"kplan.dev/kplan/state"
)

// Result is a state that was made from the labels and annotations in the cluster.
type Result struct {
	State *state.State
	// Added, Changed and Gone are how it differs from the one there was.
	Added, Changed, Gone []state.Object
	// Orphans are the entries that no block of the configuration wants: the
	// next plan deletes them.
	Orphans map[addrs.Object]bool // by identity
	// Unaddressed are objects of the stack of which neither their annotation
	// nor the configuration has the address, so that they are left out.
	Unaddressed []Scanned
	// Unclear reports that the configuration could not be planned in full: of some
	// entries it is not known what they depend on.
	Unclear bool
}

// State makes a state of what a scan has found of the stack. What in.State
// knows and the cluster still has stays, so that an old state is completed and
// an empty one filled. From the configuration it learns what the cluster does
// not tell: what depends on what, what is sensitive or protected, and the
// outputs. Nothing is changed but the state, which is returned.
func State(ctx context.Context, in plan.Input, scan *Scan) (*Result, hcl.Diagnostics) {
	uid, diags := plan.CheckCluster(ctx, in)
	if diags.HasErrors() {
		return nil, diags
	}
	recovered, err := plan.Recover(ctx, in.Cluster, in.State)
	if err != nil {
		return nil, diag.FromKube(err, nil, "")
	}
	b := &rebuilding{
		Input: in, state: recovered.Clone(), objects: recovered.Table(),
		found: scan.Of(in.State.StackID()), owned: map[string]bool{},
	}
	b.state.Cluster = uid
	if err := b.dropGone(ctx); err != nil {
		return nil, diag.FromKube(err, nil, "")
	}
	b.addFound()
	b.state.Objects = b.objects.List()
	in.State = b.state
	p, diags := plan.Make(ctx, in)
	if p == nil {
		return nil, diags
	}
	out := &Result{State: b.state, Orphans: map[addrs.Object]bool{}, Unclear: p.Incomplete}
	b.learn(p, out)
	for _, f := range b.found {
		if _, known := b.objects.FindObject(f.Object); !known {
			out.Unaddressed = append(out.Unaddressed, f)
		}
	}
	out.compare(b.Input.State)
	return out, nil
}

type rebuilding struct {
	plan.Input
	state   *state.State
	objects *state.Table // what state.Objects becomes
	found   []Scanned
	owned   map[string]bool // the uids of all objects of the stack
}

// dropGone forgets what is certainly not there any more. An object that was not
// found may have lost its label, or be hidden from this user.
func (b *rebuilding) dropGone(ctx context.Context) error {
	found := map[addrs.Object]Scanned{}
	for _, f := range b.found {
		found[f.Object.Identity()] = f
		b.owned[f.UID] = true
	}
	for _, o := range b.state.Objects {
		f, ok := found[o.Object.Identity()]
		switch {
		case ok && f.UID != o.UID: // recreated since this state was written
			o.UID, o.Digest, o.Applied = f.UID, "", nil
			b.objects.Put(o)
		case !ok:
			uid, err := b.liveUID(ctx, o)
			if err != nil {
				return err
			}
			if uid != o.UID {
				b.objects.Remove(o.Object)
				continue
			}
		}
		b.owned[o.UID] = true
	}
	return nil
}

// liveUID is the uid of the object of that name in the cluster, "" where there is none, and that of o where it can't be told.
func (b *rebuilding) liveUID(ctx context.Context, o state.Object) (string, error) {
	kind, err := b.Cluster.Lookup(o.Object.Kind, o.Object.APIVersion())
	if err != nil {
		return o.UID, nil // that its kind is not served says nothing about it
	}
	live, err := b.Cluster.Get(ctx, kind, o.Object.Namespace, o.Object.Name)
	switch kube.ReasonOf(err) {
	case kube.NotFound, kube.NamespaceMissing:
		return "", nil
	case kube.Forbidden:
		return o.UID, nil
	}
	if err != nil {
		return "", err
	}
	return string(live.GetUID()), nil
}

// addFound enters what the state lacks. Of two objects with one address the
// younger has it: the older waits to be deleted, as after a changed name.
func (b *rebuilding) addFound() {
	for _, f := range b.found {
		if _, known := b.objects.FindObject(f.Object); !known && f.Addr != (addrs.Instance{}) {
			b.objects.Put(state.Object{Addr: f.Addr, Object: f.Object, UID: f.UID})
		}
	}
}

// learn adds what a plan with the present state shows about it.
func (b *rebuilding) learn(p *plan.Plan, out *Result) {
	settled := !p.Incomplete
	for _, c := range p.Changes {
		settled = settled && c.Action == plan.NoOp
		switch {
		case c.Action == plan.Delete:
			out.Orphans[c.Object.Identity()] = true
		case c.Desired != nil && b.owned[c.UID]:
			b.objects.Put(b.entry(c))
		}
	}
	for _, o := range b.objects.List() {
		if out.Orphans[o.Object.Identity()] && len(o.Dependencies) == 0 {
			o.Dependencies = b.containers(o)
			b.objects.Put(o)
		}
	}
	b.state.Objects = b.objects.List()
	if settled { // else the outputs are not yet what the configuration says
		b.outputs(p)
	}
}

// entry is what the state holds of an object that the configuration has. Where
// its block got another name the plan is left to show that.
func (b *rebuilding) entry(c *plan.Change) state.Object {
	known, _ := b.objects.FindObject(c.Object)
	o := state.Object{
		Addr: c.Addr, Object: c.Object, UID: c.UID, Dependencies: c.Dependencies, Digest: known.Digest, Applied: known.Applied,
		Sensitive: c.SensitiveDesired(), Protected: c.Protected, Retained: c.Retained,
	}
	if c.Moved() {
		o.Addr, o.Deposed = c.Previous, known.Deposed
	} else if c.Action == plan.NoOp {
		o.Digest, o.Applied = b.state.Digest(plan.DesiredFields(c.Desired, b.state.StackID())), c.AppliedFields(b.state)
	} else if o.Applied == nil {
		o.Applied = c.OwnedFields(b.state)
	}
	return o
}

// containers are the entries that an object can't outlive: its namespace and
// the definition of its kind.
func (b *rebuilding) containers(o state.Object) []addrs.Instance {
	var needs []addrs.Instance
	if namespace, ok := b.objects.FindObject(addrs.Object{Kind: "Namespace", Name: o.Object.Namespace}); ok {
		needs = append(needs, namespace.Addr)
	}
	if kind, err := b.Cluster.Lookup(o.Object.Kind, o.Object.APIVersion()); err == nil {
		crd := addrs.Object{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition", Name: kind.Plural + "." + kind.Group}
		if definition, ok := b.objects.FindObject(crd); ok {
			needs = append(needs, definition.Addr)
		}
	}
	return needs
}

func (b *rebuilding) outputs(p *plan.Plan) {
	b.state.Outputs = nil
	for _, c := range p.Outputs {
		if c.Action == plan.Delete || c.Unknown {
			continue
		}
		o := state.Output{Type: c.Type, Sensitive: c.Sensitive}
		if c.Sensitive {
			o.Digest = b.state.Digest(c.After)
		} else {
			o.Value = c.After
		}
		if b.state.Outputs == nil {
			b.state.Outputs = map[string]state.Output{}
		}
		b.state.Outputs[c.Name] = o
	}
}

// compare finds how the state differs from the one there was.
func (r *Result) compare(old *state.State) {
	before, after := old.ByIdentity(), r.State.ByIdentity()
	for _, o := range r.State.Objects {
		was, known := before[o.Object.Identity()]
		switch {
		case !known:
			r.Added = append(r.Added, o)
		case !reflect.DeepEqual(was, o):
			r.Changed = append(r.Changed, o)
		}
	}
	for _, o := range old.Objects {
		if _, there := after[o.Object.Identity()]; !there {
			r.Gone = append(r.Gone, o)
		}
	}
}
