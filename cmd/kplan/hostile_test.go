package main

import (
	"bytes"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"kplan.dev/kplan/addrs"
	"kplan.dev/kplan/state"
)

// TestHostileStateIsShownClean has the commands that show a state show one whose
// texts want to be more than text.
func TestHostileStateIsShownClean(t *testing.T) {
	for _, text := range []string{
		"::add-mask::x", "a\n::stop-commands::x", "a\r\x1b[31m##[error]", "##vso[task.complete]", "\u202egnp", "a\u200bb", "\u009b31m",
		"\U000e0041", "\n##teamcity[x]", "a\tb\\\"",
	} {
		t.Chdir(t.TempDir())
		lease, err := state.Acquire(t.Context(), state.Open(defaultState),
			state.LockInfo{ID: text, Who: text, Operation: text}, 0)
		if err != nil {
			t.Fatal(err)
		}
		st := state.New()
		addr := addrs.Resource{Type: "ConfigMap", Name: "c"}.Instance(addrs.StringKey(text))
		st.Objects = []state.Object{{Addr: addr, Object: addrs.Object{Version: "v1", Kind: "ConfigMap", Namespace: "n", Name: "c"}, UID: "u",
			Dependencies: []addrs.Instance{addr}, Protected: true}}
		st.Outputs = map[string]state.Output{"o": {Value: map[string]any{text: []any{text}}, Type: "dynamic"}, "s": {Value: text, Type: "string"}}
		if err := lease.Write(t.Context(), st); err != nil {
			t.Fatal(err)
		}
		for _, args := range []string{
			"show", "show -json", "state list", "state show ConfigMap.c", "state rm -dry-run ConfigMap.c", "state rm ConfigMap.c", "state pull",
			"output", "output o", "output -json", "output s", "output nothing", "__complete state rm Con", "force-unlock -force x",
		} {
			out := saidTo(strings.Fields(args))
			if out == "" {
				t.Errorf("kplan %s says nothing", args)
			}
			checkShown(t, args, text, out)
			if args == "state pull" { // which is clean, and still the state
				var said bytes.Buffer
				push := testSession(&said, &said)
				push.ui.In = strings.NewReader(out)
				if code := runApp(t.Context(), push, []string{"state", "push", "-state=other.json", "-"}); code != exitOK {
					t.Errorf("state push of %q: %s", text, &said)
				}
			}
		}
		if err := lease.Unlock(); err != nil {
			t.Fatal(err)
		}
	}
}

// checkShown fails if an output could do anything but be read.
func checkShown(t *testing.T, args, text, out string) {
	t.Helper()
	if !utf8.ValidString(out) {
		t.Errorf("kplan %s of %q: not UTF-8", args, text)
	}
	for _, r := range out {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
			t.Errorf("kplan %s of %q holds %U", args, text, r)
		}
	}
	for line := range strings.Lines(out) {
		lower := strings.ToLower(line)
		if strings.HasPrefix(strings.TrimSpace(lower), "::") || strings.Contains(lower, "##[") || strings.Contains(lower, "##vso[") ||
			strings.Contains(lower, "##teamcity[") {
			t.Errorf("kplan %s of %q: a line is a command: %q", args, text, line)
		}
	}
}
