package hclspec

import (
	"encoding/base64"
	"maps"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/manifest"
	"kplan.dev/kplan/kinds"
)

var (
	metadataName        = addrs.NewPath("metadata", "name")
	metadataNamespace   = addrs.NewPath("metadata", "namespace")
	generatedName       = addrs.NewPath("metadata", "generateName")
	metadataLabels      = addrs.NewPath("metadata", "labels")
	metadataAnnotations = addrs.NewPath("metadata", "annotations")
)

// refuseStatus reports what only the server or a controller writes. An empty status, as generated
// manifests have it, is left out.
func (i *instance) refuseStatus() {
	if status, ok := i.Fields["status"]; ok {
		if !isEmpty(status) {
			i.problem("Field set by the server", addrs.NewPath("status"), "The status of an object is written by its controller. Remove it.")
		}
		delete(i.Fields, "status")
	}
	meta, _ := i.Fields["metadata"].(map[string]any)
	for n, name := range kinds.ServerMetadata {
		at := serverMetadata[n]
		if _, ok := meta[name]; ok || i.Unknown.Has(at) {
			i.problem("Field set by the server", at, "%s is written by the API server. Remove it.", at)
			delete(meta, name)
		}
	}
}

// serverMetadata are the paths of kinds.ServerMetadata, which each object is checked for.
var serverMetadata = func() []addrs.Path {
	paths := make([]addrs.Path, len(kinds.ServerMetadata))
	for n, name := range kinds.ServerMetadata {
		paths[n] = addrs.NewPath("metadata", name)
	}
	return paths
}()

func isEmpty(x any) bool {
	switch x := x.(type) {
	case map[string]any:
		for _, value := range x {
			if !isEmpty(value) {
				return false
			}
		}
		return true
	case []any:
		return !slices.ContainsFunc(x, func(value any) bool { return !isEmpty(value) })
	}
	return x == "" || x == nil
}

// checkNames reports names, namespaces, labels and annotations that the API
// server would refuse.
func (i *instance) checkNames() {
	if name := i.Object.Name; name != "" && !i.checkName("name", i.nameRule()(name, false)) {
		i.disown(metadataName)
		i.Object.Name = ""
	}
	meta := i.Fields["metadata"].(map[string]any)
	if prefix, _ := meta["generateName"].(string); prefix != "" {
		i.checkName("generateName", i.nameRule()(prefix, true))
	}
	if namespace, _ := meta["namespace"].(string); namespace != "" {
		i.checkName("namespace", dnsLabel(namespace, false))
	}
	i.checkLabels(meta["labels"])
	i.checkAnnotations(meta["annotations"])
}

func (i *instance) checkName(field string, faults []string) (valid bool) {
	if len(faults) > 0 {
		i.problem("Invalid name", addrs.NewPath("metadata", field),
			"metadata.%s is not valid for %s: %s.", field, manifest.WithArticle(i.Kind.Name), brief(faults))
	}
	return len(faults) == 0
}

// brief is the first fault without the examples and regular expressions that
// the library adds.
func brief(faults []string) string {
	text, _, _ := strings.Cut(faults[0], " (e.g. ")
	return text
}

// nameRule is the rule for the names of the kind's objects.
func (i *instance) nameRule() func(name string, isPrefix bool) []string {
	switch kind := i.Kind.GroupKind(); {
	case kind == kinds.Namespace, kind == kinds.Service:
		return dnsLabel
	case i.Kind.Group == "rbac.authorization.k8s.io", i.Kind.Group == "apiregistration.k8s.io",
		i.Kind.Group == "certificates.k8s.io", i.Kind.Group == "networking.k8s.io" && i.Kind.Name == "IPAddress",
		i.Kind.Group == "internal.apiserver.k8s.io":
		return pathSegment
	}
	return dnsSubdomain
}

func dnsLabel(name string, isPrefix bool) []string {
	return validation.IsDNS1123Label(completed(name, isPrefix))
}

