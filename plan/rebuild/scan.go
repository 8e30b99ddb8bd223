// Package rebuild makes a state that is lost, or behind, from the cluster.
//
// ScanCluster scans the cluster for objects that bear kplan's label and that kplan has
// applied. State then adds what a plan with the configuration shows: what depends on
// what, what is sensitive or protected, and the outputs. Nothing in the cluster is
// changed.
package rebuild

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/hcl/v2"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/graph"
	"kplan.dev/kplan/internal/diag"
	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/plan"
)

// Scan is what the cluster itself records of stacks: the objects that bear
// kplan's label and that kplan has applied. It needs no state.
type Scan struct {
	Objects  []Scanned  // in no order
	Unlisted []Unlisted // by kind
}

// Scanned is an object as its own metadata describes it.
type Scanned struct {
	Stack  string
	Object addrs.Object   // in the version that kplan applied last
	Addr   addrs.Instance // zero where its annotation is not the address of such an object
	UID    string
	Made   time.Time
}

// Unlisted is a kind of which there may be objects that a scan did not see.
type Unlisted struct {
	Kind string // or a whole group version
	Why  string
}

// ScanCluster scans the cluster for the objects of a stack, of all stacks where
// stackID is "". Where this user may not list the whole cluster, it looks into
// the namespaces that the configuration and the state name.
func ScanCluster(ctx context.Context, in plan.Input, stackID string) (*Scan, hcl.Diagnostics) {
	scan, err := scanCluster(ctx, in, stackID)
	return scan, diag.FromKube(err, nil, "")
}

func scanCluster(ctx context.Context, in plan.Input, stackID string) (*Scan, error) {
	served, err := in.Cluster.ListableKinds(ctx)
	if err != nil {
		return nil, err
	}
	selector := addrs.StackLabel
	if stackID != "" {
		selector += "=" + stackID
	}
	l := &scanner{
		cluster: in.Cluster, selector: selector, seen: map[string]int{},
		namespaces: sync.OnceValue(func() []string { return namespaces(ctx, in) }),
	}
	g, listing := graph.NewGroup(ctx)
	for _, kind := range served {
		if !kinds.IsTransient(kind.Name) {
			g.Go(func() error { return l.kind(listing, kind) })
		}
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	silent, err := in.Cluster.UnavailableVersions(ctx)
	for _, version := range silent {
		l.found.Unlisted = append(l.found.Unlisted, Unlisted{version, "its server does not answer the API server"})
	}
	slices.SortFunc(l.found.Unlisted, func(a, b Unlisted) int { return strings.Compare(a.Kind, b.Kind) })
	return &l.found, err
}

// namespaces are those of the objects in the state and in the configuration, as
// far as it can be understood without a cluster.
func namespaces(ctx context.Context, in plan.Input) []string {
	in.Cluster = nil
	var names []string
	if p, _ := plan.Make(ctx, in); p != nil {
		for _, c := range p.Changes {
			if c.Object.Namespace != "" {
				names = append(names, c.Object.Namespace)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

type scanner struct {
	cluster    *kube.Cluster
	selector   string
	namespaces func() []string // asked for once it turns out that they are needed

	mu    sync.Mutex
	found Scan
	seen  map[string]int // by uid, where in found: some objects are served in two groups
}

func (l *scanner) kind(ctx context.Context, kind *kinds.Kind) error {
	found, err := l.cluster.ListMetadata(ctx, kind, kube.ListOptions{Selector: l.selector})
	if kube.ReasonOf(err) == kube.Forbidden && kind.Namespaced && len(l.namespaces()) > 0 {
		found, err = l.cluster.ListMetadata(ctx, kind, kube.ListOptions{Selector: l.selector, Namespaces: l.namespaces()})
		if err == nil {
			l.addUnlisted(kind, "this user may list it only in "+strings.Join(l.namespaces(), ", "))
		}
	}
	switch kube.ReasonOf(err) {
	case kube.NotServed, kube.NotFound: // gone since discovery, and its objects with it
	case kube.Forbidden:
		l.addUnlisted(kind, "this user may not list it")
	case kube.Unavailable, kube.Timeout, kube.NotKubernetes:
		l.addUnlisted(kind, "its server does not answer")
	default:
		if err != nil {
			return err
		}
	}
	l.addFound(kind, found)
	return nil
}

// addUnlisted notes that objects of a kind may be missing.
func (l *scanner) addUnlisted(kind *kinds.Kind, why string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.found.Unlisted = append(l.found.Unlisted, Unlisted{kind.GroupKind().String(), why})
}

// addFound notes the objects that kplan has applied. Others bear the label since
// somebody copied it, as the endpoint slices of a Service do.
func (l *scanner) addFound(kind *kinds.Kind, found []*unstructured.Unstructured) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, live := range found {
		stack := live.GetLabels()[addrs.StackLabel]
		if !plan.MadeBy(live, stack) {
			continue
		}
		s := Scanned{Stack: stack, Object: kind.Object(live.GetNamespace(), live.GetName()),
			UID: string(live.GetUID()), Made: live.GetCreationTimestamp().Time}
		addr, err := addrs.ParseInstance(live.GetAnnotations()[addrs.AddressAnnotation])
		if err == nil && addr.Resource.MayBecome(addrs.Resource{Type: kind.Name}) {
			s.Addr = addr
		}
		group, version := appliedIn(live)
		if group == kind.Group {
			s.Object.Version = version // it need not be the one that the group prefers
		}
		if i, twice := l.seen[s.UID]; !twice {
			l.seen[s.UID] = len(l.found.Objects)
			l.found.Objects = append(l.found.Objects, s)
		} else if group == kind.Group {
			l.found.Objects[i] = s
		}
	}
}

// appliedIn is the API version that kplan has applied an object in.
func appliedIn(live *unstructured.Unstructured) (group, version string) {
	if own := ownership.Of(live.Object).OwnEntry(); own != nil {
		group, version, _ = addrs.SplitAPIVersion(own.APIVersion)
	}
	return group, version
}

// Of are the objects of one stack, the oldest first.
func (s *Scan) Of(stackID string) []Scanned {
	own := slices.DeleteFunc(slices.Clone(s.Objects), func(o Scanned) bool { return o.Stack != stackID })
	slices.SortFunc(own, func(a, b Scanned) int {
		return cmp.Or(a.Made.Compare(b.Made), strings.Compare(a.Object.Namespace, b.Object.Namespace), a.Object.Compare(b.Object))
	})
	return own
}

// Stacks are the ids of the stacks that objects were found of, sorted.
func (s *Scan) Stacks() []string {
	var ids []string
	for _, o := range s.Objects {
		ids = append(ids, o.Stack)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// String is the kind and why its objects may be missing.
func (h Unlisted) String() string { return fmt.Sprintf("%s: %s", h.Kind, h.Why) }
