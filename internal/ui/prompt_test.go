package ui

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// What a terminal is given: characters alone, and for Ctrl-C what clears the line.
func TestKeys(t *testing.T) {
	for typed, want := range map[string]string{
		"abc\r":                "abc\r",
		"é日\x04":               "é日\x04",
		"a\xffb\xc3(\r":        "ab(\r",
		"a\ufffdb":             "ab",
		"ab\x03":               "ab\x05\x15\r",
		"ab\r\x03\x03c":        "ab\r\x05\x15\r\x05\x15\rc",
		"\xe6\x97":             "",
		"\xff\xff\xff\xff\x01": "\x01",
	} {
		for name, from := range map[string]io.Reader{
			"at once": strings.NewReader(typed), "byte by byte": iotest.OneByteReader(strings.NewReader(typed)),
		} {
			var got bytes.Buffer
			if _, err := io.Copy(&got, &keys{from: from}); err != nil || got.String() != want {
				t.Errorf("%q %s: %q, %v; want %q", typed, name, &got, err, want)
			}
		}
	}
}

// That the line was cleared is known only once Ctrl-C is read, not what was typed before it.
func TestKeysCleared(t *testing.T) {
	k := &keys{from: strings.NewReader("a\r\x03")}
	p := make([]byte, 100)
	if n, err := k.Read(p); n != 2 || err != nil || k.cleared.Load() {
		t.Errorf("%q, %v", p[:n], err)
	}
	if n, err := k.Read(p); n != 3 || err != nil || !k.cleared.Load() {
		t.Errorf("%q, %v", p[:n], err)
	}
	if _, err := k.Read(p); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}

func TestCommon(t *testing.T) {
	for want, texts := range map[string][]string{
		"": {}, "abc": {"abc"}, "ab": {"abc", "abd", "ab"}, "labels": {"labels", "labels.a"}, "x": {"xé", "xè"},
	} {
		if got := common(texts); got != want {
			t.Errorf("%v: %q", texts, got)
		}
	}
}

func TestHistory(t *testing.T) {
	h := &history{}
	for _, line := range []string{"a", "a", "", "  ", "b", "a"} {
		h.Add(line)
	}
	var all []string
	for age := range h.Len() {
		all = append(all, h.At(age))
	}
	if !slices.Equal(all, []string{"a", "b", "a"}) {
		t.Errorf("%q", all)
	}
}
