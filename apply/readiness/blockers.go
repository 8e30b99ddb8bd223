package readiness

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/value"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/ownership"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/kinds/relations"
	"kplan.dev/kplan/kube"
)

const (
	// lookAfter is how long a deletion may take before the objects that block it are
	// looked for, and lookEvery how often.
	lookAfter = 2 * time.Second
	lookEvery = 10 * time.Second

	blockersShown = 5
)

// Blockers explains what keeps one object that is being deleted.
type Blockers struct {
	Diagnoser *Diagnoser
	Start     time.Time

	looked time.Time
	others string // the objects that were found to block it then
}

// Of is what keeps the object: its own finalizers, and the objects that have to be
// deleted first; "" when nothing does.
func (b *Blockers) Of(ctx context.Context, live *unstructured.Unstructured) string {
	return join(ownFinalizers(live), b.objects(ctx, live))
}

func ownFinalizers(live *unstructured.Unstructured) string {
	if len(live.GetFinalizers()) == 0 {
		return ""
	}
	return "it is kept by " + finalizersOf(live)
}

// objects names the other objects that keep this one, by its kind.
func (b *Blockers) objects(ctx context.Context, live *unstructured.Unstructured) string {
	switch groupKindOf(live) {
	case kinds.Namespace:
		return b.content(ctx, live)
	case kinds.CustomResourceDefinition:
		return b.look(ctx, func(ctx context.Context) string { return b.Diagnoser.objectsOfKind(ctx, live) })
	case kinds.PersistentVolume:
		if claim := text(live, "spec", "claimRef", "name"); claim != "" && text(live, "status", "phase") == "Bound" {
			return "it is used by PersistentVolumeClaim " + text(live, "spec", "claimRef", "namespace") + "/" + claim
		}
		attachments := slices.DeleteFunc(slices.Clone(relations.HoldersOf(kinds.PersistentVolume)), func(of addrs.GroupKind) bool {
			return of == kinds.PersistentVolumeClaim
		})
		return b.look(ctx, func(ctx context.Context) string { return b.Diagnoser.using(ctx, live, attachments) })
	case kinds.Pod:
		if node := text(live, "spec", "nodeName"); node != "" && len(live.GetFinalizers()) == 0 {
			return fmt.Sprintf("node %s has not reported yet that it has stopped", node)
		}
	default:
		if users := relations.HoldersOf(groupKindOf(live)); len(users) > 0 {
			return b.look(ctx, func(ctx context.Context) string { return b.Diagnoser.using(ctx, live, users) })
		}
	}
	return ""
}

// look finds out what keeps the object, once in a while.
func (b *Blockers) look(ctx context.Context, find func(context.Context) string) string {
	if time.Since(b.Start) > lookAfter && time.Since(b.looked) > lookEvery {
		ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
		defer cancel()
		b.others, b.looked = find(ctx), time.Now()
	}
	return b.others
}

// content is what keeps a namespace from becoming empty: the objects in it with
// their finalizers where they can be read, else what its conditions report.
func (b *Blockers) content(ctx context.Context, live *unstructured.Unstructured) string {
	messages := deletionConditions(live)
	if remaining := messages["NamespaceContentRemaining"]; remaining != "" {
		within := b.look(ctx, func(ctx context.Context) string { return b.Diagnoser.objectsIn(ctx, live.GetName(), remaining) })
		if within != "" {
			delete(messages, "NamespaceContentRemaining")
			delete(messages, "NamespaceFinalizersRemaining")
			messages[""] = within
		}
	}
	var all []string
	for _, condition := range slices.Sorted(maps.Keys(messages)) {
		all = append(all, messages[condition])
	}
	return join(all...)
}

// deletionConditions are the messages of the conditions that report why a namespace
// still exists, by type.
func deletionConditions(live *unstructured.Unstructured) map[string]string {
	messages := map[string]string{}
	for _, condition := range conditionsOf(live) {
		kind, _ := condition["type"].(string)
		if message, _ := condition["message"].(string); strings.HasPrefix(kind, "Namespace") && condition["status"] == "True" && message != "" {
			messages[kind] = message
		}
	}
	return messages
}

// remainingResources is how a namespace names the resources of which something is
// left in it: "configmaps. has 1 resource instances", the group behind the dot.
var remainingResources = regexp.MustCompile(`([a-z0-9-]+)\.([a-z0-9.-]*) has \d+ resource instances`)

