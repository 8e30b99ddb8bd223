// Package kubernetes keeps states in a Kubernetes namespace: of each stack the head as a Lease, whose
// resourceVersion the API server compares, and the parts as Secrets.
//
// A service account needs, in that namespace alone, get, create and patch on leases of
// coordination.k8s.io, and get, list, create, patch and delete on secrets; to read, get on both. kplan creates by
// server-side apply, which is a patch.
package kubernetes

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kube"
	"kplan.dev/kplan/state"
	"kplan.dev/kplan/state/remote"
)

const (
	headAnnotation = "kplan.dev/state-head"
	nameLabel      = "kplan.dev/state"
	secretType     = "kplan.dev/state-part"
	partKey        = "part"
	prefix         = "kplan-state-"
	// maxPart leaves room for what else a Secret has: an API server takes 1 MiB of data.
	maxPart = 512 << 10
)

// Place is a remote.Place in a namespace.
type Place struct {
	cluster         *kube.Cluster
	namespace, name string
	lease, secret   *kinds.Kind

	mu   sync.Mutex
	uids map[string]string // of objects that were seen, by name
}

// At is where the state of that name is kept in a namespace, which must exist.
func At(cluster *kube.Cluster, namespace, name string) *Place {
	return &Place{
		cluster: cluster, namespace: namespace, name: name, uids: map[string]string{},
		lease: builtin("Lease", "coordination.k8s.io/v1"), secret: builtin("Secret", "v1"),
	}
}

func builtin(kind, apiVersion string) *kinds.Kind {
	k, err := kinds.Builtin().Lookup(kind, apiVersion)
	if err != nil {
		panic("kubernetes: " + err.Error())
	}
	return k
}

// String names the Lease: "lease acme-state/kplan-state-prod".
func (p *Place) String() string { return "lease " + p.namespace + "/" + p.headName() }

func (p *Place) headName() string { return prefix + p.name }

// MaxPart is what fits into a Secret.
func (*Place) MaxPart() int { return maxPart }

// Head reads the annotation of the Lease.
func (p *Place) Head(ctx context.Context) ([]byte, string, error) {
	live, err := p.get(ctx, p.lease, p.headName())
	if err != nil {
		return nil, "", err
	}
	text, ok := live.GetAnnotations()[headAnnotation]
	if !ok {
		return nil, "", fmt.Errorf("it has no annotation %s: it is no state of kplan, or was emptied", headAnnotation)
	}
	return []byte(text), live.GetResourceVersion(), nil
}

// Swap creates the Lease, or applies to the one of that resourceVersion.
func (p *Place) Swap(ctx context.Context, head []byte, version string) (string, error) {
	object := p.object(p.lease, p.headName())
	object["metadata"].(map[string]any)["annotations"] = map[string]any{headAnnotation: string(head)}
	object["spec"] = holder(head)
	var live *unstructured.Unstructured
	var err error
	if version == "" {
		live, err = p.cluster.Create(ctx, p.lease, object)
	} else {
		live, err = p.cluster.Apply(ctx, p.lease, object, kube.ApplyOptions{ResourceVersion: version, Force: true})
	}
	if err != nil {
		return "", p.swapError(err)
	}
	return live.GetResourceVersion(), nil
}

// holder is the spec of the Lease, which kubectl shows. Nothing else reads it.
func holder(head []byte) map[string]any {
	var h struct {
		Lock *struct {
			Who              string
			Created, Renewed time.Time
		}
	}
	if json.Unmarshal(head, &h) != nil || h.Lock == nil {
		return map[string]any{}
	}
	const micro = "2006-01-02T15:04:05.000000Z07:00"
	return map[string]any{
		"holderIdentity": h.Lock.Who,
		"acquireTime":    h.Lock.Created.UTC().Format(micro),
		"renewTime":      h.Lock.Renewed.UTC().Format(micro),
	}
}

