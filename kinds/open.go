package kinds

import (
	"errors"
	"slices"
	"strings"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/internal/words"
)

// OpenSet is a set for times without a cluster. Custom kinds that it does not
// hold are accepted if the configuration names their API version: they may well be
// served.
type OpenSet struct{ *Set }

// Lookup is Set's, except that a kind that a CustomResourceDefinition may define is
// undefined rather than unknown.
func (s OpenSet) Lookup(kind, apiVersion string) (*Kind, error) {
	found, err := s.Set.Lookup(kind, apiVersion)
	return orUndefined(found, err)
}

// Expecting is the kinds that a cluster serves, and those that it may serve by the time
// that they are needed: an operator may bring their definitions.
type Expecting struct {
	Served interface {
		Lookup(kind, apiVersion string) (*Kind, error)
	}
}

// Lookup is that of the cluster, except that a kind that a CustomResourceDefinition may
// define is undefined rather than unknown.
func (e Expecting) Lookup(kind, apiVersion string) (*Kind, error) {
	found, err := e.Served.Lookup(kind, apiVersion)
	return orUndefined(found, err)
}

func orUndefined(found *Kind, err error) (*Kind, error) {
	var unknown *UnknownError
	if errors.As(err, &unknown) && unknown.MayBeDefined() {
		group, version, _ := strings.Cut(unknown.APIVersion, "/")
		found = Opaque(group, version, unknown.Kind, "", true)
		found.Undefined = true
		return found, nil
	}
	return found, err
}

// Scoped is an undefined kind whose objects have a namespace or not.
func (k *Kind) Scoped(namespaced bool) *Kind {
	if k.Namespaced == namespaced {
		return k
	}
	scoped := *k
	scoped.Namespaced = namespaced
	return &scoped
}

// MayBeDefined reports whether what is unknown may be a custom kind that is defined
// elsewhere. The groups of those have a dot. It is more likely a typing error where the
// API group has the kind in another version or under nearly that name, or where a group of
// nearly that name has it; and below k8s.io, which is Kubernetes' own and its projects',
// where any group has it.
func (e *UnknownError) MayBeDefined() bool {
	group, version, _ := strings.Cut(e.APIVersion, "/")
	return strings.Contains(group, ".") && version != "" && !IsBuiltinGroup(group) && len(e.Unavailable) == 0 && !e.Misspelled &&
		(len(e.Known) == 0 || !strings.HasSuffix(group, ".k8s.io")) && !slices.ContainsFunc(e.Known, func(apiVersion string) bool {
		known, _, err := addrs.SplitAPIVersion(apiVersion)
		return err == nil && (known == group || words.IsTypo(group, known))
	})
}