// objectsIn names the objects that are left in a namespace, and what each waits
// for; "" where that is not known.
func (d *Diagnoser) objectsIn(ctx context.Context, namespace, remaining string) string {
	served, err := d.Cluster.ListableKinds(ctx)
	if err != nil {
		return ""
	}
	var found []string
	for _, m := range remainingResources.FindAllStringSubmatch(remaining, -1) {
		for _, kind := range served {
			if kind.Plural != m[1] || kind.Group != m[2] {
				continue
			}
			objects, err := d.Cluster.ListMetadata(ctx, kind, kube.ListOptions{Namespace: namespace})
			if err != nil {
				return ""
			}
			for _, object := range objects {
				found = append(found, kind.Name+" "+object.GetName()+keptBy(object))
			}
		}
	}
	return listed("it still holds ", found)
}

// listed names the first of many objects; "" where there are none.
func listed(before string, found []string) string {
	if len(found) == 0 {
		return ""
	}
	more := ""
	if n := len(found) - blockersShown; n > 0 {
		found, more = found[:blockersShown], fmt.Sprintf("; and %d more", n)
	}
	return before + strings.Join(found, "; ") + more
}

// objectsOfKind names the objects of the kind that a definition defines, and what
// each waits for.
func (d *Diagnoser) objectsOfKind(ctx context.Context, definition *unstructured.Unstructured) string {
	group, plural := text(definition, "spec", "group"), text(definition, "spec", "names", "plural")
	served, err := d.Cluster.ListableKinds(ctx)
	if err != nil {
		return ""
	}
	at := slices.IndexFunc(served, func(k *kinds.Kind) bool { return k.Group == group && k.Plural == plural })
	if at < 0 {
		return ""
	}
	objects, err := d.Cluster.ListMetadata(ctx, served[at], kube.ListOptions{})
	if err != nil {
		return ""
	}
	var found []string
	for _, object := range objects {
		name := served[at].Object(object.GetNamespace(), object.GetName()).QualifiedName()
		found = append(found, served[at].Name+" "+name+keptBy(object))
	}
	return listed("still there: ", found)
}

// using names the objects of these kinds that keep another since they use it.
func (d *Diagnoser) using(ctx context.Context, used *unstructured.Unstructured, by []addrs.GroupKind) string {
	held := addrs.Object{
		Group: used.GroupVersionKind().Group, Kind: used.GetKind(), Namespace: used.GetNamespace(), Name: used.GetName(),
	}
	var found []string
	for _, of := range by {
		kind, err := d.Cluster.Lookup(of.Kind, schema.GroupVersion{Group: of.Group, Version: "v1"}.String())
		if err != nil {
			return ""
		}
		objects, err := d.Cluster.List(ctx, kind, kube.ListOptions{Namespace: held.Namespace})
		if err != nil {
			return ""
		}
		for _, o := range objects {
			if relations.Uses(kind, o.Object, held) {
				found = append(found, kind.Name+" "+o.GetName()+keptBy(o))
			}
		}
	}
	return listed("it is used by ", found)
}

func keptBy(live *unstructured.Unstructured) string {
	if len(live.GetFinalizers()) == 0 {
		return ""
	}
	return ", kept by " + finalizersOf(live)
}

// finalizersOf names the finalizers of an object and who added each, which is who
// has to remove it.
func finalizersOf(live *unstructured.Unstructured) string {
	var all []string
	for _, finalizer := range live.GetFinalizers() {
		words := "finalizer " + finalizer
		switch manager := finalizerManager(live, finalizer); {
		case knownFinalizers[finalizer] != "":
			words += " (" + knownFinalizers[finalizer] + ")"
		case manager != "":
			words += fmt.Sprintf(" (added by %q)", manager)
		}
		all = append(all, words)
	}
	return strings.Join(all, " and ")
}

// knownFinalizers are those that Kubernetes itself adds to objects, and what they
// wait for.
var knownFinalizers = map[string]string{
	"kubernetes.io/pvc-protection":                            "until no pod uses it",
	"kubernetes.io/pv-protection":                             "until no claim is bound to it",
	"foregroundDeletion":                                      "until what it owns is gone",
	"service.kubernetes.io/load-balancer-cleanup":             "until its load balancer is gone",
	"customresourcecleanup.apiextensions.k8s.io":              "until all objects of its kind are gone",
	"batch.kubernetes.io/job-tracking":                        "until its Job has counted it",
	"snapshot.storage.kubernetes.io/pvc-as-source-protection": "until no snapshot is being made of it",
}

// finalizerManager is the field manager of a finalizer, "" where there is none.
func finalizerManager(live *unstructured.Unstructured, finalizer string) string {
	element := fieldpath.MakePathOrDie("metadata", "finalizers", value.NewValueInterface(finalizer))
	for _, entry := range ownership.Of(live.Object) {
		if fields, err := entry.Fields(); err == nil && fields.Has(element) {
			return entry.Manager
		}
	}
	return ""
}
