package modules

import (
	"fmt"
	"io/fs"
	"path"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/internal/words"
)

// Change is one of the lock file.
type Change struct {
	Source     string
	Constraint string
	// From and To are what it was and is: a version, or else a commit. One is empty if it was added or removed.
	From, To string
}

func (c Change) String() string {
	name := c.Source
	if c.Constraint != "" {
		name += " (" + c.Constraint + ")"
	}
	switch {
	case c.From == "":
		return "+ " + name + ": " + c.To
	case c.To == "":
		return "- " + name + ": " + c.From
	}
	return "~ " + name + ": " + c.From + " -> " + c.To
}

// HasModules reports whether any call was resolved.
func (r *Resolver) HasModules() bool {
	r.lock.Lock()
	defer r.lock.Unlock()
	return len(r.used) > 0
}

// Save writes the lock file with what was resolved, and nothing else, once all calls of a configuration are. It returns
// what changed. Where a call failed, and in a run that is not to change it, nothing is written.
func (r *Resolver) Save() ([]Change, hcl.Diagnostics) {
	r.lock.Lock()
	defer r.lock.Unlock()
	if r.options.LockMode == Pinned || r.failed {
		return nil, nil
	}
	changes := r.changes()
	switch {
	case len(changes) == 0:
		return nil, nil
	case r.options.LockMode == ReadOnly:
		return nil, source.WithoutRange("Lock file would change", "%s is not what kplan init would write, and this run is not to change it: %s. "+
			"Run kplan init where it may, and commit the file.", LockFile, describe(changes))
	}
	if err := r.used.write(r.dir); err != nil {
		return nil, source.WithoutRange("Lock file can't be written", "%v.", err)
	}
	return changes, nil
}

// changes are the differences between what the lock file has and what it should have.
func (r *Resolver) changes() (all []Change) {
	both := pins{}
	for _, side := range []pins{r.old, r.used} {
		for k, p := range side {
			both[k] = p
		}
	}
	for _, k := range both.sorted() {
		before, was := r.old[k]
		after, is := r.used[k]
		if was == is && before == after {
			continue
		}
		all = append(all, Change{k.source, k.constraint, before.label(after), after.label(before)})
	}
	return all
}

// label is what to call a pin beside another one.
func (p pin) label(other pin) string {
	switch {
	case p.version != "" && p.version != other.version:
		return p.version
	case p.version != "":
		return p.version + " (" + p.revision + ")"
	}
	return p.revision
}

func describe(changes []Change) string {
	var all []string
	for _, c := range changes {
		switch {
		case c.From == "":
			all = append(all, "it lacks "+c.Source)
		case c.To == "":
			all = append(all, "nothing calls "+c.Source)
		default:
			all = append(all, fmt.Sprintf("%s goes from %s to %s", c.Source, c.From, c.To))
		}
	}
	return words.And(all)
}

// available are the newest versions that there are, in a sentence.
func available(all []Version) string {
	var newest []string
	for _, v := range all {
		newest = append(newest, v.String())
	}
	if len(newest) > 8 {
		return "The newest are " + words.And(newest[:8]) + "."
	}
	return "There " + words.Plural(len(newest), "is ", "are ") + words.And(newest) + "."
}

// walkConfigurations calls f for each directory that has a file of a configuration, possibly several times.
func walkConfigurations(root fs.FS, f func(dir string)) error {
	return fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && isConfiguration(name) {
			f(path.Dir(name))
		}
		return err
	})
}
