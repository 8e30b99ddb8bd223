package modules

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"kplan.dev/kplan/hclspec/modules/tree"
	"kplan.dev/kplan/internal/words"
)

// Resolved is a fetched module.
type Resolved struct {
	Dir      string // the directory of the module, absolute
	Root     string // that of all that was fetched with it, absolute
	Display  string // for people: git::https://host/repository.git@1.2.0//directory
	Version  string // "" without one
	Revision string // the commit or the digest
	Hash     string // of all that was fetched, as the lock file has it

	origin  string // the Display of the root
	sub     string
	omitted []tree.Omitted
}

// Local is another module of the same tree, by the path that the module calls it with. No path leads out of the tree.
func (r *Resolved) Local(s Source) (*Resolved, error) {
	sub := path.Join(r.sub, s.Path)
	if sub == ".." || strings.HasPrefix(sub, "../") || path.IsAbs(sub) {
		return nil, refusal("The path %q leads out of %s, and a module has nothing but what was fetched with it.", s.Path, r.origin)
	}
	return r.in(sub)
}

// in is the module in a directory of the tree.
func (r *Resolved) in(sub string) (*Resolved, error) {
	if sub == "." {
		sub = ""
	}
	in := *r
	in.sub, in.Dir, in.Display = sub, filepath.Join(r.Root, filepath.FromSlash(sub)), r.origin
	if sub != "" {
		in.Display += "//" + sub
	}
	if info, err := os.Lstat(in.Dir); err != nil || !info.IsDir() {
		return nil, refusal("There is no directory %q in %s.%s", sub, r.origin, r.suggest())
	}
	for _, o := range r.omitted {
		if sub == "" || o.Path == sub || strings.HasPrefix(o.Path, sub+"/") {
			return nil, refusal("The file %q in %s %s. A module has regular files under portable names, and nothing else.",
				o.Path, in.Display, o.Reason)
		}
	}
	return &in, nil
}

// suggest names the directories that have a configuration.
func (r *Resolved) suggest() string {
	var found []string
	root := os.DirFS(r.Root)
	_ = walkConfigurations(root, func(dir string) { found = append(found, dir) })
	slices.Sort(found)
	found = slices.Compact(found)
	if len(found) == 0 {
		return " No directory of it has files of kplan."
	}
	more := ""
	if len(found) > 8 {
		found, more = found[:8], " and others"
	}
	return " Files of kplan are in " + words.And(found) + more + "."
}

// sentence is an error in whole sentences, as a diagnostic shows it.
type sentence string

func (s sentence) Error() string { return string(s) }

func refusal(format string, args ...any) error { return sentence(fmt.Sprintf(format, args...)) }
