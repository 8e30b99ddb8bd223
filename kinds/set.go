package kinds

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/version"

	"kplan.dev/kplan/internal/words"
)

// Set is the kinds that a configuration may use. The zero Set is empty. A Set
// is never changed once made; With makes a larger one.
type Set struct {
	byName map[string][]*Kind // those of one name in order of preference
}

// Builtin is the kinds that the API server of this release serves without any
// CustomResourceDefinition and that can be created and kept.
var Builtin = sync.OnceValue(func() *Set {
	t := builtin()
	all := make([]*Kind, len(t.kinds))
	for i, line := range t.kinds {
		all[i] = t.kind(line)
	}
	return new(Set).With(all...)
})

// With is the set with these kinds added, each in place of the one with the
// same group, version and name if there was one.
func (s *Set) With(kinds ...*Kind) *Set {
	larger := &Set{byName: maps.Clone(s.byName)}
	if larger.byName == nil {
		larger.byName = make(map[string][]*Kind, len(kinds))
	}
	for _, k := range kinds {
		rest := slices.DeleteFunc(slices.Clone(larger.byName[k.Name]), func(old *Kind) bool {
			return old.Group == k.Group && old.Version == k.Version
		})
		at, _ := slices.BinarySearchFunc(rest, k, comparePreference)
		larger.byName[k.Name] = slices.Insert(rest, at, k)
	}
	return larger
}

// comparePreference orders the kinds of one name: built-in groups before those
// that a cluster adds, then by group, then as the API server prefers versions:
// v2, v1, v1beta2, v1beta1, v1alpha1.
func comparePreference(a, b *Kind) int {
	return cmp.Or(
		-compareBool(IsBuiltinGroup(a.Group), IsBuiltinGroup(b.Group)),
		cmp.Compare(a.Group, b.Group),
		-version.CompareKubeAwareVersionStrings(a.Version, b.Version))
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

var builtinGroups = sync.OnceValue(func() map[string]bool {
	groups := map[string]bool{}
	for _, g := range builtin().groups() {
		groups[g] = true
	}
	return groups
})

// IsBuiltinGroup reports whether the group is one of Kubernetes itself.
func IsBuiltinGroup(group string) bool { return builtinGroups()[group] }

// Kinds are the kinds of the set by group, name and preference of version.
func (s *Set) Kinds() []*Kind {
	var all []*Kind
	for _, versions := range s.byName {
		all = append(all, versions...)
	}
	slices.SortFunc(all, func(a, b *Kind) int {
		return cmp.Or(
			cmp.Compare(a.Group, b.Group),
			cmp.Compare(a.Name, b.Name),
			comparePreference(a, b))
	})
	return all
}

// Lookup finds the kind as a manifest spells it. With apiVersion "" it is the
// version that the API server prefers; a kind of a built-in group then comes
// before one of the same name that a cluster adds, so that installing a custom
// resource changes no configuration. The error is an *UnknownError or an
// *AmbiguousError.
func (s *Set) Lookup(kind, apiVersion string) (*Kind, error) {
	known := s.byName[kind]
	if apiVersion != "" {
		for _, k := range known {
			if k.APIVersion() == apiVersion {
				return k, nil
			}
		}
		return nil, s.unknown(kind, apiVersion)
	}
	if len(known) == 0 {
		return nil, s.unknown(kind, "")
	}
	best := known[0]
	if rivals := sameRank(known); len(rivals) > 1 {
		return nil, &AmbiguousError{Kind: kind, APIVersions: rivals}
	}
	return best, nil
}

// sameRank is the preferred API version of each group that has the best claim
// to the name.
func sameRank(known []*Kind) []string {
	var apiVersions []string
	for i, k := range known {
		if IsBuiltinGroup(k.Group) == IsBuiltinGroup(known[0].Group) && (i == 0 || known[i-1].Group != k.Group) {
			apiVersions = append(apiVersions, k.APIVersion())
		}
	}
	return apiVersions
}

// UnknownError reports that no kind of that name, or none in that API version, is
// known.
type UnknownError struct {
	Kind        string
	APIVersion  string   // as asked for; "" when none was
	Nearest     string   // the kind that was probably meant, "" when none is close
	Known       []string // the API versions that do have the kind, the preferred first
	Unavailable []string // API versions of which it is not known now whether they have it
	Misspelled  bool     // Nearest is of the API group that was asked for, and a slip away
}

func (e *UnknownError) Error() string {
	switch {
	case len(e.Known) > 0:
		return "kind " + e.Kind + " is not known in API version " + e.APIVersion + "; it is in " + words.Or(e.Known)
	case e.Nearest != "":
		return "kind " + e.Kind + " is not known; did you mean " + e.Nearest + "?"
	}
	return "kind " + e.Kind + " is not known"
}

// AmbiguousError reports that several API groups have a kind of that name.
type AmbiguousError struct {
	Kind        string
	APIVersions []string // the preferred version of each group
}

func (e *AmbiguousError) Error() string {
	return "kind " + e.Kind + " is served by several API groups; apiVersion must be " + words.Or(e.APIVersions)
}

func (s *Set) unknown(kind, apiVersion string) *UnknownError {
	e := &UnknownError{Kind: kind, APIVersion: apiVersion}
	for _, k := range s.byName[kind] {
		e.Known = append(e.Known, k.APIVersion())
	}
	if len(e.Known) == 0 {
		e.Nearest = s.nearest(kind)
	}
	group, _, _ := strings.Cut(apiVersion, "/")
	if near := s.misspelled(kind, group); near != "" {
		e.Nearest, e.Misspelled = near, true
	}
	return e
}

// misspelled is the kind of an API group of which the given name is a slip away, "" for
// none.
func (s *Set) misspelled(given, group string) string {
	lower := strings.ToLower(given)
	for _, name := range slices.Sorted(maps.Keys(s.byName)) {
		for _, k := range s.byName[name] {
			known := strings.ToLower(name)
			if k.Group == group && name != given && (known == lower || k.Plural == lower || words.IsTypo(lower, known)) {
				return name
			}
		}
	}
	return ""
}

// nearest is the kind that a user meant who wrote pod, pods, po or Pdo.
func (s *Set) nearest(given string) string {
	lower := strings.ToLower(given)
	names := slices.Sorted(maps.Keys(s.byName))
	for _, name := range names {
		if strings.ToLower(name) == lower || s.byName[name][0].Plural == lower {
			return name
		}
	}
	if name := builtin().short[lower]; s.byName[name] != nil {
		return name
	}
	spellings := make([]string, len(names))
	for i, name := range names {
		spellings[i] = strings.ToLower(name)
	}
	if near := words.Nearest(lower, spellings); near != "" {
		return names[slices.Index(spellings, near)]
	}
	return ""
}