func dnsSubdomain(name string, isPrefix bool) []string {
	return validation.IsDNS1123Subdomain(completed(name, isPrefix))
}

// pathSegment is what the API server asks of names that only have to fit into a
// URL.
func pathSegment(name string, isPrefix bool) []string {
	switch {
	case !isPrefix && (name == "." || name == ".."):
		return []string{"it can't be . or .."}
	case strings.ContainsAny(name, "/%"):
		return []string{"it can't hold / or %"}
	}
	return nil
}

// completed puts a letter where the server will put the rest of the name.
func completed(name string, isPrefix bool) string {
	if isPrefix && strings.HasSuffix(name, "-") {
		return name[:len(name)-1] + "a"
	}
	return name
}

func (i *instance) checkLabels(labels any) {
	entries, _ := labels.(map[string]any)
	if i.Sensitive.Has(metadataLabels) {
		return // what is wrong must not be shown
	}
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		if faults := validation.IsQualifiedName(key); len(faults) > 0 {
			i.problem("Invalid label", metadataLabels.Field(key), "%q can't be the key of a label: %s.", key, brief(faults))
		}
		value, _ := entries[key].(string)
		if faults := validation.IsValidLabelValue(value); len(faults) > 0 {
			i.problem("Invalid label", metadataLabels.Field(key), "The value of label %q is not valid: %s.", key, brief(faults))
		}
	}
}

func (i *instance) checkAnnotations(annotations any) {
	entries, _ := annotations.(map[string]any)
	i.checkAnnotationsSize(entries)
	if i.Sensitive.Has(metadataAnnotations) {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		if faults := validation.IsQualifiedName(strings.ToLower(key)); len(faults) > 0 {
			i.problem("Invalid annotation", metadataAnnotations.Field(key), "%q can't be the key of an annotation: %s.", key, brief(faults))
		}
	}
}

const (
	mostData        = 1 << 20   // bytes of all values of a ConfigMap or Secret
	mostAnnotations = 256 << 10 // bytes of all keys and values
)

// checkData reports keys and sizes of a ConfigMap or Secret that the API server
// would refuse. The plan of an object whose namespace is made with it can't ask.
func (i *instance) checkData() {
	isSecret := i.isSecret()
	if !isSecret && i.Kind.GroupKind() != kinds.ConfigMap {
		return
	}
	size, most := 0, 0
	var largest addrs.Path
	for _, field := range []string{"data", "binaryData"} {
		entries, _ := i.Fields[field].(map[string]any)
		at := addrs.NewPath(field)
		for _, key := range slices.Sorted(maps.Keys(entries)) {
			if faults := validation.IsConfigMapKey(key); len(faults) > 0 {
				name := strconv.Quote(key)
				if !isSecret && i.Sensitive.Has(at) { // which keys a Secret has is no secret
					name = "A sensitive text"
				}
				i.problem("Invalid key", at.Field(key), "%s can't be a key in %s: %s.", name, manifest.WithArticle(i.Kind.Name), brief(faults))
			}
			value, _ := entries[key].(string)
			n := decodedSize(value, isSecret || field == "binaryData")
			if size += n; n > most {
				most, largest = n, at.Field(key)
			}
		}
	}
	if size > mostData {
		i.problem("Object is too large", largest, "All values of %s together hold 1 MiB at most.", manifest.WithArticle(i.Kind.Name))
	}
}

func decodedSize(value string, isEncoded bool) int {
	if isEncoded {
		return base64.RawStdEncoding.DecodedLen(len(strings.TrimRight(value, "=")))
	}
	return len(value)
}

// checkAnnotationsSize reports annotations that are too much for the API server.
func (i *instance) checkAnnotationsSize(entries map[string]any) {
	size := 0
	for key, value := range entries {
		text, _ := value.(string)
		size += len(key) + len(text)
	}
	if size > mostAnnotations {
		i.problem("Object is too large", metadataAnnotations, "All annotations of an object together hold 256 KiB at most.")
	}
}
