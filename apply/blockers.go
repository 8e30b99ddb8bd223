package apply

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"kplan.dev/kplan/kube"
)

const (
	// lookAfter is how long a namespace may take to be emptied before kplan looks
	// what is left in it, and lookEvery how often it looks again.
	lookAfter = 2 * time.Second
	lookEvery = 10 * time.Second

	blockersShown = 5
)

// blockers tells what keeps one object that is being deleted.
type blockers struct {
	r      *runner
	start  time.Time
	looked time.Time
	within string // what was found in a namespace then
}

// of is what keeps the object: its own finalizers or, of a namespace, what is
// left in it; "" when nothing does.
func (b *blockers) of(ctx context.Context, live *unstructured.Unstructured) string {
	return join(ownFinalizers(live), b.content(ctx, live))
}

func ownFinalizers(live *unstructured.Unstructured) string {
	if len(live.GetFinalizers()) == 0 {
		return ""
	}
	return "it is kept by " + finalizersOf(live)
}

// content tells what keeps a namespace from becoming empty: the objects with
// their finalizers where they can be read, else what the cluster says of them.
func (b *blockers) content(ctx context.Context, live *unstructured.Unstructured) string {
	if live.GetKind() != "Namespace" || live.GetAPIVersion() != "v1" {
		return ""
	}
	said := namespaceSays(live)
	remaining := said["NamespaceContentRemaining"]
	if remaining != "" && time.Since(b.start) > lookAfter && time.Since(b.looked) > lookEvery {
		b.within, b.looked = b.r.lookInto(ctx, live.GetName(), remaining), time.Now()
	}
	if remaining != "" && b.within != "" {
		delete(said, "NamespaceContentRemaining")
		delete(said, "NamespaceFinalizersRemaining")
		said[""] = b.within
	}
	var all []string
	for _, condition := range slices.Sorted(maps.Keys(said)) {
		all = append(all, said[condition])
	}
	return join(all...)
}

// namespaceSays are the messages of the conditions that hold a namespace back.
func namespaceSays(live *unstructured.Unstructured) map[string]string {
	said := map[string]string{}
	for _, condition := range conditionsOf(live) {
		kind, _ := condition["type"].(string)
		if message, _ := condition["message"].(string); strings.HasPrefix(kind, "Namespace") && condition["status"] == "True" && message != "" {
			said[kind] = message
		}
	}
	return said
}

// remainingWords is how a namespace names the resources of which something is
// left in it: "configmaps. has 1 resource instances", the group behind the dot.
var remainingWords = regexp.MustCompile(`([a-z0-9-]+)\.([a-z0-9.-]*) has \d+ resource instances`)

// lookInto names the objects that are left in a namespace, and what each waits
// for; "" where that can't be told.
func (r *runner) lookInto(ctx context.Context, namespace, remaining string) string {
	ctx, cancel := context.WithTimeout(ctx, explainTime)
	defer cancel()
	served, err := r.Cluster.ListableKinds(ctx)
	if err != nil {
		return ""
	}
	var found []string
	for _, m := range remainingWords.FindAllStringSubmatch(remaining, -1) {
		for _, kind := range served {
			if kind.Plural != m[1] || kind.Group != m[2] {
				continue
			}
			objects, err := r.Cluster.ListMetadata(ctx, kind, kube.ListOptions{Namespace: namespace})
			if err != nil {
				return ""
			}
			for _, object := range objects {
				found = append(found, kind.Name+" "+object.GetName()+keptBy(object))
			}
		}
	}
	if len(found) == 0 {
		return ""
	}
	more := ""
	if n := len(found) - blockersShown; n > 0 {
		found, more = found[:blockersShown], fmt.Sprintf("; and %d more", n)
	}
	return "it still holds " + strings.Join(found, "; ") + more
}

func keptBy(live *unstructured.Unstructured) string {
	if len(live.GetFinalizers()) == 0 {
		return ""
	}
	return ", kept by " + finalizersOf(live)
}

// finalizersOf names the finalizers of an object and who put each there, who is
// the one that is to take it off.
func finalizersOf(live *unstructured.Unstructured) string {
	var all []string
	for _, finalizer := range live.GetFinalizers() {
		text := "finalizer " + finalizer
		switch manager := finalizerManager(live, finalizer); {
		case knownFinalizers[finalizer] != "":
			text += " (" + knownFinalizers[finalizer] + ")"
		case manager != "":
			text += fmt.Sprintf(" (put there by %q)", manager)
		}
		all = append(all, text)
	}
	return strings.Join(all, " and ")
}

// knownFinalizers are those that Kubernetes itself puts on objects, and what they
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

// finalizerManager is who the server recorded as owner of a finalizer, "" where
// nobody is.
func finalizerManager(live *unstructured.Unstructured, finalizer string) string {
	for _, entry := range live.GetManagedFields() {
		if entry.FieldsV1 == nil {
			continue
		}
		var fields struct {
			Metadata struct {
				Finalizers map[string]any `json:"f:finalizers"`
			} `json:"f:metadata"`
		}
		if err := json.Unmarshal(entry.FieldsV1.GetRawBytes(), &fields); err != nil {
			continue
		}
		if _, owns := fields.Metadata.Finalizers[fmt.Sprintf("v:%q", finalizer)]; owns {
			return entry.Manager
		}
	}
	return ""
}
