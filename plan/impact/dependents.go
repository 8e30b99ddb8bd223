package impact

import (
	"context"
	"slices"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/graph"
	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kube"
)

// dependents are the objects that a deletion could cascade to, as far as their
// metadata shows.
type dependents struct {
	stack       Stack
	inNamespace map[string][]dependent
	owned       map[string][]dependent // by the uid of an owner
	ofKind      map[addrs.GroupKind][]dependent
	uncounted   map[addrs.GroupKind]bool // what this user may not list
	silent      []string                 // API versions whose own server does not answer
	volumes     map[string]bool          // persistent volumes that are deleted with their claim
	claims      map[string]string        // volume by claim: namespace/name
	byUID       map[string]dependent
	managed     map[string]addrs.Object // those of the stack, by uid
	users       []user                  // what may hold a deleted object
	gone        map[string]bool         // uids of what is not there any more once all deletions are made
	deleted     map[addrs.Object]bool
}

type dependent struct {
	object     addrs.Object
	uid        string
	owned      bool
	owners     []string // their uids
	finalizers []string // that last
	stack      string   // another stack of kplan that manages it, "" for none
	deployed   bool     // a person or a tool that deploys made it, no controller
}

// scan reads the metadata of what the deletions could cascade to: what is
// in the namespaces concerned, the objects of deleted kinds, and the volumes if
// claims are among them.
func scan(ctx context.Context, cluster *kube.Cluster, stack Stack, toDelete []Deletion) (*dependents, error) {
	deps := &dependents{stack: stack,
		inNamespace: map[string][]dependent{}, owned: map[string][]dependent{}, ofKind: map[addrs.GroupKind][]dependent{},
		uncounted: map[addrs.GroupKind]bool{}, volumes: map[string]bool{}, claims: map[string]string{},
		byUID: map[string]dependent{}, gone: map[string]bool{}, deleted: map[addrs.Object]bool{},
	}
	deps.managed = make(map[string]addrs.Object, len(stack.UIDs))
	for o, uid := range stack.UIDs {
		deps.managed[uid] = o
	}
	served, err := cluster.ListableKinds(ctx)
	if err != nil {
		return nil, err
	}
	if deps.silent, err = cluster.UnavailableVersions(ctx); err != nil {
		return nil, err
	}
	s := &scanner{cluster: cluster, deps: deps, seen: map[string]bool{}}
	g, ctx := graph.NewGroup(ctx)
	namespaces := concerned(toDelete)
	for _, kind := range served {
		switch {
		case kinds.IsTransient(kind.Name):
		case slices.ContainsFunc(toDelete, func(c Deletion) bool { return kinds.DefinedBy(c.Live) == kind.GroupKind() }):
			g.Go(func() error { return s.everywhere(ctx, kind) })
		case kind.Namespaced && len(namespaces) > 0:
			g.Go(func() error { return s.kind(ctx, kind, namespaces) })
		}
	}
	g.Go(func() error { return s.volumes(ctx) })
	for _, of := range usersOf(toDelete) {
		g.Go(func() error { return s.using(ctx, of) })
	}
	return deps, g.Wait()
}

// concerned are the namespaces that deletions happen in, and those deleted.
func concerned(toDelete []Deletion) []string {
	var names []string
	for _, c := range toDelete {
		switch {
		case c.Object.Namespace != "":
			names = append(names, c.Object.Namespace)
		case c.Object.GroupKind() == kinds.Namespace:
			names = append(names, c.Object.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// scanner collects dependents from many lists at once.
type scanner struct {
	cluster *kube.Cluster
	mu      sync.Mutex
	deps    *dependents
	seen    map[string]bool // uids: some objects are served in two groups
}

// kind collects the objects of a kind in the namespaces. A kind that this user
// may not list can't be counted, which the plan reports.
func (s *scanner) kind(ctx context.Context, kind *kinds.Kind, namespaces []string) error {
	if len(namespaces) > manyNamespaces {
		return s.everywhere(ctx, kind)
	}
	for _, namespace := range namespaces {
		found, err := s.cluster.ListMetadata(ctx, kind, kube.ListOptions{Namespace: namespace})
		if err := s.add(kind, found, err); err != nil {
			return err
		}
	}
	return nil
}

func (s *scanner) everywhere(ctx context.Context, kind *kinds.Kind) error {
	found, err := s.cluster.ListMetadata(ctx, kind, kube.ListOptions{})
	return s.add(kind, found, err)
}

func (s *scanner) add(kind *kinds.Kind, found []*unstructured.Unstructured, err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch kube.ReasonOf(err) {
	case kube.NotServed, kube.NotFound:
		return nil
	case kube.Forbidden, kube.Unavailable:
		s.deps.uncounted[kind.GroupKind()] = true
		return nil
	}
	if err != nil {
		return err
	}
	for _, u := range found {
		uid := string(u.GetUID())
		if s.seen[uid] {
			continue
		}
		s.seen[uid] = true
		n := dependent{object: kind.Object(u.GetNamespace(), u.GetName()), uid: uid, owned: len(u.GetOwnerReferences()) > 0,
			finalizers: lastingFinalizers(u.GetFinalizers()), stack: s.deps.stack.Other(u), owners: ownersOf(u), deployed: isDeployed(u)}
		s.deps.byUID[uid] = n
		s.deps.inNamespace[u.GetNamespace()] = append(s.deps.inNamespace[u.GetNamespace()], n)
		s.deps.ofKind[kind.GroupKind()] = append(s.deps.ofKind[kind.GroupKind()], n)
		for _, owner := range n.owners {
			s.deps.owned[owner] = append(s.deps.owned[owner], n)
		}
	}
	return nil
}

// isDeployed reports whether a person or a tool that deploys made an object that has an
// owner. What has its owner as its controller belongs to that all the same, like a Job that
// kubectl creates from a CronJob.
func isDeployed(u *unstructured.Unstructured) bool {
	if len(u.GetOwnerReferences()) == 0 || metav1.GetControllerOfNoCopy(u) != nil {
		return false
	}
	first := ownership.Of(u.Object).First()
	return first != nil && ownership.IsDeployTool(first.Manager)
}

// volumes finds out which persistent volumes go with their claims.
func (s *scanner) volumes(ctx context.Context) error {
	kind, err := s.cluster.Lookup("PersistentVolume", "v1")
	if err != nil {
		return err
	}
	volumes, err := s.cluster.List(ctx, kind, kube.ListOptions{})
	s.mu.Lock()
	defer s.mu.Unlock()
	if kube.ReasonOf(err) == kube.Forbidden {
		s.deps.uncounted[kind.GroupKind()] = true
		return nil
	}
	if err != nil {
		return err
	}
	for _, v := range volumes {
		policy, _, _ := unstructured.NestedString(v.Object, "spec", "persistentVolumeReclaimPolicy")
		namespace, _, _ := unstructured.NestedString(v.Object, "spec", "claimRef", "namespace")
		name, _, _ := unstructured.NestedString(v.Object, "spec", "claimRef", "name")
		s.deps.volumes[v.GetName()] = policy == "Delete"
		if phase, _, _ := unstructured.NestedString(v.Object, "status", "phase"); phase == "Released" || phase == "Failed" {
			continue // the claim that it names is gone
		}
		s.deps.claims[addrs.Object{Namespace: namespace, Name: name}.QualifiedName()] = v.GetName()
	}
	return nil
}
