// Package modules reads the definitions that a configuration calls: those of directories beside it, and those that it fetches
// from git repositories and OCI registries. A Resolver gives each call of the latter a directory that has what the lock file
// pins, and nothing else.
//
// The lock file, .kplan.lock.hcl beside the configuration, has for each source what it was when kplan init chose it: the
// version, the commit or digest, and the hash of the files. Only kplan init writes it. The cache has the files by that hash,
// for all configurations of a user, and is believed no more than a server: each run reads the files again and compares.
package modules

import (
	"context"
	"path/filepath"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/hclspec/config"
	"kplan.dev/kplan/hclspec/source"
)

// maxCalls bounds how often definitions are called, and maxDepth how deep: two that call each other's
// copies would grow without end.
const (
	maxCalls = 10_000
	maxDepth = 32
)

// Load reads the configuration in a directory and all definitions that it calls, as the lock file pins them. It reports
// every problem it finds, and returns what it understood of the rest, never nil.
func Load(ctx context.Context, dir string) (*config.Config, hcl.Diagnostics) {
	return LoadBy(ctx, dir, Options{})
}

// LoadBy is Load with options.
func LoadBy(ctx context.Context, dir string, options Options) (*config.Config, hcl.Diagnostics) {
	return load(ctx, dir, func() (*Resolver, hcl.Diagnostics) { return Open(dir, options) })
}

// LoadCached is Load without requests: for commands that need no more than the settings.
func LoadCached(ctx context.Context, dir string) (*config.Config, hcl.Diagnostics) {
	return LoadBy(ctx, dir, Options{Offline: true})
}

// LoadWith is Load with a Resolver of the same directory.
func LoadWith(ctx context.Context, dir string, r *Resolver) (*config.Config, hcl.Diagnostics) {
	return load(ctx, dir, func() (*Resolver, hcl.Diagnostics) { return r, nil })
}

func load(ctx context.Context, dir string, resolver func() (*Resolver, hcl.Diagnostics)) (*config.Config, hcl.Diagnostics) {
	c, diags := config.Load(ctx, dir)
	l := &loader{ctx: ctx, root: c, known: map[string]*config.Config{}, resolver: once(resolver)}
	l.calls(c, place{dir: c.Dir, shown: c.Shown}, nil)
	source.SortDiagnostics(l.diags)
	return c, source.FirstProblems(append(diags, l.diags...))
}

// once opens a Resolver for the first call that needs one. If that fails, it is said once.
func once(open func() (*Resolver, hcl.Diagnostics)) func() (*Resolver, hcl.Diagnostics) {
	var r *Resolver
	tried := false
	return func() (*Resolver, hcl.Diagnostics) {
		if tried {
			return r, nil
		}
		var diags hcl.Diagnostics
		tried = true
		r, diags = open()
		return r, diags
	}
}

// loader reads each definition once, however often it is called.
type loader struct {
	ctx      context.Context
	root     *config.Config
	resolver func() (*Resolver, hcl.Diagnostics)
	known    map[string]*config.Config // by directory
	count    int
	diags    hcl.Diagnostics
}

// place is where a definition is.
type place struct {
	dir, shown string
	fetched    *Resolved // nil where it is beside the configuration
}

// calls reads the definitions that a configuration calls. above are the directories of those that lead to it.
func (l *loader) calls(c *config.Config, in place, above []string) {
	for _, call := range c.Calls {
		l.count++
		if l.count > maxCalls || len(above) >= maxDepth {
			l.problem(call, "Too many module calls", "A configuration calls modules at most %d times and %d deep.", maxCalls, maxDepth)
			return
		}
		l.call(call, in, above)
	}
}

func (l *loader) call(call *config.Call, from place, above []string) {
	at, diags := l.find(call, from)
	if l.diags = append(l.diags, diags...); at.dir == "" {
		return
	}
	if at.dir == filepath.Clean(l.root.Dir) || slices.Contains(above, at.dir) {
		l.problem(call, "Module that calls itself", "%s is the definition that this call is part of, so it would never end.", at.shown)
		return
	}
	definition, known := l.known[at.dir]
	if !known {
		var diags hcl.Diagnostics
		definition, diags = l.root.LoadDefinition(l.ctx, at.dir, at.shown)
		l.known[at.dir] = definition
		for _, d := range diags {
			if d.Subject == nil {
				d.Subject = call.SourceRange.Ptr()
			}
		}
		l.diags = append(l.diags, diags...)
	}
	l.diags = append(l.diags, call.Bind(definition)...)
	l.calls(definition, at, append(slices.Clip(above), at.dir))
}

// find is where the definition of a call is, nowhere if that is an error.
func (l *loader) find(call *config.Call, from place) (place, hcl.Diagnostics) {
	resolve, diags := ReadCall(call)
	switch {
	case diags.HasErrors():
		return place{}, diags
	case resolve.Source.IsRemote():
		r, diags := l.resolver()
		if r == nil {
			return place{}, diags
		}
		fetched, diags := r.Resolve(l.ctx, resolve)
		return placeOf(fetched), diags
	case from.fetched != nil:
		fetched, err := from.fetched.Local(resolve.Source)
		if err != nil {
			return place{}, source.Problem(summaryDirectory, call.SourceRange, "%v", err)
		}
		return placeOf(fetched), nil
	}
	return place{dir: filepath.Join(from.dir, resolve.Source.Path), shown: filepath.Join(from.shown, resolve.Source.Path)}, nil
}

func placeOf(fetched *Resolved) place {
	if fetched == nil {
		return place{}
	}
	return place{fetched.Dir, fetched.Display, fetched}
}

// ReadCall reads the source and the version of a module block.
func ReadCall(call *config.Call) (Call, hcl.Diagnostics) {
	s, err := ParseSource(call.Source)
	if err != nil {
		return Call{}, source.Problem("Invalid source of a module", call.SourceRange, "The source of a module can't be this: %v.", err)
	}
	c, err := ParseConstraint(call.Version)
	if err != nil {
		return Call{}, source.Problem("Invalid version of a module", call.VersionRange, "The version of a module can't be this: %v.", err)
	}
	if err := s.Check(c); err != nil {
		return Call{}, source.Problem("Invalid version of a module", call.VersionRange, "A version can't be given here: %v.", err)
	}
	return Call{Source: s, Version: c, At: call.SourceRange, VersionAt: call.VersionRange}, nil
}

func (l *loader) problem(call *config.Call, summary, format string, args ...any) {
	l.diags = append(l.diags, source.Problem(summary, call.SourceRange, format, args...)...)
}
