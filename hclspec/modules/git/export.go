package git

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"kplan.dev/kplan/hclspec/modules/tree"
)

// Export fetches a commit, and writes its files into a tree. What can't be in a tree is omitted: a repository may have
// symbolic links, for example, in places that no module needs.
func (r *Repository) Export(ctx context.Context, commit string, to *tree.Writer) error {
	return r.inTemporary(ctx, objectFormat(commit), func(c *command) error {
		if err := c.fetch(ctx, commit); err != nil {
			return err
		}
		listing, err := c.run(ctx, "ls-tree", "-r", "-z", "-l", "--full-tree", commit)
		if err != nil {
			return err
		}
		files, err := parseListing(listing)
		if err != nil {
			return err
		}
		return c.export(ctx, files, to)
	})
}

// file is one of a commit.
type file struct {
	mode, kind, object string
	size               int64
	path               string
}

// parseListing reads the output of ls-tree: mode, type, object and size, and behind a tab the path.
func parseListing(text []byte) (files []file, err error) {
	for _, line := range bytes.Split(bytes.TrimSuffix(text, []byte{0}), []byte{0}) {
		if len(line) == 0 {
			continue
		}
		about, path, found := strings.Cut(string(line), "\t")
		fields := strings.Fields(about)
		if !found || len(fields) != 4 || !IsCommit(fields[2]) {
			return nil, errListing
		}
		f := file{mode: fields[0], kind: fields[1], object: fields[2], path: path}
		if fields[3] != "-" {
			if f.size, err = strconv.ParseInt(fields[3], 10, 64); err != nil {
				return nil, errListing
			}
		}
		files = append(files, f)
	}
	return files, nil
}

var errListing = errors.New("git lists something that is no file")

// omission is why a file can't be in a tree, "" if it can.
func (f file) omission(to *tree.Writer) string {
	var refused *tree.Refusal
	switch err := to.Check(f.path); {
	case errors.As(err, &refused):
		return refused.Reason
	case f.mode == "120000":
		return "is a symbolic link"
	case f.kind == "commit":
		return "is a submodule"
	case f.kind != "blob" || f.mode != "100644" && f.mode != "100755" && f.mode != "100664":
		return "is no regular file"
	}
	return ""
}

// export reads files from one cat-file, which is given their names while it is read from.
func (c *command) export(ctx context.Context, files []file, to *tree.Writer) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.options.Timeout, errTimeout(c.options.Timeout))
	defer cancel()
	cmd := c.make(ctx, "cat-file", "--batch")
	names, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	contents, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return explain(err, "")
	}
	from := &exporter{names, bufio.NewReaderSize(contents, 64<<10), to}
	err = from.copy(files)
	names.Close()
	if err != nil {
		cancel()
	}
	waited := cmd.Wait()
	switch {
	case err != nil && context.Cause(ctx) != nil && !errors.Is(context.Cause(ctx), context.Canceled):
		return context.Cause(ctx)
	case err != nil:
		return err
	}
	return waited
}

type exporter struct {
	names    io.Writer
	contents *bufio.Reader
	to       *tree.Writer
}

func (e *exporter) copy(files []file) error {
	for _, f := range files {
		reason := f.omission(e.to)
		if reason == "" {
			if err := e.to.Reserve(f.size); err != nil {
				return err
			}
			isPointer, err := e.one(f)
			if err != nil {
				return err
			}
			if !isPointer {
				continue
			}
			reason = "is stored in Git LFS"
		}
		if err := e.to.Omit(f.path, reason); err != nil {
			return err
		}
	}
	return nil
}

// lfs begins a file that stands for another one, on a server of Git LFS.
const lfs = "version https://git-lfs.github.com/spec/"

// one writes one file, unless it is a pointer of Git LFS.
func (e *exporter) one(f file) (isPointer bool, err error) {
	if _, err := io.WriteString(e.names, f.object+"\n"); err != nil {
		return false, err
	}
	header, err := e.contents.ReadString('\n')
	if err != nil {
		return false, errUnreadable
	}
	if header != fmt.Sprintf("%s blob %d\n", f.object, f.size) {
		return false, errUnreadable
	}
	if f.size < 1024 && e.begins(lfs, f.size) {
		_, err = io.CopyN(io.Discard, e.contents, f.size)
		isPointer = true
	} else {
		err = e.to.Add(f.path, f.size, e.contents)
	}
	if err != nil {
		return false, err
	}
	if end, err := e.contents.ReadByte(); err != nil || end != '\n' {
		return false, errUnreadable
	}
	return isPointer, nil
}

// begins reports whether what comes next begins with a text. It waits for no more than there is.
func (e *exporter) begins(text string, size int64) bool {
	begin, _ := e.contents.Peek(int(min(int64(len(text)), size)))
	return string(begin) == text
}

var errUnreadable = errors.New("git can't read a file of the commit; the repository is damaged")
