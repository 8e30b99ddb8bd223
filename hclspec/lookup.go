package hclspec

import (
	"errors"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/manifest"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/internal/words"
	"kplan.dev/kplan/kinds"
)

// kindFinder finds the description of a resource's kind: that of a CustomResourceDefinition in the
// same configuration before what the cluster has of it, since the cluster will have that one.
type kindFinder struct {
	known    config.Kinds
	declared *kinds.Set
	by       map[*kinds.Kind]addrs.Instance // the definitions of those declared
	// leavesOut reports whether a block for definitions has no instance: what it would
	// define may be unknown to blocks that have none either.
	leavesOut bool
}

// unknownKind is the summary of the problem that there is no such kind.
const unknownKind = "Unknown kind"

func newKindFinder(known config.Kinds) *kindFinder {
	if known == nil {
		known = kinds.Builtin()
	}
	return &kindFinder{known: known, declared: &kinds.Set{}, by: map[*kinds.Kind]addrs.Instance{}}
}

// declare adds the kinds of a CustomResourceDefinition.
func (f *kindFinder) declare(declared []*kinds.Kind, by addrs.Instance) {
	f.declared = f.declared.With(declared...)
	for _, k := range declared {
		f.by[k] = by
	}
}

// lookup finds a kind. at is the range that is blamed if there is none: the API
// version, or the head of the block where that is empty.
func (f *kindFinder) lookup(name, apiVersion string, at hcl.Range) (*kinds.Kind, hcl.Diagnostics) {
	kind, err := f.find(name, apiVersion)
	if err == nil {
		return kind, nil
	}
	return nil, problemOfKind(err, name, at)
}

func (f *kindFinder) find(name, apiVersion string) (*kinds.Kind, error) {
	known, err := f.known.Lookup(name, apiVersion)
	declared, declaredErr := f.declared.Lookup(name, apiVersion)
	var notKnown, notDeclared *kinds.UnknownError
	switch {
	case errors.As(declaredErr, &notDeclared):
		if errors.As(err, &notKnown) {
			return nil, moreHelpful(notKnown, notDeclared)
		}
		if known != nil && known.Undefined && !notDeclared.MayBeDefined() {
			return nil, notDeclared
		}
		return known, err
	case declaredErr != nil:
		return nil, declaredErr
	case errors.As(err, &notKnown), apiVersion != "":
		return declared, nil
	case err != nil || !known.IsCustom():
		return known, err
	case known.Group != declared.Group:
		return nil, &kinds.AmbiguousError{Kind: name, APIVersions: []string{known.APIVersion(), declared.APIVersion()}}
	}
	return declared, nil
}

// moreHelpful is the error with the better suggestion, with the silent APIs of both.
func moreHelpful(a, b *kinds.UnknownError) *kinds.UnknownError {
	merged := *a
	if len(a.Known) == 0 && (len(b.Known) > 0 || a.Nearest == "") {
		merged = *b
	}
	if b.Misspelled && !a.Misspelled {
		merged.Nearest = b.Nearest
	}
	merged.Misspelled = a.Misspelled || b.Misspelled
	merged.Unavailable = slices.Concat(a.Unavailable, b.Unavailable)
	return &merged
}

func problemOfKind(err error, name string, at hcl.Range) hcl.Diagnostics {
	var (
		ambiguous *kinds.AmbiguousError
		unknown   *kinds.UnknownError
	)
	switch {
	case errors.As(err, &ambiguous):
		return source.Problem("Ambiguous kind", at,
			"Several API groups have a kind %s. Say which one is meant: apiVersion = %s.", name,
			words.Or(manifest.Quoted(ambiguous.APIVersions)))
	case !errors.As(err, &unknown):
		diags := source.Problem(unknownKind, at, "%s.", manifest.UpperFirst(err.Error()))
		diags[0].Extra = err // which may concern more than this kind
		return diags
	case len(unknown.Known) > 0:
		return source.Problem(unknownKind, at,
			"There is no %s in API version %s. It is in %s.%s", name, unknown.APIVersion, words.Or(unknown.Known), mayBeIn(unknown.Unavailable))
	case unknown.Nearest != "":
		return source.Problem(unknownKind, at, "There is no kind %q.%s%s",
			name, words.DidYouMean(unknown.Nearest), mayBeIn(unknown.Unavailable))
	}
	if name == "List" || strings.HasSuffix(name, "List") {
		return source.Problem(unknownKind, at, "There is no kind %q: a list of objects is none itself. A manifests block "+
			"holds its items: manifests \"name\" { objects = yamldecodeall(file(\"list.yaml\")) }", name)
	}
	hint := mayBeIn(unknown.Unavailable)
	if unknown.APIVersion == "" && hint == "" {
		hint = " Where kplan asks no cluster, it needs the object's apiVersion, too."
	}
	return source.Problem(unknownKind, at,
		"There is no kind %q%s. A custom kind needs its CustomResourceDefinition, in the cluster or in this configuration.%s",
		name, inVersion(unknown.APIVersion), hint)
}

// inVersion names the API version that was looked in, if it was one: two instances of a
// block may name different ones, and both are reported.
func inVersion(apiVersion string) string {
	if apiVersion == "" {
		return ""
	}
	return " in API version " + apiVersion
}

// mayBeIn is a sentence about APIs that do not answer, with a space before it, or
// "".
func mayBeIn(silent []string) string {
	if len(silent) == 0 {
		return ""
	}
	return " It may also be in " + words.Or(silent) + ", from which the cluster gets no answer now: kubectl get apiservices shows why."
}
