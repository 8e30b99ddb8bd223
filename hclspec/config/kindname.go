package config

import (
	"errors"
	"strings"

	"kplan.dev/kplan/kinds"
)

// NearestKind is the kind that a label which can't be one most likely means:
// pod, pods, deploy, config-map, kubernetes_config_map_v1. It is "" for none.
func NearestKind(label string) string {
	word := strings.TrimPrefix(label, "kubernetes_")
	for _, version := range []string{"_v1", "_v2", "_v1beta1", "_v2beta2"} {
		word = strings.TrimSuffix(word, version)
	}
	word = strings.NewReplacer("_", "", "-", "", " ", "").Replace(word)
	_, err := kinds.Builtin().Lookup(word, "")
	var unknown *kinds.UnknownError
	if errors.As(err, &unknown) {
		return unknown.Nearest
	}
	return word
}
