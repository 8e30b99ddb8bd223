package modules

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/hclspec/modules/git"
	"kplan.dev/kplan/hclspec/modules/oci"
	"kplan.dev/kplan/hclspec/modules/tree"
	"kplan.dev/kplan/hclspec/source"
	"kplan.dev/kplan/internal/option"
)

// LockMode says what becomes of the lock file.
type LockMode int

const (
	Pinned   LockMode = iota // what it has counts, and nothing else; it does not change
	Update                   // what it lacks is added; Resolver.Save writes it
	ReadOnly                 // as Update, and it is an error if Save would change it
)

// Options of a Resolver. Their zero value is that of a plan.
type Options struct {
	Cache    string // the directory of the cache, DefaultCache if empty
	LockMode LockMode
	Upgrade  bool // takes the newest versions, and what branches and the like stand for now; not with Pinned
	Offline  bool // an error instead of a request
	// Fetching is told what is about to be fetched, if set.
	Fetching func(display string)
	Git      git.Options
	OCI      oci.Options
}

// Call is a call of a module.
type Call struct {
	Source  Source
	Version Constraint
	// At is the range of the source argument, and VersionAt that of the version argument, if there is one.
	At, VersionAt hcl.Range
}

// Check reports why a source can't have a version constraint, nil if it can.
func (s Source) Check(c Constraint) error {
	switch {
	case c.String() == "":
		return nil
	case s.Kind == Local:
		return errors.New("a module in a local directory has no versions: it is what is there")
	case s.Ref != "":
		return errors.New("the source names the branch, tag or commit already, with ref. Keep one of them")
	}
	return nil
}

// Resolver gives calls their directories. It may be used by many goroutines at once.
type Resolver struct {
	dir     string
	options Options
	cache   cache

	lock    sync.Mutex // for all below, and held while something is fetched
	old     pins
	used    pins
	fetched map[key]*fetched
	remotes map[Source]remote
	failed  bool
}

// fetched is a source that was resolved, or the reason why it was not.
type fetched struct {
	*cached
	pin
	name  string // what it is called behind the @
	diags hcl.Diagnostics
}

// Open reads the lock file of the directory of a configuration.
func Open(dir string, options Options) (*Resolver, hcl.Diagnostics) {
	old, diags := readPins(dir)
	if diags.HasErrors() {
		return nil, diags
	}
	if options.Cache == "" {
		var err error
		if options.Cache, err = DefaultCache(); err != nil {
			return nil, source.WithoutRange("No cache for modules", "Fetched modules are kept in a cache, and %v.", err)
		}
	}
	return &Resolver{
		dir: dir, options: options, cache: cache{options.Cache},
		old: old, used: pins{}, fetched: map[key]*fetched{}, remotes: map[Source]remote{},
	}, nil
}

// Resolve gives a call of a remote module its directory, whose files are those that the lock file has the hash of.
func (r *Resolver) Resolve(ctx context.Context, call Call) (*Resolved, hcl.Diagnostics) {
	if err := call.Source.Check(call.Version); err != nil {
		return nil, source.Problem("Invalid version of a module", call.VersionAt, "A version can't be given here: %v.", err)
	}
	r.lock.Lock()
	defer r.lock.Unlock()
	k := key{call.Source.root(), call.Version.String()}
	f := r.fetched[k]
	if f == nil {
		f = r.resolve(ctx, call, k)
		r.fetched[k] = f
	}
	if f.diags.HasErrors() {
		r.failed = true
		return nil, at(f.diags, call)
	}
	r.used[k] = f.pin
	whole := &Resolved{
		Root: f.files, Dir: f.files, Version: f.version, Revision: f.revision, Hash: f.hash.String(),
		origin: call.Source.origin() + "@" + f.name, omitted: f.omitted,
	}
	resolved, err := whole.in(call.Source.Sub)
	if err != nil {
		r.failed = true
		return nil, source.Problem(summaryDirectory, call.At, "%v", err)
	}
	return resolved, nil
}

// at puts a problem that another call with the same source may have found first where this call is.
func at(diags hcl.Diagnostics, call Call) hcl.Diagnostics {
	moved := make(hcl.Diagnostics, len(diags))
	for i, d := range diags {
		d := *d
		d.Subject = call.At.Ptr()
		if d.Summary == summaryVersion && call.Version.String() != "" {
			d.Subject = call.VersionAt.Ptr()
		}
		moved[i] = &d
	}
	return moved
}

