package hclspec

import (
	"encoding/base64"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/kinds"
)

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
				i.problem("Invalid key", at.Field(key), "%q can't be a key in %s: %s.", key, withArticle(i.Kind.Name), brief(faults))
			}
			value, _ := entries[key].(string)
			n := decodedSize(value, isSecret || field == "binaryData")
			if size += n; n > most {
				most, largest = n, at.Field(key)
			}
		}
	}
	if size > mostData {
		i.problem("Object is too large", largest, "All values of %s together hold 1 MiB at most.", withArticle(i.Kind.Name))
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
