package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"kplan.dev/kplan/hclspec/modules"
	"kplan.dev/kplan/internal/cli"
	"kplan.dev/kplan/internal/encryption"
	"kplan.dev/kplan/internal/files"
	"kplan.dev/kplan/kinds"
	"kplan.dev/kplan/plan"
	"kplan.dev/kplan/state"
)

// readPlan reads a saved plan, which may be encrypted for keys that depend on variables.
func (s *session) readPlan(ctx context.Context, path string, given variableOptions) (*plan.Plan, hcl.Diagnostics) {
	file, err := files.Open(ctx, path)
	if err != nil {
		return nil, notRead(ctx, "the plan", path, err, "")
	}
	defer file.Close()
	content, err := decrypted(ctx, s, file, given)
	if err != nil {
		return nil, notRead(ctx, "the plan", path, err, "")
	}
	p, err := plan.Read(content, kinds.Builtin().Lookup)
	if err != nil {
		return nil, notRead(ctx, "the plan", path, err, ifState(ctx, path))
	}
	return p, nil
}

// decrypted is a saved plan that may be encrypted, for the keys of the configuration.
func decrypted(ctx context.Context, s *session, file io.Reader, given variableOptions) (io.Reader, error) {
	buffered := bufio.NewReader(file)
	if head, _ := buffered.Peek(encryption.HeadSize); encryption.WhatIs(head) == "" {
		return buffered, nil
	}
	sealed, err := io.ReadAll(io.LimitReader(buffered, plan.MaxFile))
	if err != nil {
		return nil, err
	}
	c, _ := modules.LoadCached(ctx, ".") // what is wrong with it is reported when the plan is applied
	codec, diags := codecOf(s, definition{c, backendValues(ctx, s, c, given)})
	if diags.HasErrors() {
		return nil, errors.New(diags[0].Summary + ": " + strings.TrimSuffix(diags[0].Detail, "."))
	}
	text, h, err := codec.Keys.Open(sealed, plan.MaxFile)
	if err == nil && h.What != whatPlan {
		err = fmt.Errorf("it is an encrypted %s", h.What)
	}
	return bytes.NewReader(text), err
}

// whatPlan is what an encrypted plan says that it is.
const whatPlan = "plan"

// ifState is the hint for whoever takes a state for a plan, "" where it is none.
func ifState(ctx context.Context, path string) string {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	if _, err := readGivenState(ctx, path, nil, state.Codec{}); err != nil {
		return ""
	}
	return " It is a state. To show it: kplan show -state=" + cli.ShellWord(path)
}

// mayHoldPlan refuses to write a plan over anything but an older plan: a slip in
// -out shall not cost a configuration or a state. It follows no symbolic link:
// who can place one shall not choose what is overwritten.
func mayHoldPlan(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		_, err := os.Stat(filepath.Dir(path))
		return err
	case err != nil:
		return err
	case info.IsDir():
		return errors.New("it is a directory; name a file")
	case !info.Mode().IsRegular():
		return errors.New("it is not a regular file")
	}
	old, err := os.Open(path)
	if err != nil {
		return err
	}
	defer old.Close()
	head := make([]byte, encryption.HeadSize)
	n, _ := old.ReadAt(head, 0)
	if info.Size() > 0 && encryption.WhatIs(head[:n]) != whatPlan && !plan.IsSaved(old) {
		return errors.New("the file exists and is not a saved plan; it is left unchanged")
	}
	return nil
}

// savePlan writes a plan where nobody else can read it, as a whole or not at all. One
// that is incomplete, or was made offline, is only to be read, so it needs no state.
func (k *stack) savePlan(ctx context.Context, p *plan.Plan, path string) hcl.Diagnostics {
	if k.state.Serial == 0 && !p.Incomplete && !p.Offline() {
		if diags := k.s.ui.Errors(k.createState(ctx, p)); diags != nil {
			return diags
		}
	}
	data, err := p.Encode(k.state, versionText())
	if keys := k.opts.state.codec.Keys; err == nil && keys.Encrypts() {
		data, err = keys.Seal(encryption.Header{What: whatPlan, Lineage: k.state.Lineage, Serial: k.state.Serial}, data)
	}
	if err == nil {
		err = mayHoldPlan(path) // still, after all the time that planning took
	}
	if err == nil {
		err = files.Replace(path, data, 0o600)
	}
	if err != nil {
		return failure("Can't save the plan", "%s: %v.", path, files.Reason(err))
	}
	return nil
}