const (
	summaryLocked    = "Module not in the lock file"
	summaryFetch     = "Module can't be fetched"
	summaryVersion   = "No matching version of a module"
	summaryDiffers   = "Module differs from the lock file"
	summaryDirectory = "Invalid directory of a module"
)

func (r *Resolver) resolve(ctx context.Context, call Call, k key) *fetched {
	p, isPinned := r.old[k]
	switch {
	case isPinned && (r.options.LockMode == Pinned || !r.options.Upgrade):
		return r.pinned(ctx, call, p)
	case r.options.LockMode == Pinned:
		return &fetched{diags: problem(summaryLocked, "No run but kplan init chooses what a module is. To fetch %s and add it to the lock file: "+
			"kplan init", call.Source)}
	}
	return r.choose(ctx, call, k)
}

func problem(summary, format string, args ...any) hcl.Diagnostics {
	return source.WithoutRange(summary, format, args...)
}

// pinned gives a source what the lock file has for it: from the cache, or from where it comes.
func (r *Resolver) pinned(ctx context.Context, call Call, p pin) *fetched {
	f := &fetched{pin: p, name: nameOf(call.Source, p)}
	opened, err := r.cache.open(p.hash)
	if err == nil {
		f.cached = opened
		return f
	}
	if r.options.Offline {
		f.diags = problem(summaryFetch, "The cache does not have %s, and this run makes no requests.", call.Source)
		return f
	}
	from, err := r.remote(call.Source)
	if err != nil {
		f.diags = r.failure(call.Source, err)
		return f
	}
	if f.diags = r.unmoved(ctx, call, from, p); f.diags.HasErrors() {
		return f
	}
	added, diags := r.fetch(ctx, call.Source, f.name, from, p.revision)
	if f.diags = diags; diags.HasErrors() {
		return f
	}
	if added.hash != p.hash {
		added.discard()
		f.diags = problem(summaryDiffers, "The files of %s at %s are not those that the lock file has: their hash is %s, and the lock file has "+
			"%s. Whoever changed the lock file, or the server, should explain it. If the new files are right, remove the block from %s "+
			"and run kplan init.", call.Source, p.revision, added.hash, p.hash, LockFile)
		return f
	}
	if f.cached, err = added.keep(); err != nil {
		f.diags = cacheProblem(err)
	}
	return f
}

func cacheProblem(err error) hcl.Diagnostics {
	var at *fs.PathError
	if errors.As(err, &at) {
		err = fmt.Errorf("%s: %w", at.Path, at.Err)
	}
	return problem("Module can't be cached", "%v. Where the cache is can be set with KPLAN_CACHE_DIR.", err)
}

// unmoved reports a tag that no longer stands for what the lock file has. A tag that is gone does no harm.
func (r *Resolver) unmoved(ctx context.Context, call Call, from remote, p pin) hcl.Diagnostics {
	name := call.Source.Ref
	if p.version != "" {
		tags, err := from.tags(ctx)
		if err != nil {
			return r.failure(call.Source, err)
		}
		for _, v := range versionsOf(tags) {
			if v.String() == p.version {
				name = v.tag
			}
		}
	}
	if name == "" {
		return nil
	}
	now, isFixed, err := from.find(ctx, name)
	switch {
	case errors.As(err, new(noNameError)):
		return nil
	case err != nil:
		return r.failure(call.Source, err)
	case isFixed && now != p.revision:
		return problem(summaryDiffers, "The tag %s of %s is now %s, and the lock file has %s. A tag of a release should never move: ask who "+
			"maintains the module. If the new one is right: kplan init %s", name, call.Source, now, p.revision, option.Upgrade)
	}
	return nil
}

func (r *Resolver) failure(s Source, err error) hcl.Diagnostics {
	return problem(summaryFetch, "%s: %v.", s, err)
}

