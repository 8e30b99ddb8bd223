package git

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Refs are the names that a repository has for commits, with the commits.
type Refs struct {
	Head          string // of the default branch, "" in an empty repository
	DefaultBranch string
	Branches      map[string]string
	Tags          map[string]string
	Others        map[string]string // by the full name: refs/pull/7/head
}

// Refs asks the server, once.
func (r *Repository) Refs(ctx context.Context) (*Refs, error) {
	if r.refs != nil {
		return r.refs, nil
	}
	err := r.inTemporary(ctx, "", func(c *command) error {
		text, err := c.run(ctx, "ls-remote", "--quiet", "--symref", "--", c.address)
		if err != nil {
			return err
		}
		r.refs, err = parseRefs(string(text))
		return err
	})
	return r.refs, err
}

// peeled is what ls-remote writes behind the name of a tag for the commit that the tag is for.
const peeled = "^{}"

func parseRefs(text string) (*Refs, error) {
	refs := &Refs{Branches: map[string]string{}, Tags: map[string]string{}, Others: map[string]string{}}
	for line := range strings.Lines(text) {
		value, name, found := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if target, isSymbolic := strings.CutPrefix(value, "ref: "); isSymbolic && found {
			if name == "HEAD" {
				refs.DefaultBranch = strings.TrimPrefix(target, "refs/heads/")
			}
			continue
		}
		if !found || !IsCommit(value) {
			return nil, errors.New("git lists something that is no branch and no tag")
		}
		refs.add(name, value)
	}
	return refs, nil
}

func (r *Refs) add(name, commit string) {
	branch, isBranch := strings.CutPrefix(name, "refs/heads/")
	tag, isTag := strings.CutPrefix(name, "refs/tags/")
	switch {
	case name == "HEAD":
		r.Head = commit
	case isBranch:
		r.Branches[branch] = commit
	case isTag:
		r.Tags[strings.TrimSuffix(tag, peeled)] = commit // the commit's line comes after the tag's
	default:
		r.Others[name] = commit
	}
}

// Find is the commit that a name stands for now: a branch, a tag, a full name that begins with refs/, or a commit itself.
// isFixed reports whether the name should stand for the same commit for ever, which a branch does not.
func (r *Refs) Find(name string) (commit string, isFixed bool, err error) {
	if IsCommit(name) {
		return name, true, nil
	}
	if short, isTag := strings.CutPrefix(name, "refs/tags/"); isTag {
		return r.in(r.Tags, short, name, true)
	}
	if short, isBranch := strings.CutPrefix(name, "refs/heads/"); isBranch {
		return r.in(r.Branches, short, name, false)
	}
	if strings.HasPrefix(name, "refs/") {
		return r.in(r.Others, name, name, false)
	}
	tag, isTag := r.Tags[name]
	branch, isBranch := r.Branches[name]
	switch {
	case isTag && isBranch && tag != branch:
		return "", false, fmt.Errorf("%q is a tag and a branch, of different commits. Write ref=refs/tags/%s or ref=refs/heads/%s",
			name, name, name)
	case isTag:
		return tag, true, nil
	}
	return r.in(r.Branches, name, name, false)
}

func (r *Refs) in(names map[string]string, short, name string, isFixed bool) (string, bool, error) {
	if commit := names[short]; commit != "" {
		return commit, isFixed, nil
	}
	advice := ""
	if len(name) >= 7 && strings.Trim(name, "0123456789abcdef") == "" {
		advice = " A commit is written in full, with 40 digits"
	}
	return "", false, &NoRefError{fmt.Sprintf("it has no branch and no tag %q.%s", name, advice)}
}

// NoRefError is the error of a name that a repository does not have.
type NoRefError struct{ text string }

func (e *NoRefError) Error() string { return strings.TrimSuffix(e.text, ".") }
