package kinds

import (
	"errors"
	"strings"
)

// OpenSet is a set for times without a cluster. Custom kinds that it does not
// hold are accepted if the configuration names their API version: they may well be
// served. Their shape is unknown, see Opaque.
type OpenSet struct{ *Set }

// Lookup is Set's, except that a kind of an API group that only a
// CustomResourceDefinition can have is never unknown. Its scope is not known
// without a cluster; it is assumed to be namespaced, as most are.
func (s OpenSet) Lookup(kind, apiVersion string) (*Kind, error) {
	found, err := s.Set.Lookup(kind, apiVersion)
	var unknown *UnknownError
	if errors.As(err, &unknown) && isCustom(unknown) {
		group, version, _ := strings.Cut(apiVersion, "/")
		return Opaque(group, version, kind, "", true), nil
	}
	return found, err
}

// isCustom reports whether what is unknown can be a custom kind: their groups have
// a dot. Those below k8s.io are Kubernetes' own or of its projects, so there a
// kind with a built-in's name is more likely a typing error.
func isCustom(e *UnknownError) bool {
	group, version, _ := strings.Cut(e.APIVersion, "/")
	return strings.Contains(group, ".") && version != "" && !IsBuiltinGroup(group) &&
		(len(e.Known) == 0 || !strings.HasSuffix(group, ".k8s.io"))
}

// Holds reports whether the set itself has the kind.
func (s OpenSet) Holds(k *Kind) bool {
	_, err := s.Set.Lookup(k.Name, k.APIVersion())
	return err == nil
}