// choose takes a source as it is now.
func (r *Resolver) choose(ctx context.Context, call Call, k key) *fetched {
	f := &fetched{}
	if r.options.Offline {
		f.diags = problem(summaryFetch, "The lock file does not have %s, and this run makes no requests.", call.Source)
		return f
	}
	from, err := r.remote(call.Source)
	if err != nil {
		f.diags = r.failure(call.Source, err)
		return f
	}
	if f.pin, f.diags = r.newest(ctx, call, from); f.diags.HasErrors() {
		return f
	}
	f.name = nameOf(call.Source, f.pin)
	if before, isPinned := r.old[k]; isPinned && before.revision == f.revision {
		return r.pinned(ctx, call, before)
	}
	added, diags := r.fetch(ctx, call.Source, f.name, from, f.revision)
	if f.diags = diags; diags.HasErrors() {
		return f
	}
	f.hash = added.hash
	if f.cached, err = added.keep(); err != nil {
		f.diags = cacheProblem(err)
	}
	return f
}

// newest is the revision that a source stands for now.
func (r *Resolver) newest(ctx context.Context, call Call, from remote) (p pin, diags hcl.Diagnostics) {
	name := call.Source.Ref
	if call.Version.String() != "" || call.Source.Kind == OCI {
		tags, err := from.tags(ctx)
		if err != nil {
			return p, r.failure(call.Source, err)
		}
		v, diags := r.version(call, versionsOf(tags))
		if diags.HasErrors() {
			return p, diags
		}
		p.version, name = v.String(), v.tag
	}
	revision, _, err := from.find(ctx, name)
	if err != nil {
		return p, r.failure(call.Source, err)
	}
	p.revision = revision
	return p, nil
}

// version is the newest one that is allowed, unless one was chosen before that is: under another constraint.
func (r *Resolver) version(call Call, all []Version) (Version, hcl.Diagnostics) {
	if !r.options.Upgrade {
		for _, v := range all {
			if r.knows(call.Source, v) && call.Version.Allows(v) {
				return v, nil
			}
		}
	}
	if v, found := newest(all, call.Version); found {
		return v, nil
	}
	return Version{}, problem(summaryVersion, "%s", noVersion(call, all))
}

func (r *Resolver) knows(s Source, v Version) bool {
	for k, p := range r.old {
		if k.source == s.root() && p.version == v.String() {
			return true
		}
	}
	return false
}

// remote is where a source is, asked once for all calls.
func (r *Resolver) remote(s Source) (remote, error) {
	s.Ref, s.Sub = "", ""
	if known := r.remotes[s]; known != nil {
		return known, nil
	}
	if s.Kind == Git {
		r.remotes[s] = gitRemote{git.At(s.Address, r.options.Git)}
		return r.remotes[s], nil
	}
	repository, err := oci.At(s.Address, r.options.OCI)
	if err != nil {
		return nil, err
	}
	r.remotes[s] = &ociRemote{repository: repository}
	return r.remotes[s], nil
}

func (r *Resolver) fetch(ctx context.Context, s Source, name string, from remote, revision string) (*staged, hcl.Diagnostics) {
	if r.options.Fetching != nil {
		r.options.Fetching(s.origin() + "@" + name)
	}
	added, err := r.cache.add(func(w *tree.Writer) error { return from.export(ctx, revision, w) })
	var refused *tree.Refusal
	switch {
	case errors.As(err, new(*fs.PathError)): // of this machine, such as a full disk
		return nil, cacheProblem(err)
	case errors.As(err, &refused):
		return nil, problem(summaryFetch, "%s: the file %v.", s, err)
	case err != nil:
		return nil, r.failure(s, err)
	}
	return added, nil
}

// nameOf is what a source is called that was resolved.
func nameOf(s Source, p pin) string {
	switch {
	case p.version != "":
		return p.version
	case s.Ref != "":
		return s.Ref
	}
	return p.revision[:12]
}

// origin is a source without what it is at: git::https://host/repository.git.
func (s Source) origin() string {
	s.Ref, s.Sub = "", ""
	return s.root()
}

func noVersion(call Call, all []Version) string {
	wanted := ""
	if call.Version.String() != "" {
		wanted = fmt.Sprintf(" that %s allows", call.Version)
	}
	if len(all) == 0 {
		return fmt.Sprintf("%s has no version%s: none of its tags has three numbers, as v1.4.2 has.", call.Source, wanted)
	}
	return fmt.Sprintf("%s has no version%s. %s", call.Source, wanted, available(all))
}
