// Package git reads repositories with the git program: which branches and tags there are, and the files of a commit.
//
// Whoever owns the repository is not trusted, and neither is the text of its address. So git never makes a checkout: the
// commit is fetched into a repository of its own, in a temporary directory, and its files are read from there as they are
// stored. No hook, filter, attribute, submodule or configuration of any repository takes part. Of the user's own
// configuration git gets what it needs to reach a server: credential helpers, proxies, certificates and rewritten addresses.
// It never asks a question.
package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
)

// Options say how git is run. Their zero value is good.
type Options struct {
	Program string        // git if empty
	Temp    string        // the directory for temporary ones, the system's if empty
	Timeout time.Duration // of one command, five minutes if zero
	MaxSize int64         // what one fetch may bring in bytes, 512 MiB if zero
}

// Repository is a repository at an address. It may be used by one goroutine at a time.
type Repository struct {
	address string
	options Options
	refs    *Refs
	chosen  settings // those that git is run with
}

// At is the repository at an address, which the caller has checked: it begins with the name of a protocol that may be used.
func At(address string, options Options) *Repository {
	if options.Program == "" {
		options.Program = "git"
	}
	if options.Timeout == 0 {
		options.Timeout = 5 * time.Minute
	}
	if options.MaxSize == 0 {
		options.MaxSize = 512 << 20
	}
	return &Repository{address: address, options: options}
}

const maxOutput = 32 << 20 // of a command whose output is read as a whole, in bytes

var errOutput = errors.New("git lists more than a repository of modules can have")

// command is one run of git.
type command struct {
	*Repository
	dir string // its repository, "" for none
	env []string
}

// in prepares commands in a repository.
func (r *Repository) in(ctx context.Context, dir string) (*command, error) {
	if r.chosen == nil {
		var err error
		if r.chosen, err = r.settings(ctx, dir); err != nil {
			return nil, err
		}
	}
	return &command{r, dir, append(environment(), r.chosen.environment(r.address)...)}, nil
}

func (c *command) make(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.options.Program, args...)
	cmd.Dir = c.dir
	cmd.Env = append(c.env, "GIT_DIR="+c.dir, "PWD="+c.dir)
	cmd.WaitDelay = 5 * time.Second
	ownGroup(cmd)
	return cmd
}

// run runs a command, and returns what it prints.
func (c *command) run(ctx context.Context, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.options.Timeout, errTimeout(c.options.Timeout))
	defer cancel()
	var out, complaint bounded
	out.max, complaint.max = maxOutput, 64<<10
	cmd := c.make(ctx, args...)
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err := cmd.Run()
	switch {
	case context.Cause(ctx) != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		return nil, explain(err, complaint.String())
	case out.isFull:
		return nil, errOutput
	}
	return out.Bytes(), nil
}

func errTimeout(after time.Duration) error { return fmt.Errorf("git did not finish within %s", after) }

// bounded is a buffer that keeps the beginning of what is written to it.
type bounded struct {
	bytes.Buffer
	max    int
	isFull bool
}

func (b *bounded) Write(p []byte) (int, error) {
	room := b.max - b.Len()
	if len(p) > room {
		b.isFull = true
		b.Buffer.Write(p[:max(room, 0)])
		return len(p), nil
	}
	return b.Buffer.Write(p)
}

// inTemporary calls f with commands in a new, empty repository.
func (r *Repository) inTemporary(ctx context.Context, format string, f func(*command) error) (err error) {
	dir, err := os.MkdirTemp(r.options.Temp, "kplan-git-")
	if err != nil {
		return err
	}
	defer func() {
		if removed := os.RemoveAll(dir); err == nil {
			err = removed
		}
	}()
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	c, err := r.in(ctx, dir)
	if err != nil {
		return err
	}
	if format != "" {
		if _, err := c.run(ctx, "init", "--quiet", "--bare", "--template=", "--object-format="+format, "."); err != nil {
			return err
		}
	}
	return f(c)
}

// fetch fetches a commit alone if the server allows that, else all that it has.
func (c *command) fetch(ctx context.Context, commit string) error {
	alone := c.limited(ctx, "fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--", c.address, commit)
	if alone == nil || !isNotAdvertised(alone) {
		return alone
	}
	err := c.limited(ctx, "fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--", c.address,
		"+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
	if err != nil {
		return err
	}
	if _, err := c.run(ctx, "cat-file", "-e", commit+"^{commit}"); err != nil {
		return ErrNoCommit
	}
	return nil
}

// ErrNoCommit is the error of a commit that a repository does not have.
var ErrNoCommit = errors.New("the repository does not have that commit, on no branch and under no tag")

// limited runs a command that ends when its directory grows larger than a fetch may.
func (c *command) limited(ctx context.Context, args ...string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	done := make(chan struct{})
	var size atomic.Int64
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
				if size.Store(sizeOf(c.dir)); size.Load() > c.options.MaxSize {
					cancel(fmt.Errorf("the repository is too large: more than %d MiB were sent for one commit", c.options.MaxSize>>20))
				}
			}
		}
	}()
	_, err := c.run(ctx, args...)
	cancel(nil)
	<-done
	return err
}

func sizeOf(dir string) (size int64) {
	_ = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil // git renames what it is done with
		}
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() {
			size += info.Size()
		}
		return nil
	})
	return size
}

// objectFormat is the format of a repository that has a commit.
func objectFormat(commit string) string {
	if len(commit) == 64 {
		return "sha256"
	}
	return "sha1"
}

// IsCommit reports whether a text is the full name of a commit.
func IsCommit(text string) bool {
	return (len(text) == 40 || len(text) == 64) && strings.Trim(text, "0123456789abcdef") == ""
}