func (p *Place) swapError(err error) error {
	switch kube.ReasonOf(err) {
	case kube.NamespaceMissing:
		return fmt.Errorf("the namespace %s of the backend does not exist; create it first", p.namespace)
	case kube.ResourceVersionChanged, kube.AlreadyExists, kube.NotFound, kube.ReplacedOutside:
		return remote.ErrChanged
	case kube.Forbidden:
		return fmt.Errorf("%w: %w", remote.ErrReadOnly, p.explain(err))
	case kube.OutcomeUnknown, kube.Unavailable, kube.Timeout, kube.Unreachable:
		return fmt.Errorf("%w: %w", remote.ErrUnanswered, err)
	}
	return err
}

// Put creates a Secret.
func (p *Place) Put(ctx context.Context, name string, part []byte) error {
	object := p.object(p.secret, p.partName(name))
	object["type"] = secretType
	object["data"] = map[string]any{partKey: base64.StdEncoding.EncodeToString(part)}
	live, err := p.cluster.Create(ctx, p.secret, object)
	if err != nil && kube.ReasonOf(err) != kube.AlreadyExists {
		return p.explain(err)
	}
	if err == nil {
		p.saw(live)
	}
	return nil
}

// Get reads a Secret.
func (p *Place) Get(ctx context.Context, name string) ([]byte, error) {
	live, err := p.get(ctx, p.secret, p.partName(name))
	if err != nil {
		return nil, err
	}
	text, _, _ := unstructured.NestedString(live.Object, "data", partKey)
	part, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, fmt.Errorf("secret %s/%s: data.%s: %w", p.namespace, live.GetName(), partKey, err)
	}
	return part, nil
}

// List lists the Secrets of this state, by label.
func (p *Place) List(ctx context.Context) ([]string, error) {
	live, err := p.cluster.ListMetadata(ctx, p.secret, kube.ListOptions{Namespace: p.namespace, Selector: nameLabel + "=" + p.name})
	if err != nil {
		return nil, p.explain(err)
	}
	var names []string
	for _, o := range live {
		p.saw(o)
		if name, ok := strings.CutPrefix(o.GetName(), p.partName("")); ok {
			names = append(names, name)
		}
	}
	return names, nil
}

// Delete deletes a Secret.
func (p *Place) Delete(ctx context.Context, name string) error {
	uid, err := p.uidOf(ctx, p.partName(name))
	if err == nil {
		err = p.cluster.Delete(ctx, p.secret, p.namespace, p.partName(name), kube.DeleteOptions{UID: uid})
	}
	if kube.ReasonOf(err) == kube.NotFound || errors.Is(err, state.ErrNotExist) {
		return nil
	}
	return p.explain(err)
}

// explain adds to a refusal by RBAC which rights the backend needs.
func (p *Place) explain(err error) error {
	if kube.ReasonOf(err) != kube.Forbidden || !strings.Contains(err.Error(), " cannot ") { // but by a quota or a policy
		return err
	}
	return fmt.Errorf("%w. In the namespace %s the backend needs the verbs get, create and patch for leases, and get, list, create, "+
		"patch and delete for secrets", err, p.namespace)
}

func (p *Place) partName(name string) string { return prefix + p.name + "-" + name }

func (p *Place) object(k *kinds.Kind, name string) map[string]any {
	return map[string]any{
		"apiVersion": k.APIVersion(), "kind": k.Name,
		"metadata": map[string]any{
			"name": name, "namespace": p.namespace,
			"labels": map[string]any{nameLabel: p.name},
		},
	}
}

func (p *Place) get(ctx context.Context, k *kinds.Kind, name string) (*unstructured.Unstructured, error) {
	live, err := p.cluster.Get(ctx, k, p.namespace, name)
	switch kube.ReasonOf(err) {
	case kube.NotFound, kube.NamespaceMissing:
		return nil, state.ErrNotExist
	}
	if err != nil {
		return nil, p.explain(err)
	}
	p.saw(live)
	return live, nil
}

func (p *Place) saw(live *unstructured.Unstructured) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.uids[live.GetName()] = string(live.GetUID())
}

// uidOf is the uid of a Secret, which a deletion must name.
func (p *Place) uidOf(ctx context.Context, name string) (string, error) {
	p.mu.Lock()
	uid := p.uids[name]
	p.mu.Unlock()
	if uid != "" {
		return uid, nil
	}
	live, err := p.get(ctx, p.secret, name)
	if err != nil {
		return "", err
	}
	return string(live.GetUID()), nil
}
